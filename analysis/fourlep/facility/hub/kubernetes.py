"""Users' servers as pods, under the Pod Security level *restricted*."""

from __future__ import annotations

from typing import Any

from fourlep.config.settings import number, text
from fourlep.facility.gpus import GpuNodes
from fourlep.facility.hub import profiles

#: The analysis image's user and its home.
_HOME = "/home/analyst"

#: The root file system is read-only: what libraries write goes to the pod's own /tmp.
_SCRATCH = {
    "TMPDIR": "/tmp",  # noqa: S108  # an emptyDir of the pod
    "DASK_TEMPORARY_DIRECTORY": "/tmp/dask",  # noqa: S108
    "NUMBA_CACHE_DIR": "/tmp/numba",  # noqa: S108
    "MPLCONFIGDIR": "/tmp/matplotlib",  # noqa: S108
    "JUPYTER_RUNTIME_DIR": "/tmp/jupyter",  # noqa: S108
}


def configure_kubernetes(c: Any, offered: tuple[profiles.Profile, ...]) -> None:
    """Spawn servers with KubeSpawner: one pod and one volume a user."""
    c.JupyterHub.spawner_class = "fourlep.facility.hub.spawner.HomeSpawner"
    c.JupyterHub.cleanup_servers = False
    c.JupyterHub.cleanup_proxy = False
    c.Spawner.cmd = ["jupyterhub-singleuser"]
    c.Spawner.environment = {
        **{name: _as_it_is(value) for name, value in c.Spawner.environment.items()},
        **_SCRATCH,
        # The cluster runs in the notebook's own image.
        "DASK_GATEWAY__CLUSTER__OPTIONS__IMAGE": text("FOURLEP_IMAGE"),
    }
    spawner = c.KubeSpawner
    spawner.image = text("FOURLEP_IMAGE")
    spawner.image_pull_policy = text("FOURLEP_IMAGE_PULL_POLICY", "IfNotPresent")
    spawner.profile_list = profiles.kubernetes_list(offered, GpuNodes.from_environment())
    spawner.namespace = text("FOURLEP_USERS_NAMESPACE", text("POD_NAMESPACE"))
    spawner.common_labels = {"app.kubernetes.io/part-of": "fourlep"}
    spawner.priority_class_name = text("FOURLEP_USERS_PRIORITY_CLASS", "")
    _confine(spawner)
    _store(spawner)


def _as_it_is(value: Any) -> Any:
    """Keep braces, which KubeSpawner would take for names of its own to fill in."""
    return value.replace("{", "{{").replace("}", "}}") if isinstance(value, str) else value


def _confine(spawner: Any) -> None:
    uid = int(number("FOURLEP_UID", 10001))
    spawner.uid = spawner.gid = spawner.fs_gid = uid
    spawner.service_account = text("FOURLEP_USERS_SERVICE_ACCOUNT", "default")
    spawner.automount_service_account_token = False
    spawner.allow_privilege_escalation = False
    spawner.container_security_context = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    spawner.pod_security_context = {
        "runAsNonRoot": True,
        "runAsUser": uid,
        "runAsGroup": uid,
        "fsGroup": uid,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    spawner.extra_pod_config = {"enableServiceLinks": False}


def _store(spawner: Any) -> None:
    spawner.storage_pvc_ensure = True
    spawner.delete_pvc = False
    spawner.pvc_name_template = "home-{user_server}"
    spawner.storage_class = text("FOURLEP_HOME_STORAGE_CLASS", "") or None
    spawner.storage_capacity = text("FOURLEP_HOME_SIZE", "10Gi")
    spawner.storage_access_modes = ["ReadWriteOnce"]
    spawner.working_dir = _HOME
    spawner.notebook_dir = _HOME
    scratch = {"sizeLimit": text("FOURLEP_SCRATCH_SIZE", "10Gi")}
    spawner.volumes = [
        {"name": "home", "persistentVolumeClaim": {"claimName": "{pvc_name}"}},
        {"name": "scratch", "emptyDir": scratch},
    ]
    spawner.volume_mounts = [
        {"name": "home", "mountPath": _HOME},
        {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108  # the pod's own
    ]
