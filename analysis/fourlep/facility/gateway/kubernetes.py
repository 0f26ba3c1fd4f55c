"""Clusters as pods, under the Pod Security level *restricted*.

The same file configures the API server and the controller, which must agree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dask_gateway_server.backends.kubernetes.backend import KubeBackend

from fourlep.config.settings import number, text
from fourlep.facility.gateway.limits import Limits, PerUserLimits
from fourlep.facility.gateway.namespaced import watch_one_namespace
from fourlep.facility.gateway.options import cluster_options
from fourlep.facility.gpus import GpuNodes

#: The root file system is read-only: what libraries write goes to the pod's own /tmp.
_SCRATCH = {
    "HOME": "/tmp",  # noqa: S108  # an emptyDir of the pod
    "TMPDIR": "/tmp",  # noqa: S108
    "DASK_TEMPORARY_DIRECTORY": "/tmp/dask",  # noqa: S108
    "NUMBA_CACHE_DIR": "/tmp/numba",  # noqa: S108
    "MPLCONFIGDIR": "/tmp/matplotlib",  # noqa: S108
}


class LimitedKubeBackend(PerUserLimits, KubeBackend):  # type: ignore[misc]  # untyped base
    """The Gateway's Kubernetes backend with limits for each user."""


def configure_kubernetes(c: Any, prefix: str, limits: Limits) -> None:
    """Run clusters as pods, routed by Traefik."""
    watch_one_namespace(text("FOURLEP_CLUSTERS_NAMESPACE", text("POD_NAMESPACE")))
    c.DaskGateway.backend_class = LimitedKubeBackend
    c.LimitedKubeBackend.limits = limits
    nodes = GpuNodes.from_environment()
    c.Backend.cluster_options = cluster_options(
        limits,
        images=(text("FOURLEP_IMAGE"), *_earlier_images()),
        requested_share=number("FOURLEP_WORKER_REQUESTED_SHARE", 1),
        with_gpus=_gpu_workers(nodes) if nodes else None,
    )
    instance = text("DASK_GATEWAY_INSTANCE")
    api_url = text("FOURLEP_GATEWAY_CLUSTER_API")
    for part in (c.LimitedKubeBackend, c.KubeController):
        part.gateway_instance = instance
        part.api_url = api_url
        part.common_labels = {
            "app.kubernetes.io/name": "dask-gateway",
            "app.kubernetes.io/part-of": "fourlep",
        }
    c.KubeController.address = text("FOURLEP_GATEWAY_CONTROLLER_BIND", "0.0.0.0:8000")
    c.KubeController.proxy_prefix = prefix
    c.KubeController.proxy_web_middlewares = [
        {"name": name} for name in text("FOURLEP_GATEWAY_MIDDLEWARES", "").split(",") if name
    ]
    # A controller that met an unready API server is back within this time, not five minutes.
    c.KubeController.backoff_max_delay = 30
    c.KubeController.completed_cluster_max_age = 3600
    _configure_pods(c)


def _earlier_images() -> list[str]:
    # A cluster runs what its owner's server runs, and that may be older than the facility.
    return [each for each in text("FOURLEP_EARLIER_IMAGES", "").split(",") if each]


def _configure_pods(c: Any) -> None:
    cluster = c.KubeClusterConfig
    cluster.namespace = text("FOURLEP_CLUSTERS_NAMESPACE", text("POD_NAMESPACE"))
    cluster.image = text("FOURLEP_IMAGE")
    cluster.image_pull_policy = text("FOURLEP_IMAGE_PULL_POLICY", "IfNotPresent")
    cluster.scheduler_cores = number("FOURLEP_SCHEDULER_CORES", 0.5)
    cluster.scheduler_cores_limit = number("FOURLEP_SCHEDULER_CORES_LIMIT", 2)
    cluster.scheduler_memory = text("FOURLEP_SCHEDULER_MEMORY", "2 G")
    c.ClusterConfig.environment = {**c.ClusterConfig.environment, **_SCRATCH}
    for role in ("scheduler", "worker"):
        setattr(cluster, f"{role}_extra_pod_config", _pod(role))
        setattr(cluster, f"{role}_extra_container_config", _container())


def _gpu_workers(nodes: GpuNodes) -> Callable[[int], dict[str, Any]]:
    # What a cluster chooses takes the place of what is configured: it must be whole.
    def configuration(gpus: int) -> dict[str, Any]:
        return {
            "worker_extra_container_config": {
                **_container(),
                "resources": {"limits": nodes.limits(gpus)},
            },
            "worker_extra_pod_config": {
                **_pod("worker"),
                "nodeSelector": nodes.labels,
                "tolerations": nodes.tolerations,
            },
        }

    return configuration


def _pod(role: str) -> dict[str, Any]:
    priority = text(f"FOURLEP_{role.upper()}_PRIORITY_CLASS", "")
    uid = int(number("FOURLEP_UID", 10001))
    pod: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": uid,
            "runAsGroup": uid,
            "fsGroup": uid,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumes": [
            {"name": "scratch", "emptyDir": {"sizeLimit": text("FOURLEP_SCRATCH_SIZE", "10Gi")}}
        ],
    }
    return {**pod, "priorityClassName": priority} if priority else pod


def _container() -> dict[str, Any]:
    return {
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],  # noqa: S108  # the pod's own
    }
