"""Deploying: findings before anything is changed, order, pruning, secrets."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fourlep.cli.cluster import cluster
from fourlep.errors import ClusterError, ConfigError
from fourlep.facility.cluster import steps
from fourlep.facility.cluster.checks import check, quantity
from fourlep.facility.cluster.credentials import NAME, make_secrets
from fourlep.facility.cluster.kubectl import Kubectl
from fourlep.facility.cluster.manifests import (
    Choices,
    earlier_images,
    find_overlay,
    render,
    render_job,
)
from fourlep.facility.embedded.secrets import MAKERS
from k8s.conftest import REPOSITORY
from k8s.policies import Object, each_container, name, of_kind


class Pretended(Kubectl):
    """Answers by the start of the arguments, and remembers every call."""

    def __init__(self, **answers: Any) -> None:
        self.namespace = "fourlep"
        self.calls: list[tuple[str, ...]] = []
        self.given: list[Any] = []
        self.answers = {
            "get --raw /version": '{"major": "1", "minor": "36"}',
            "auth can-i": "yes\n",
            "get namespace fourlep": {"status": {"phase": "Active"}},
            "get storageclass": [{"metadata": {"name": "standard"}}],
            "get nodes": [{"status": {"allocatable": {"cpu": "4", "memory": "8Gi"}}}],
            "get daemonsets": [],
            "get configmap": [],
            **{key.replace("_", " "): value for key, value in answers.items()},
        }

    def run(self, *arguments: str, given: str | None = None, timeout_s: float = 120.0) -> str:
        self.calls.append(arguments)
        if given:
            self.given.append(json.loads(given))
        line = " ".join(arguments)
        matching = [key for key in self.answers if line.startswith(key)]
        answer = self.answers[max(matching, key=len)] if matching else ""
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, list):
            return json.dumps({"items": answer})
        return answer if isinstance(answer, str) else json.dumps(answer)


def problems(kubectl: Kubectl, objects: tuple[Object, ...]) -> dict[str, str]:
    found = check(kubectl, list(objects), ask_registries=False)
    return {each.subject: each.detail for each in found if each.state == "problem"}


def test_a_good_cluster_has_no_problem(local: tuple[Object, ...]) -> None:
    assert problems(Pretended(), local) == {}


@pytest.mark.parametrize(
    ("answers", "subject", "words"),
    [
        ({"get_--raw_/version": '{"minor": "28+"}'}, "cluster", "1.28 is too old"),
        ({"get_--raw_/version": ClusterError("no route")}, "cluster", "does not answer"),
        ({"auth_can-i_create_roles": "no\n"}, "rights", "may not create roles"),
        ({"auth_can-i_create_secrets": ClusterError("no")}, "rights", "secrets"),
        ({"get_storageclass": []}, "storage", "no storage class 'standard'"),
        (
            {"get_namespace_fourlep": {"status": {"phase": "Terminating"}}},
            "namespace",
            "is being deleted",
        ),
        (
            {"get_nodes": [{"status": {"allocatable": {"cpu": "250m", "memory": "8Gi"}}}]},
            "room",
            "of 0.25 cores",
        ),
    ],
)
def test_a_cluster_that_will_not_do_is_named_before_anything_is_changed(
    local: tuple[Object, ...], answers: dict[str, Any], subject: str, words: str
) -> None:
    kubectl = Pretended(**answers)
    assert words in problems(kubectl, local)[subject]
    assert {call[0] for call in kubectl.calls} <= {"get", "auth"}


def test_a_part_of_the_operators_own_may_ask_for_nothing(local: tuple[Object, ...]) -> None:
    pod = {"spec": {"containers": [{"name": "own", "image": "own:1"}]}}
    own = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": pod}}
    assert problems(Pretended(), (*local, own)) == {}


@pytest.mark.parametrize("known", ["podmonitors.monitoring.coreos.com\n", ""])
def test_a_kind_that_nobody_defines_is_noticed(local: tuple[Object, ...], known: str) -> None:
    kubectl = Pretended(**{"api-resources --api-group=monitoring.coreos.com": known})
    monitor = {"apiVersion": "monitoring.coreos.com/v1", "kind": "PodMonitor"}
    found = problems(kubectl, (*local, monitor))
    assert ("definitions" in found) is (not known)
    asked = [call for call in kubectl.calls if call[0] == "api-resources"]
    assert not [call for call in asked if "traefik" in " ".join(call)]


ADMINISTRATORS = (
    "namespaces",
    "priorityclasses.scheduling.k8s.io",
    "customresourcedefinitions.apiextensions.k8s.io",
    "resourcequotas",
    "limitranges",
)
MAY_NOT = {
    f"auth_can-i_{verb}_{each}": ClusterError("no")
    for verb in ("create", "patch", "delete")
    for each in ADMINISTRATORS
}
UNSEEN: dict[str, Any] = {
    "get_namespaces_fourlep": {"status": {"phase": "Active"}},
    **{
        f"get_{each}": ClusterError("forbidden")
        for each in ("storageclass", "nodes", "daemonsets", "priorityclass", "customresource")
    },
}


def test_a_cluster_that_stops_answering_ends_the_checks(local: tuple[Object, ...]) -> None:
    """Only what may not be looked at is passed over."""
    kubectl = Pretended(get_nodes=ClusterError("kubectl get took more than 120 s"))
    with pytest.raises(ClusterError, match="took more than"):
        list(check(kubectl, list(local)))


def test_the_admin_of_one_namespace_needs_no_rights_over_the_cluster(
    local: tuple[Object, ...],
) -> None:
    there = {"get_resourcequota": {"kind": "it"}, "get_limitrange": {"kind": "it"}}
    kubectl = Pretended(**MAY_NOT, **UNSEEN, **there)
    found = list(check(kubectl, list(local)))
    assert not [each for each in found if each.state == "problem"]
    notes = {each.subject for each in found if each.state == "note"}
    assert notes == {"storage", "room", "network policies", "images"}
    told: list[str] = []
    steps.apply(kubectl, list(local), told.append)
    assert "left to the cluster's administrator: customresourcedefinitions" in told[0]
    (given,) = kubectl.given
    applied = {each["kind"] for each in given["items"]}
    assert {"Deployment", "IngressRoute"} <= applied
    assert not applied & {"Namespace", "CustomResourceDefinition", "ResourceQuota", "LimitRange"}
    steps.undeploy(kubectl, list(local), purge=False, say=told.append)
    deleted = " ".join(" ".join(call) for call in kubectl.calls if call[0] == "delete")
    assert "deployment/hub" in deleted
    assert "resourcequota" not in deleted


def test_what_the_administrator_has_not_made_yet_is_named(local: tuple[Object, ...]) -> None:
    kubectl = Pretended(**MAY_NOT, **UNSEEN, get_resourcequota="", get_limitrange={"kind": "it"})
    told = problems(kubectl, local)["rights"]
    assert told == "you may not create resourcequotas"


def test_rights_are_asked_for_every_kind_there_is(local: tuple[Object, ...]) -> None:
    kubectl = Pretended(**{"auth_can-i_create_ingressroutes.traefik.io": ClusterError("no")})
    assert "ingressroutes.traefik.io" in problems(kubectl, local)["rights"]


def test_without_a_default_class_one_must_be_chosen() -> None:
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": {}}
    assert "no default storage class" in problems(Pretended(), (claim,))["storage"]


def test_a_wrong_overlay_is_answered_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="local, production"):
        find_overlay("moon", REPOSITORY)


def test_a_wrong_overlay_is_wrong_usage() -> None:
    answer = CliRunner().invoke(cluster, ["deploy", "--overlay", "moon"])
    assert isinstance(answer.exception, ConfigError)


@pytest.mark.parametrize(
    ("text", "value"),
    [("250m", 0.25), ("2", 2), ("1.5Gi", 1.5 * 2**30), ("128Mi", 2**27), ("8G", 8e9)],
)
def test_quantities_are_understood(text: str, value: float) -> None:
    assert quantity(text) == value


def test_definitions_are_established_before_what_needs_them(local: tuple[Object, ...]) -> None:
    kubectl = Pretended()
    steps.apply(kubectl, list(local), lambda _: None)
    assert [call[0] for call in kubectl.calls if call[0] != "auth"] == ["apply", "wait", "apply"]
    first, second = ({each["kind"] for each in given["items"]} for given in kubectl.given)
    assert first == {"Namespace", "PriorityClass", "CustomResourceDefinition"}
    assert {"Deployment", "IngressRoute"} <= second
    assert not first & second


def test_what_the_overlay_no_longer_has_is_removed(local: tuple[Object, ...]) -> None:
    old = {"kind": "ConfigMap", "metadata": {"name": "hub-settings-old"}}
    kept = {"kind": "Deployment", "metadata": {"name": "hub"}}
    kubectl = Pretended(get_configmap=[old, kept])
    steps.prune(kubectl, list(local), lambda _: None)
    assert kubectl.calls[-1] == ("delete", "--ignore-not-found", "configmap/hub-settings-old")


def test_no_volume_is_removed_without_asking(local: tuple[Object, ...]) -> None:
    kubectl = Pretended()
    steps.undeploy(kubectl, list(local), purge=False, say=lambda _: None)
    deleted = " ".join(" ".join(call) for call in kubectl.calls if call[0] == "delete")
    assert "persistentvolumeclaim" not in deleted
    assert "namespace" not in deleted
    assert "secret" not in deleted
    assert "deployment/hub" in deleted


def test_what_another_overlay_deployed_goes_with_the_facility(local: tuple[Object, ...]) -> None:
    database: Object = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "postgres"},
    }
    kubectl = Pretended(get_configmap=[database])
    steps.undeploy(kubectl, list(local), purge=False, say=lambda _: None)
    assert "statefulset/postgres" in {
        word for call in kubectl.calls for word in call if call[0] == "delete"
    }


def test_a_part_that_does_not_come_up_is_explained(local: tuple[Object, ...]) -> None:
    waiting = {"name": "hub", "ready": False, "state": {"waiting": {"reason": "ErrImagePull"}}}
    pod = {"metadata": {"name": "hub-1"}, "status": {"containerStatuses": [waiting]}}
    event = {"involvedObject": {"name": "hub-1"}, "message": "pull access denied"}
    kubectl = Pretended(
        rollout=ClusterError("timed out"), get_pods=[pod], get_events=[event], logs="some line"
    )
    with pytest.raises(ClusterError) as caught:
        steps.wait(kubectl, list(local), lambda _: None)
    told = str(caught.value)
    assert "ErrImagePull" in told
    assert "check REGISTRY and TAG" in told
    assert "pull access denied" in told
    assert "some line" in told


@pytest.mark.parametrize(("state", "passes"), [("Complete", True), ("Failed", False)])
def test_the_smoke_test_is_its_jobs_end(state: str, passes: bool) -> None:
    job = {"status": {"conditions": [{"type": state, "status": "True"}]}}
    kubectl = Pretended(get_job=job, logs="2 figures", get_pods=[], get_events=[])
    said: list[str] = []
    home = "--selector=hub.jupyter.org/username=smoke"
    if passes:
        steps.smoke(kubectl, [{"kind": "Job", "metadata": {"name": "smoke"}}], said.append)
        assert said == ["2 figures"]
        assert ("delete", "--ignore-not-found", "job/smoke") in kubectl.calls
        assert kubectl.calls[-1] == ("delete", "persistentvolumeclaim", home, "--wait=false")
    else:
        with pytest.raises(ClusterError, match="smoke test failed"):
            steps.smoke(kubectl, [], said.append)


def _data(kubectl: Pretended) -> dict[str, str]:
    data: dict[str, str] = kubectl.given[-1]["items"][0]["data"]
    return data


def test_missing_secrets_are_made_and_others_kept() -> None:
    kubectl = Pretended(**{f"get_secret_{NAME}": {"data": {"password": "a2VwdA=="}}})
    made = make_secrets(kubectl)
    assert set(made) == set(MAKERS) - {"password"}
    assert b64decode(_data(kubectl)["password"]) == b"kept"


def test_a_second_time_nothing_is_made() -> None:
    whole = {"data": dict.fromkeys(MAKERS, "a2VwdA==")}
    kubectl = Pretended(**{f"get_secret_{NAME}": whole})
    assert make_secrets(kubectl) == []
    assert not kubectl.given


def test_a_secret_is_rotated_on_request() -> None:
    whole = {"data": {**dict.fromkeys(MAKERS, "a2VwdA=="), "oidc-client-secret": "bWluZQ=="}}
    kubectl = Pretended(**{f"get_secret_{NAME}": whole})
    assert make_secrets(kubectl, ["proxy-token"]) == ["proxy-token"]
    data = _data(kubectl)
    assert data["proxy-token"] != "a2VwdA=="
    assert data["oidc-client-secret"] == "bWluZQ=="


def test_an_unknown_secret_is_not_rotated() -> None:
    with pytest.raises(ConfigError, match="no such secret"):
        make_secrets(Pretended(), ["passphrase"])


def chosen(folder: Path) -> Choices:
    return Choices(folder, "mine", "registry.example.org/g", "9", "fast")


def test_namespace_registry_tag_and_class_reach_every_object() -> None:
    kubectl = Kubectl("mine")
    objects = tuple(render(kubectl, chosen(find_overlay("local", REPOSITORY))))
    images = {container["image"] for _, container in each_container(objects)}
    assert all(image.startswith("registry.example.org/g/fourlep/") for image in images)
    assert all(image.endswith(":9") for image in images)
    told = str(list(of_kind(objects, "ConfigMap")))
    assert "'FOURLEP_IMAGE': 'registry.example.org/g/fourlep/analysis:9'" in told
    assert {name(each) for each in of_kind(objects, "Namespace")} == {"Namespace/mine"}
    assert {each["metadata"].get("namespace", "mine") for each in objects} == {"mine"}
    claims = str(list(of_kind(objects, "StatefulSet", "PersistentVolumeClaim", "ConfigMap")))
    assert claims.count("'storageClassName': 'fast'") == 2
    assert "'FOURLEP_HOME_STORAGE_CLASS': 'fast'" in claims


def test_servers_that_run_already_go_on_making_clusters_of_their_own_image(
    local: tuple[Object, ...],
) -> None:
    now = "fourlep/analysis:0.1.0"
    servers = [
        {"spec": {"containers": [{"image": image}]}}
        for image in (now, "fourlep/analysis:0.0.9", "fourlep/analysis:0.0.8")
    ]
    assert earlier_images(Pretended(get_pods=servers), list(local)) == [
        "fourlep/analysis:0.0.8",
        "fourlep/analysis:0.0.9",
    ]
    assert not earlier_images(Pretended(get_pods=servers[:1]), list(local))
    choices = chosen(find_overlay("local", REPOSITORY))
    settings = list(of_kind(render(Kubectl("mine"), choices, ["a:1", "b:2"]), "ConfigMap"))
    assert "'FOURLEP_EARLIER_IMAGES': 'a:1,b:2'" in str(settings)


def test_an_image_that_the_overlay_pins_is_kept() -> None:
    pinned = "registry.example.org/fourlep/analysis@sha256:" + 64 * "1"
    folder = REPOSITORY / "build" / "tests" / "k8s" / "pinned"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kustomization.yaml").write_text(
        f"""
resources: [../../../../k8s/overlays/local]
images:
  - name: fourlep/analysis
    newName: {pinned.partition("@")[0]}
    digest: {pinned.partition("@")[2]}
configMapGenerator:
  - name: fourlep-settings
    namespace: fourlep
    behavior: merge
    literals: [FOURLEP_IMAGE={pinned}]
"""
    )
    objects = tuple(render(Kubectl("mine"), chosen(folder)))
    images = {container["image"] for _, container in each_container(objects)}
    assert pinned in images
    assert "registry.example.org/g/fourlep/hub:9" in images
    assert f"'FOURLEP_IMAGE': '{pinned}'" in str(list(of_kind(objects, "ConfigMap")))
    job = tuple(render_job(Kubectl("mine"), chosen(folder), REPOSITORY / "k8s" / "smoke"))
    assert {container["image"] for _, container in each_container(job)} == {pinned}


def test_the_smoke_job_runs_the_image_that_is_deployed() -> None:
    local = find_overlay("local", REPOSITORY)
    objects = tuple(render_job(Kubectl("mine"), chosen(local), REPOSITORY / "k8s" / "smoke"))
    images = {container["image"] for _, container in each_container(objects)}
    assert images == {"registry.example.org/g/fourlep/analysis:9"}
    assert {each["metadata"]["namespace"] for each in objects} == {"mine"}


def test_without_kubectl_it_says_so() -> None:
    with pytest.raises(ConfigError, match="kubectl is missing"):
        Kubectl("fourlep", program="kubectl-that-is-not-there")
