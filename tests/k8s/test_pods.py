"""The programs, configured as the manifests say, make pods that keep to the policies.

Hub, Gateway and controller read the very environment that their Deployments give them.
"""

from __future__ import annotations

import ast
import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import kubernetes_validate
import pytest
from kubernetes_asyncio.client import ApiClient
from traitlets.config import Config, PyFileConfigLoader

from fourlep.facility.embedded.secrets import make_secrets
from k8s import policies
from k8s.conftest import REPOSITORY
from k8s.policies import Object, name, of_kind, pod_of

KUBERNETES = "1.36"


def environment_of(objects: tuple[Object, ...], workload: str) -> dict[str, str]:
    """What the first container of a Deployment finds in its environment."""
    container = pod_of(next(each for each in objects if name(each) == f"Deployment/{workload}"))[
        "containers"
    ][0]
    maps = {each["metadata"]["name"]: each["data"] for each in of_kind(objects, "ConfigMap")}
    found: dict[str, str] = {}
    for source in container["envFrom"]:
        found |= maps[source["configMapRef"]["name"]]
    for variable in container["env"]:
        found[variable["name"]] = variable.get("value", "fourlep")
    return found


def configuration(
    objects: tuple[Object, ...],
    workload: str,
    file: str,
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
) -> Config:
    make_secrets(folder)
    for key, value in environment_of(objects, workload).items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("FOURLEP_SECRETS", str(folder))
    path = REPOSITORY / "images" / file
    return PyFileConfigLoader(path.name, str(path.parent)).load_config()


@pytest.fixture
def hub(overlay: tuple[Object, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Config:
    (tmp_path / "oidc-client-secret").write_text("hush")
    return configuration(overlay, "hub", "hub/jupyterhub_config.py", monkeypatch, tmp_path)


@pytest.fixture
def controller(
    overlay: tuple[Object, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Config:
    file = "gateway/dask_gateway_config.py"
    return configuration(overlay, "gateway-controller", file, monkeypatch, tmp_path)


def as_workload(pod: Object) -> Object:
    """A bare pod in the clothes of a workload, for the policies."""
    return {"kind": "Job", "metadata": pod["metadata"], "spec": {"template": {"spec": pod["spec"]}}}


def violations(pod: Object) -> list[str]:
    kept = (
        policies.runs_as_nobody_special,
        policies.is_confined,
        policies.says_what_it_needs,
        policies.is_pinned,
    )
    found = [each for policy in kept for each in policy((as_workload(pod),))]
    if pod["spec"].get("automountServiceAccountToken") is not False:
        found.append("has a token")
    if pod["spec"].get("enableServiceLinks") is not False:
        found.append("inherits addresses of services")
    return found


def user_pod(config: Config, monkeypatch: pytest.MonkeyPatch, profile: str = "") -> Object:
    """The pod of a user's server, with a profile or the default one."""
    from kubespawner import KubeSpawner
    from kubespawner import spawner as module

    # The pod is made without an API server.
    monkeypatch.setattr(module, "load_config", lambda **_: None)
    monkeypatch.setattr(module, "shared_client", lambda _: None)
    spawner = KubeSpawner(config=config, _mock=True)
    spawner.user.name = "ada"
    spawner.environment = {
        key: value for key, value in spawner.environment.items() if not callable(value)
    }
    spawner.user_options = {"profile": profile} if profile else {}
    assert config.KubeSpawner.profile_list[0]["default"]

    async def manifest() -> Any:
        await spawner.load_user_options()
        async with ApiClient() as client:
            return client.sanitize_for_serialization(await spawner.get_pod_manifest())

    pod: Object = asyncio.run(manifest())
    return pod


def cluster_pod(config: Config, *, is_worker: bool) -> Object:
    from dask_gateway_server.backends.kubernetes.backend import KubeClusterConfig
    from dask_gateway_server.backends.kubernetes.controller import KubeController
    from dask_gateway_server.utils import FrozenAttrDict

    settings = FrozenAttrDict(KubeClusterConfig(config=config).to_dict())
    made = KubeController(config=config).make_pod("fourlep", "abc", settings, is_worker)
    pod: Object = {"apiVersion": "v1", "kind": "Pod", **made}
    return pod


@pytest.mark.parametrize("is_worker", [False, True], ids=["scheduler", "worker"])
def test_a_clusters_pods_keep_to_the_policies(controller: Config, *, is_worker: bool) -> None:
    pod = cluster_pod(controller, is_worker=is_worker)
    assert violations(as_named(pod)) == []
    kubernetes_validate.validate(pod, KUBERNETES, strict=True)


def as_named(pod: Object) -> Object:
    return {**pod, "metadata": {**pod["metadata"], "name": pod["metadata"].get("name", "pod")}}


@pytest.mark.parametrize("is_worker", [False, True], ids=["scheduler", "worker"])
def test_a_clusters_pods_are_those_of_the_network_policies(
    controller: Config, *, is_worker: bool
) -> None:
    labels = cluster_pod(controller, is_worker=is_worker)["metadata"]["labels"]
    wanted = "dask-worker" if is_worker else "dask-scheduler"
    assert labels["app.kubernetes.io/component"] == wanted
    assert labels["gateway.dask.org/instance"] == "fourlep"


def test_a_clusters_pods_have_priorities_of_ours(
    overlay: tuple[Object, ...], controller: Config
) -> None:
    known = {each["metadata"]["name"] for each in of_kind(overlay, "PriorityClass")}
    for is_worker in (False, True):
        pod = cluster_pod(controller, is_worker=is_worker)
        assert pod["spec"]["priorityClassName"] in known


def test_a_users_server_keeps_to_the_policies(hub: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    pod = user_pod(hub, monkeypatch)
    assert violations(pod) == []
    kubernetes_validate.validate(pod, KUBERNETES, strict=True)
    assert pod["metadata"]["labels"]["app.kubernetes.io/component"] == "singleuser-server"


def test_braces_in_the_environment_reach_the_server(
    hub: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """KubeSpawner fills names in braces in."""
    pod = user_pod(hub, monkeypatch)
    given = {each["name"]: each.get("value") for each in pod["spec"]["containers"][0]["env"]}
    assert ast.literal_eval(given["DASK_LOGGING"])["distributed.preloading"] == "warning"


def test_the_gateway_watches_its_namespace_only(controller: Config) -> None:
    from dask_gateway_server.backends.kubernetes import backend
    from dask_gateway_server.backends.kubernetes import controller as module

    for used in (backend.Informer, module.Informer):
        informer = used(
            name="pod",
            client=SimpleNamespace(),
            method="list_pod_for_all_namespaces",
            method_kwargs={"label_selector": "x=y"},
            on_update=print,
            on_delete=print,
        )
        assert informer.method == "list_namespaced_pod"
        assert informer.method_kwargs == {"label_selector": "x=y", "namespace": "fourlep"}


def test_a_server_from_before_an_upgrade_makes_clusters_of_its_own_image(
    local: tuple[Object, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FOURLEP_EARLIER_IMAGES", "fourlep/analysis:0.0.9")
    file = "gateway/dask_gateway_config.py"
    config = configuration(local, "gateway-controller", file, monkeypatch, tmp_path)
    form = config.Backend.cluster_options
    for image in ("fourlep/analysis:0.1.0", "fourlep/analysis:0.0.9"):
        assert form.parse_options({"image": image})["image"] == image
    with pytest.raises(ValueError, match="not a valid option"):
        form.parse_options({"image": "elsewhere/analysis:0.0.9"})
    assert form.parse_options({})["image"] == "fourlep/analysis:0.1.0"
