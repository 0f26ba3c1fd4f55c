"""What every workload must keep to: functions from objects to violations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

Object = dict[str, Any]
Policy = Callable[[tuple[Object, ...]], list[str]]

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job")

#: Every verb that a service account of ours may use, by (role, resource).
VERBS = {
    ("hub", "pods"): "create delete list watch",
    ("hub", "persistentvolumeclaims"): "create delete get",
    ("hub", "events"): "list watch",
    ("gateway-api", "secrets"): "get",
    ("gateway-api", "daskclusters"): "create list patch watch",
    ("gateway-controller", "daskclusters"): "delete list watch",
    ("gateway-controller", "daskclusters/status"): "patch",
    ("gateway-controller", "ingressroutes"): "create delete",
    ("gateway-controller", "ingressroutetcps"): "create delete",
    ("gateway-controller", "pods"): "create delete list watch",
    ("gateway-controller", "endpoints"): "list watch",
    ("gateway-controller", "secrets"): "create delete",
    ("gateway-controller", "services"): "create delete",
    **{
        ("traefik", resource): "list watch"
        for resource in (
            "services",
            "secrets",
            "configmaps",
            "endpointslices",
            "ingressroutes",
            "ingressroutetcps",
            "ingressrouteudps",
            "middlewares",
            "middlewaretcps",
            "serverstransports",
            "serverstransporttcps",
            "tlsoptions",
            "tlsstores",
            "traefikservices",
        )
    },
}

#: Pods that speak to the API server; no other has a token.
WITH_TOKEN = {"hub", "gateway-api", "gateway-controller", "traefik"}


def of_kind(objects: Iterable[Object], *kinds: str) -> Iterator[Object]:
    return (each for each in objects if each["kind"] in kinds)


def name(thing: Object) -> str:
    return f"{thing['kind']}/{thing['metadata']['name']}"


def pod_of(workload: Object) -> Object:
    spec: Object = workload["spec"]["template"]["spec"]
    return spec


def containers(pod: Object) -> list[Object]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def each_container(objects: tuple[Object, ...]) -> Iterator[tuple[str, Object]]:
    for workload in of_kind(objects, *WORKLOADS):
        for container in containers(pod_of(workload)):
            yield f"{name(workload)}/{container['name']}", container


def runs_as_nobody_special(objects: tuple[Object, ...]) -> list[str]:
    found = []
    for workload in of_kind(objects, *WORKLOADS):
        context = pod_of(workload).get("securityContext", {})
        if not context.get("runAsNonRoot") or not context.get("runAsUser"):
            found.append(f"{name(workload)} may run as root")
        if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
            found.append(f"{name(workload)} has no seccomp profile")
    return found


def is_confined(objects: tuple[Object, ...]) -> list[str]:
    wanted = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    found = []
    for where, container in each_container(objects):
        context = container.get("securityContext", {})
        if {key: context.get(key) for key in wanted} != wanted or context.get("privileged"):
            found.append(f"{where} is not confined")
    return found


def says_what_it_needs(objects: tuple[Object, ...]) -> list[str]:
    return [
        f"{where} lacks {kind} of {resource}"
        for where, container in each_container(objects)
        for kind in ("requests", "limits")
        for resource in ("cpu", "memory")
        if resource not in container.get("resources", {}).get(kind, {})
    ]


def is_probed(objects: tuple[Object, ...]) -> list[str]:
    return [
        f"{name(workload)}/{container['name']} lacks {probe}"
        for workload in of_kind(objects, "Deployment", "StatefulSet")
        for container in pod_of(workload)["containers"]
        for probe in ("readinessProbe", "livenessProbe")
        if probe not in container
    ]


def is_pinned(objects: tuple[Object, ...]) -> list[str]:
    return [
        f"{where}: {container['image']} is not pinned"
        for where, container in each_container(objects)
        if container["image"].rpartition(":")[2] in {"latest", container["image"]}
    ]


def gets_no_token_in_vain(objects: tuple[Object, ...]) -> list[str]:
    found = []
    for workload in of_kind(objects, *WORKLOADS):
        pod, wants = pod_of(workload), workload["metadata"]["name"] in WITH_TOKEN
        if pod.get("automountServiceAccountToken") is not wants:
            found.append(f"{name(workload)}: token mounted: {not wants}")
        if pod.get("serviceAccountName", "default") == "default":
            found.append(f"{name(workload)} uses the default service account")
        if pod.get("enableServiceLinks") is not False:
            found.append(f"{name(workload)} inherits addresses of services")
    return found


def has_a_priority(objects: tuple[Object, ...]) -> list[str]:
    known = {each["metadata"]["name"] for each in of_kind(objects, "PriorityClass")}
    return [
        f"{name(workload)} has no priority of ours"
        for workload in of_kind(objects, "Deployment", "StatefulSet")
        if pod_of(workload).get("priorityClassName") not in known
    ]


def may_do_what_is_listed(objects: tuple[Object, ...]) -> list[str]:
    found = [
        f"{name(each)} reaches beyond the namespace"
        for each in of_kind(objects, "ClusterRole", "ClusterRoleBinding")
    ]
    granted = {
        (role["metadata"]["name"], resource): " ".join(sorted(rule["verbs"]))
        for role in of_kind(objects, "Role")
        for rule in role["rules"]
        for resource in rule["resources"]
    }
    wrong = {key for key in granted.keys() | VERBS.keys() if granted.get(key) != VERBS.get(key)}
    return found + [f"{key}: {granted.get(key)}, not {VERBS.get(key)}" for key in sorted(wrong)]


def namespace_is_restricted(objects: tuple[Object, ...]) -> list[str]:
    label = "pod-security.kubernetes.io/enforce"
    return [
        f"{name(each)} is not restricted"
        for each in of_kind(objects, "Namespace")
        if each["metadata"]["labels"].get(label) != "restricted"
    ]


def can_be_drained(objects: tuple[Object, ...]) -> list[str]:
    budgets = [
        each["spec"]["selector"]["matchLabels"] for each in of_kind(objects, "PodDisruptionBudget")
    ]
    return [
        f"{name(workload)} has no disruption budget"
        for workload in of_kind(objects, "Deployment", "StatefulSet")
        if workload["spec"]["selector"]["matchLabels"] not in budgets
        and workload["metadata"]["name"] != "stand-in-origin"
    ]


def holds_no_secret(objects: tuple[Object, ...]) -> list[str]:
    return [f"{name(each)} is in git" for each in of_kind(objects, "Secret")]


def starts_from_nothing_allowed(objects: tuple[Object, ...]) -> list[str]:
    denies = [
        each
        for each in of_kind(objects, "NetworkPolicy")
        if each["spec"]["podSelector"] == {}
        and set(each["spec"]["policyTypes"]) == {"Ingress", "Egress"}
        and not each["spec"].get("ingress")
        and not each["spec"].get("egress")
    ]
    return [] if denies else ["nothing denies by default"]


def keeps_users_apart(objects: tuple[Object, ...]) -> list[str]:
    """No rule lets a user's pods reach another user's server, the hub's proxy or the API."""
    found = []
    for policy in of_kind(objects, "NetworkPolicy"):
        spec = policy["spec"]
        if "singleuser-server" not in str(spec["podSelector"]):
            continue
        for rule in spec.get("ingress", []):
            if not rule.get("from") or "singleuser" in str(rule["from"]):
                found.append(f"{name(policy)} lets users in")
        for rule in spec.get("egress", []):
            ports = {port["port"] for port in rule.get("ports", [])}
            if not ports or ports & {443, 6443, 8001}:
                found.append(f"{name(policy)} lets users out")
    return found


def leaves_the_database_to_the_hub(objects: tuple[Object, ...]) -> list[str]:
    """Only the hub may reach PostgreSQL, and PostgreSQL lets only the hub in."""
    hub = {"matchLabels": {"app.kubernetes.io/name": "hub"}}
    found = []
    for policy in of_kind(objects, "NetworkPolicy"):
        spec = policy["spec"]
        for rule in spec.get("egress", []):
            ports = {port["port"] for port in rule.get("ports", [])}
            if 5432 in ports and spec["podSelector"] != hub:
                found.append(f"{name(policy)} opens the way to the database")
        if "postgres" in str(spec["podSelector"]):
            peers = [peer for rule in spec.get("ingress", [{}]) for peer in rule.get("from", [{}])]
            found += [
                f"{name(policy)} lets more than the hub in"
                for peer in peers
                if peer != {"podSelector": hub}
            ]
    return found


def schedulers_outrank_workers(objects: tuple[Object, ...]) -> list[str]:
    values = {each["metadata"]["name"]: each["value"] for each in of_kind(objects, "PriorityClass")}
    order = [values[f"fourlep-{each}"] for each in ("services", "schedulers", "servers", "workers")]
    return [] if order == sorted(order, reverse=True) else [f"priorities are out of order: {order}"]


POLICIES: tuple[Policy, ...] = (
    runs_as_nobody_special,
    is_confined,
    says_what_it_needs,
    is_probed,
    is_pinned,
    gets_no_token_in_vain,
    has_a_priority,
    may_do_what_is_listed,
    namespace_is_restricted,
    can_be_drained,
    holds_no_secret,
    starts_from_nothing_allowed,
    keeps_users_apart,
    leaves_the_database_to_the_hub,
    schedulers_outrank_workers,
)
