"""The manifests render, are valid in every supported Kubernetes, and fit the programs."""

from __future__ import annotations

import functools
import itertools
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest

from fourlep import __version__
from fourlep.facility.embedded.secrets import MAKERS
from k8s.conftest import COMPONENTS, OVERLAYS, REPOSITORY, assembled, left_over, render
from k8s.policies import POLICIES, WORKLOADS, Object, each_container, name, of_kind, pod_of

#: The minor versions that are supported, oldest first.
VERSIONS = ("1.29", "1.30", "1.31", "1.32", "1.33", "1.34", "1.35", "1.36")


@functools.cache
def validate(text: str, version: str) -> None:
    """Check an object, most of which are in many renderings, once."""
    kubernetes_validate.validate(json.loads(text), version, strict=True)


def problems(objects: tuple[Object, ...], version: str) -> list[str]:
    """What the schemas of a Kubernetes version, and our CRDs' own, have against objects."""
    crds = {
        crd["spec"]["names"]["kind"]: crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        for crd in of_kind(objects, "CustomResourceDefinition")
    }
    found = []
    for each in objects:
        try:
            if each["kind"] in crds:
                jsonschema.validate(each, crds[each["kind"]])
            elif "monitoring.coreos.com" not in each["apiVersion"]:
                validate(json.dumps(each), version)
        except (kubernetes_validate.ValidationError, jsonschema.ValidationError) as error:
            found.append(f"{name(each)}: {error.message}")
    return found


@pytest.mark.parametrize("version", [VERSIONS[0], VERSIONS[-1]])
def test_an_overlay_is_valid(overlay: tuple[Object, ...], version: str) -> None:
    assert problems(overlay, version) == []


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS[1:-1])
def test_an_overlay_is_valid_in_the_versions_between(
    overlay: tuple[Object, ...], version: str
) -> None:
    assert problems(overlay, version) == []


def test_the_smoke_test_is_valid() -> None:
    assert problems(render(REPOSITORY / "k8s" / "smoke"), VERSIONS[-1]) == []


def test_a_wrong_field_is_noticed(local: tuple[Object, ...]) -> None:
    deployment = next(of_kind(local, "Deployment"))
    wrong: Any = {**deployment, "spec": {**deployment["spec"], "replica": 1}}
    assert problems((wrong,), VERSIONS[-1])


def test_a_wrong_route_is_noticed_by_our_own_schema(local: tuple[Object, ...]) -> None:
    crds = tuple(of_kind(local, "CustomResourceDefinition"))
    route: Any = next(of_kind(local, "IngressRoute"))
    assert problems((*crds, {**route, "spec": {"routes": [{"services": []}]}}), VERSIONS[-1])


@pytest.mark.parametrize("component", COMPONENTS)
def test_each_component_can_be_switched_on_alone(component: str) -> None:
    objects = assembled("", [component])
    assert problems(objects, VERSIONS[-1]) == []
    assert [found for policy in POLICIES for found in policy(objects)] == []


@pytest.mark.slow
@pytest.mark.parametrize("overlay_name", OVERLAYS)
def test_every_combination_of_components_is_valid(overlay_name: str) -> None:
    more = left_over(overlay_name)
    for count in range(len(more) + 1):
        for components in itertools.combinations(more, count):
            objects = assembled(overlay_name, components)
            assert problems(objects, VERSIONS[-1]) == [], components
            assert [found for policy in POLICIES for found in policy(objects)] == [], components


def test_caches_and_gateway_can_be_had_without_our_hub() -> None:
    folder = REPOSITORY / "build" / "tests" / "k8s" / "own-hub"
    folder.mkdir(parents=True, exist_ok=True)
    parts = ("settings", "priorities", "gateway", "xcache", "policies")
    resources = ", ".join(f"../../../../k8s/base/{part}" for part in parts)
    (folder / "kustomization.yaml").write_text(f"namespace: mine\nresources: [{resources}]\n")
    objects = render(folder)
    assert problems(objects, VERSIONS[-1]) == []
    assert not [each for each in of_kind(objects, "Deployment") if name(each).endswith("/hub")]


def settings(objects: tuple[Object, ...], start: str) -> dict[str, str]:
    found = [
        each["data"]
        for each in of_kind(objects, "ConfigMap")
        if each["metadata"]["name"].startswith(start)
    ]
    assert len(found) == 1
    data: dict[str, str] = found[0]
    return data


def test_users_run_in_the_very_image_that_is_deployed(overlay: tuple[Object, ...]) -> None:
    wanted = settings(overlay, "fourlep-settings")["FOURLEP_IMAGE"]
    used = {
        container["image"]
        for _, container in each_container(overlay)
        if "/analysis:" in container["image"]
    }
    assert used <= {wanted}
    assert wanted.rpartition(":")[2] == __version__


def test_the_clients_know_every_cache(overlay: tuple[Object, ...]) -> None:
    caches = next(each for each in overlay if name(each) == "StatefulSet/xcache")
    known = settings(overlay, "fourlep-settings")["FOURLEP_CACHES"].split(",")
    count = caches["spec"]["replicas"]
    assert known == [f"root://xcache-{index}.xcache:1094" for index in range(count)]


def test_the_home_page_asks_every_cache(overlay: tuple[Object, ...]) -> None:
    caches = next(each for each in overlay if name(each) == "StatefulSet/xcache")
    asked = settings(overlay, "hub-settings")["FOURLEP_HUB_PARTS"]
    for index in range(caches["spec"]["replicas"]):
        assert f"=http://xcache-{index}.xcache:9931/metrics" in asked
    assert asked.count("xcache:9931") == caches["spec"]["replicas"]


def test_every_name_that_is_referred_to_is_there(overlay: tuple[Object, ...]) -> None:
    there = {name(each) for each in overlay}
    for workload in of_kind(overlay, *WORKLOADS):
        pod = pod_of(workload)
        assert f"ServiceAccount/{pod['serviceAccountName']}" in there
        for container in pod["containers"]:
            for source in container.get("envFrom", []):
                assert f"ConfigMap/{source['configMapRef']['name']}" in there
        for volume in pod.get("volumes", []):
            if "secret" in volume:
                keys = {item["key"] for item in volume["secret"].get("items", [])}
                assert volume["secret"]["secretName"] == "fourlep-secrets"
                assert keys <= set(MAKERS)


def test_every_service_finds_its_pods_and_port(overlay: tuple[Object, ...]) -> None:
    templates = [each["spec"]["template"] for each in of_kind(overlay, *WORKLOADS)]
    for service in of_kind(overlay, "Service"):
        wanted = service["spec"]["selector"].items()
        matching = [each for each in templates if wanted <= each["metadata"]["labels"].items()]
        assert len(matching) == 1, name(service)
        ports = {
            port["name"]
            for container in matching[0]["spec"]["containers"]
            for port in container["ports"]
        }
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports


def test_the_caches_settings_are_those_of_one_machine(local: tuple[Object, ...]) -> None:
    from fourlep.facility.embedded.parts import read_settings

    shared = read_settings(REPOSITORY / "images" / "xcache" / "xcache.env")
    assert settings(local, "xcache-settings") == shared


def test_an_overlay_can_be_copied_out_as_the_runbook_says(tmp_path: Path) -> None:
    runbook = (REPOSITORY / "docs" / "how-to" / "run-the-facility.md").read_text()
    lines = re.findall(r"^\$ ((?:cp -r|sed -i) .* site.*)$", runbook, re.MULTILINE)
    assert len(lines) == 2
    (tmp_path / "fourlep").symlink_to(REPOSITORY)
    subprocess.run(["sh", "-euc", "\n".join(lines)], cwd=tmp_path, check=True)
    there = {name(each) for each in render(tmp_path / "site")}
    assert there == {name(each) for each in render(REPOSITORY / "k8s" / "overlays" / "production")}


def test_the_runbook_drains_a_node_as_its_pods_need() -> None:
    runbook = (REPOSITORY / "docs" / "how-to" / "run-the-facility.md").read_text()
    (drain,) = [line for line in runbook.splitlines() if line.startswith("$ kubectl drain")]
    objects = assembled("production", [])
    assert any(
        "emptyDir" in volume for hub in of_kind(objects, "Deployment") for volume in volumes(hub)
    )
    assert "--delete-emptydir-data" in drain
    assert list(of_kind(objects, "DaemonSet"))
    assert "--ignore-daemonsets" in drain
    # Pods of servers and clusters, which no controller owns.
    assert "--force" in drain


def test_the_runbook_restores_a_hub_that_cannot_start(local: tuple[Object, ...]) -> None:
    runbook = (REPOSITORY / "docs" / "how-to" / "run-the-facility.md").read_text()
    patch, *steps = re.findall(
        r"kubectl -n fourlep (patch deployment hub .*?'\[\{.*?\}\]'|exec -i .*?< hub|rollout undo)",
        runbook,
        re.DOTALL,
    )
    (change,) = json.loads(patch[patch.index("[") : patch.rindex("]") + 1])
    (hub,) = [each for each in of_kind(local, "Deployment") if name(each).endswith("/hub")]
    assert change["path"] == "/spec/template/spec/containers/0/args"
    assert "args" in pod_of(hub)["containers"][0]
    # It waits for whoever restores, and gives up by its startup probe.
    assert change["value"][0] == "sleep"
    probe = pod_of(hub)["containers"][0]["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] == 180
    assert "after three minutes" in runbook
    assert [step.split()[0] for step in steps[:2]] == ["exec", "rollout"]


def test_traefik_has_the_time_that_it_gives_to_running_clusters(local: tuple[Object, ...]) -> None:
    (traefik,) = [each for each in of_kind(local, "Deployment") if name(each).endswith("/traefik")]
    pod = pod_of(traefik)
    options = dict(option.split("=", 1) for option in pod["containers"][0]["command"][1:])
    # Clients' connections to their schedulers; by itself Traefik ends them after ten seconds.
    grace = options["--entrypoints.tcp.transport.lifecycle.gracetimeout"]
    assert 600 <= int(grace.removesuffix("s")) < pod["terminationGracePeriodSeconds"]
    # The next one is there before: the default strategy, with one pod.
    assert "strategy" not in traefik["spec"]


def volumes(workload: Object) -> list[Object]:
    return list(pod_of(workload).get("volumes", []))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_quota_has_room_for_the_port_of_a_load_balancer(overlay: str) -> None:
    for quota in of_kind(assembled(overlay, []), "ResourceQuota"):
        hard = quota["spec"]["hard"]
        assert int(hard["services.nodeports"]) >= int(hard["services.loadbalancers"])
