"""What each component adds to the facility."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from jupyterhub import metrics as hub_metrics
from prometheus_client import REGISTRY
from traitlets.config import Config

from fourlep.facility.cache_metrics.metrics import CacheMetrics
from fourlep.facility.embedded.secrets import MAKERS
from k8s.conftest import REPOSITORY, assembled
from k8s.policies import Object, containers, name, of_kind, pod_of
from k8s.test_manifests import settings
from k8s.test_pods import KUBERNETES, configuration, user_pod

#: Of kube-state-metrics and of the kubelet's cAdvisor, by their documentation.
OF_KUBERNETES = {
    "kube_deployment_spec_replicas",
    "kube_deployment_status_replicas_unavailable",
    "kube_pod_status_phase",
    "kube_statefulset_replicas",
    "kube_statefulset_status_replicas_ready",
    "kube_pod_container_resource_requests",
    "kube_pod_container_resource_limits",
    "kube_pod_container_status_restarts_total",
    "kube_resourcequota",
    "container_cpu_usage_seconds_total",
    "container_memory_working_set_bytes",
}
METRIC = re.compile(r"\b(?:fourlep|jupyterhub|kube|container)_[a-z_]+\b")


def named(objects: tuple[Object, ...], wanted: str) -> Object:
    return next(each for each in objects if name(each) == wanted)


def postgres() -> tuple[Object, ...]:
    return assembled("local", ["postgres"])


def test_with_postgres_the_hub_keeps_nothing_on_a_volume_of_its_own() -> None:
    objects = postgres()
    assert "PersistentVolumeClaim/hub-database" not in {name(each) for each in objects}
    volumes = pod_of(named(objects, "Deployment/hub"))["volumes"]
    assert not any("persistentVolumeClaim" in volume for volume in volumes)
    assert [volume["name"] for volume in volumes].count("database") == 1


def test_the_hub_is_told_the_servers_name_and_port() -> None:
    objects = postgres()
    address = settings(objects, "hub-settings")["FOURLEP_HUB_DATABASE"]
    service = named(objects, "Service/postgres")
    port = service["spec"]["ports"][0]["port"]
    assert f"@postgres:{port}/" in address
    container = containers(pod_of(named(objects, "StatefulSet/postgres")))[0]
    variables = {each["name"]: each["value"] for each in container["env"]}
    assert address.endswith("/" + variables["POSTGRES_DB"])
    assert f"//{variables['POSTGRES_USER']}@" in address


def test_the_databases_password_is_made_and_mounted() -> None:
    pod = pod_of(named(postgres(), "StatefulSet/postgres"))
    keys = {
        item["key"]
        for volume in pod["volumes"]
        if "secret" in volume
        for item in volume["secret"]["items"]
    }
    assert keys == {"database-password"}
    assert keys <= set(MAKERS)


@pytest.fixture
def gpu_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Config:
    objects = assembled("local", ["gpu"])
    return configuration(objects, "hub", "hub/jupyterhub_config.py", monkeypatch, tmp_path)


def test_a_server_with_a_gpu_asks_for_one(gpu_hub: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    pod = user_pod(gpu_hub, monkeypatch, profile="gpu")
    kubernetes_validate.validate(pod, KUBERNETES, strict=True)
    resources = pod["spec"]["containers"][0]["resources"]
    assert resources["limits"]["nvidia.com/gpu"] == "1"
    assert resources["requests"]["nvidia.com/gpu"] == "1"
    assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in pod["spec"][
        "tolerations"
    ]


def test_other_servers_keep_away_from_nodes_with_gpus(
    gpu_hub: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    pod = user_pod(gpu_hub, monkeypatch)
    assert "nvidia.com/gpu" not in json.dumps(pod)


@pytest.mark.parametrize("gpus", [0, 1])
def test_a_worker_with_a_gpu_asks_for_one_and_stays_confined(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, gpus: int
) -> None:
    objects = assembled("local", ["gpu"])
    file = "gateway/dask_gateway_config.py"
    config = configuration(objects, "gateway-controller", file, monkeypatch, tmp_path)
    pod = worker_pod(config, {"worker_gpus": gpus})
    kubernetes_validate.validate(pod, KUBERNETES, strict=True)
    (container,) = pod["spec"]["containers"]
    assert container["resources"]["limits"].get("nvidia.com/gpu") == ("1" if gpus else None)
    assert container["resources"]["limits"]["memory"] == str(2 * 2**30)
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod["spec"]["priorityClassName"] == "fourlep-workers"
    assert bool(pod["spec"].get("tolerations")) is bool(gpus)


def worker_pod(config: Config, asked: dict[str, Any]) -> Object:
    """The pod that the controller makes of a user's choice."""
    from dask_gateway_server.backends.kubernetes.backend import KubeClusterConfig
    from dask_gateway_server.backends.kubernetes.controller import KubeController
    from dask_gateway_server.models import User
    from dask_gateway_server.utils import FrozenAttrDict

    form = config.Backend.cluster_options
    chosen = form.get_configuration(form.parse_options(asked), User("ada"))
    whole = FrozenAttrDict(KubeClusterConfig(config=config, **chosen).to_dict())
    pod = KubeController(config=config).make_pod("fourlep", "abc", whole, is_worker=True)
    return {"apiVersion": "v1", "kind": "Pod", **pod}


def test_gpus_are_in_the_quota() -> None:
    quota = named(assembled("local", ["gpu"]), "ResourceQuota/fourlep")
    assert quota["spec"]["hard"]["requests.nvidia.com/gpu"] == "8"
    assert "pods" in quota["spec"]["hard"]


def test_the_image_is_pulled_to_nodes_with_gpus_too() -> None:
    objects = assembled("local", ["gpu", "prepull"])
    taint = settings(objects, "fourlep-settings")["FOURLEP_GPU_TAINT"]
    tolerated = pod_of(named(objects, "DaemonSet/prepull"))["tolerations"]
    assert {"key": taint, "operator": "Exists", "effect": "NoSchedule"} in tolerated


@pytest.fixture(scope="module")
def monitoring() -> tuple[Object, ...]:
    return assembled("production", ["monitoring"])


def exported() -> set[str]:
    """Names of the metrics that the collector and the hub export, as Prometheus sees them."""
    assert hub_metrics.RUNNING_SERVERS  # the hub's are registered when its module is loaded
    caches = CacheMetrics("test", REPOSITORY)
    found = set()
    for registry in (caches.registry, REGISTRY):
        for family in registry.collect():
            suffixes = {
                "counter": ("_total",),
                "histogram": ("_bucket", "_count", "_sum"),
            }.get(family.type, ("",))
            found |= {family.name + suffix for suffix in suffixes}
    return found


def dashboards(objects: tuple[Object, ...]) -> dict[str, Any]:
    (found,) = [
        each
        for each in of_kind(objects, "ConfigMap")
        if each["metadata"].get("labels", {}).get("grafana_dashboard") == "1"
    ]
    return {file: json.loads(text) for file, text in found["data"].items()}


def expressions(objects: tuple[Object, ...]) -> list[str]:
    found = [
        target["expr"]
        for dashboard in dashboards(objects).values()
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]
    rules = named(objects, "PrometheusRule/fourlep")
    found += [rule["expr"] for group in rules["spec"]["groups"] for rule in group["rules"]]
    return found


def test_dashboards_and_alerts_ask_for_metrics_that_are_exported(
    monitoring: tuple[Object, ...],
) -> None:
    asked = {each for text in expressions(monitoring) for each in METRIC.findall(text)}
    assert {"fourlep_cache_hit_bytes_total", "jupyterhub_running_servers"} <= asked
    assert asked - exported() - OF_KUBERNETES == set()


def test_a_metric_that_nobody_exports_is_noticed() -> None:
    assert METRIC.findall("sum(rate(fourlep_cache_luck_total[5m]))") == ["fourlep_cache_luck_total"]
    assert "fourlep_cache_luck_total" not in exported()


def test_every_panel_is_of_the_chosen_namespace_and_its_own_place(
    monitoring: tuple[Object, ...],
) -> None:
    assert len(dashboards(monitoring)) == 3
    for dashboard in dashboards(monitoring).values():
        places = [tuple(panel["gridPos"].values()) for panel in dashboard["panels"]]
        assert len(set(places)) == len(places)
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                asked = METRIC.findall(target["expr"])
                assert target["expr"].count('namespace="$namespace"') == len(asked), panel["title"]


def test_what_is_scraped_has_such_a_port_and_may_be_reached(
    monitoring: tuple[Object, ...],
) -> None:
    templates = [
        each["spec"]["template"] for each in of_kind(monitoring, "Deployment", "StatefulSet")
    ]
    for monitor in of_kind(monitoring, "PodMonitor"):
        wanted = monitor["spec"]["selector"]["matchLabels"]
        (template,) = [
            each for each in templates if wanted.items() <= each["metadata"]["labels"].items()
        ]
        ports = {
            port["name"]: port["containerPort"]
            for container in template["spec"]["containers"]
            for port in container["ports"]
        }
        (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
        open_ports = {
            port["port"]
            for policy in of_kind(monitoring, "NetworkPolicy")
            if policy["metadata"]["name"].startswith("monitoring-")
            and policy["spec"]["podSelector"]["matchLabels"] == wanted
            for port in policy["spec"]["ingress"][0]["ports"]
        }
        assert ports[endpoint["port"]] in open_ports
        if "authorization" in endpoint:
            assert endpoint["authorization"]["credentials"]["key"] in MAKERS


def test_the_runbook_says_what_every_alert_means(monitoring: tuple[Object, ...]) -> None:
    runbook = (REPOSITORY / "docs" / "how-to" / "run-the-facility.md").read_text()
    rules = named(monitoring, "PrometheusRule/fourlep")["spec"]["groups"][0]["rules"]
    assert len(rules) == 6
    for rule in rules:
        assert f"| `{rule['alert']}` |" in runbook


def test_alerts_are_about_this_hub_and_no_other_that_is_scraped(
    monitoring: tuple[Object, ...],
) -> None:
    monitor = named(monitoring, "PodMonitor/hub")
    (label,) = monitor["spec"]["podTargetLabels"]
    pods = named(monitoring, "Deployment/hub")["spec"]["template"]["metadata"]["labels"]
    # As Prometheus' operator writes the name of a label.
    ours = f'{re.sub("[^a-zA-Z0-9_]", "_", label)}="{pods[label]}"'
    rules = named(monitoring, "PrometheusRule/fourlep")["spec"]["groups"][0]["rules"]
    asked = [
        selector
        for rule in rules
        for selector in re.findall(r"jupyterhub_[a-z_]+\s*(\{[^}]*\}|)", rule["expr"])
    ]
    assert len(asked) == 3
    assert all(ours in selector for selector in asked)
    (silent,) = [rule["expr"] for rule in rules if rule["alert"] == "HubSilent"]
    # Another facility's hub, in another namespace, does not speak for this one.
    assert "unless on (namespace) jupyterhub_running_servers" in silent


def test_every_part_is_missed_when_its_pods_do_not_work() -> None:
    objects = assembled("production", ["monitoring", "postgres"])
    rules = named(objects, "PrometheusRule/fourlep")["spec"]["groups"][0]["rules"]
    (rule,) = [rule for rule in rules if rule["alert"] == "PartDown"]
    told = {
        part
        for listed in re.findall(r'(?:deployment|statefulset)=~"([^"]*)"', rule["expr"])
        for part in listed.split("|")
    }
    assert told == {
        each["metadata"]["name"] for each in of_kind(objects, "Deployment", "StatefulSet")
    }
