"""What is looked at before anything is changed; each finding says what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from fourlep.errors import ClusterError
from fourlep.facility.cluster.images import check_images
from fourlep.facility.cluster.kubectl import Kubectl, Object, is_forbidden
from fourlep.facility.cluster.manifests import OF_THE_ADMINISTRATOR, of_kind, resource
from fourlep.facility.doctor.finding import Finding

#: Oldest Kubernetes that the manifests are valid in.
OLDEST_MINOR = 29

#: Network plug-ins that are known to enforce NetworkPolicies.
_ENFORCING = re.compile(r"calico|cilium|antrea|weave|kube-router|ovn")
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_UNITS = {
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}


def check(
    kubectl: Kubectl, objects: list[Object], *, ask_registries: bool = True
) -> Iterator[Finding]:
    """Look at the cluster with the eyes of ``objects``, which are to be applied.

    Parameters
    ----------
    kubectl
        In the namespace of the deployment.
    objects
        Rendered manifests.
    ask_registries
        Whether images that the nodes do not list are looked for in their registries.

    Yields
    ------
    Finding
        A "problem" is a reason not to deploy.
    """
    version = _version(kubectl)
    yield version
    if version.state == "problem":
        return
    looks: list[tuple[str, Callable[[], Iterable[Finding]]]] = [
        ("rights", lambda: [_rights(kubectl, objects)]),
        ("namespace", lambda: [_namespace(kubectl)]),
        ("definitions", lambda: _definitions(kubectl, objects)),
        ("storage", lambda: _storage(kubectl, objects)),
        ("room", lambda: [_room(kubectl, objects)]),
        ("network policies", lambda: [_policies(kubectl)]),
        ("images", lambda: check_images(kubectl, objects) if ask_registries else []),
    ]
    for subject, look in looks:
        try:
            yield from look()
        except ClusterError as error:
            if not is_forbidden(error):
                raise
            # Who may deploy into one namespace may not look at all of the cluster.
            yield Finding(
                subject,
                "note",
                f"not looked at: {error.message}",
                "it shows when it is deployed, or ask the cluster's administrator",
            )


def _version(kubectl: Kubectl) -> Finding:
    try:
        server = kubectl.run("get", "--raw", "/version")
    except ClusterError as error:
        return Finding(
            "cluster",
            "problem",
            f"does not answer: {error.message}",
            "choose it with `kubectl config use-context`, and log in",
        )
    minor = re.search(r'"minor":\s*"(\d+)', server)
    number = int(minor[1]) if minor else 0
    if number < OLDEST_MINOR:
        return Finding(
            "cluster",
            "problem",
            f"Kubernetes 1.{number} is too old",
            f"upgrade it to 1.{OLDEST_MINOR} or newer",
        )
    return Finding("cluster", "well", f"Kubernetes 1.{number}")


def _rights(kubectl: Kubectl, objects: list[Object]) -> Finding:
    wanted = {resource(each) for each in objects} | {"secrets", "jobs.batch"}
    may_not = {each for each in wanted if not kubectl.allows("create", each)}
    # What an administrator applied before needs no rights of the caller's.
    there = {
        resource(each)
        for each in of_kind(objects, *OF_THE_ADMINISTRATOR)
        if resource(each) in may_not and not _is_missing(kubectl, each)
    }
    missing = sorted(may_not - there)
    if missing:
        return Finding(
            "rights",
            "problem",
            f"you may not create {', '.join(missing)}",
            "ask the cluster's administrator for admin of the namespace with every right over "
            "gateway.dask.org and traefik.io in it, and to apply once what is above a namespace's "
            "admin: CRDs, priority classes, the namespace and its quotas (docs: run the facility)",
        )
    if there:
        return Finding("rights", "well", f"you may create all but {', '.join(sorted(there))}")
    return Finding("rights", "well", "you may create everything that is needed")


def _is_missing(kubectl: Kubectl, thing: Object) -> bool:
    try:
        return kubectl.find(resource(thing), thing["metadata"]["name"]) is None
    except ClusterError as error:
        if not is_forbidden(error):
            raise
        return False  # not for the caller to see


def _namespace(kubectl: Kubectl) -> Finding:
    found = kubectl.find("namespace", kubectl.namespace)
    if found is None:
        return Finding("namespace", "note", f"{kubectl.namespace} will be made")
    if found.get("status", {}).get("phase") == "Terminating":
        return Finding(
            "namespace",
            "problem",
            f"{kubectl.namespace} is being deleted",
            "wait until it is gone; what holds it up is in its status.conditions "
            f"(kubectl get namespace {kubectl.namespace} -o yaml)",
        )
    return Finding("namespace", "well", f"{kubectl.namespace} is there")


def _definitions(kubectl: Kubectl, objects: list[Object]) -> Iterator[Finding]:
    ours = {each["spec"]["group"] for each in of_kind(objects, "CustomResourceDefinition")}
    groups = {each["apiVersion"].rpartition("/")[0] for each in objects}
    for group in sorted(groups - ours):
        # Kubernetes' own groups have no dot, or end so.
        if "." not in group or group.endswith(".k8s.io"):
            continue
        if kubectl.run("api-resources", f"--api-group={group}", "--output=name").strip():
            yield Finding("definitions", "well", f"{group} is there")
        else:
            yield Finding(
                "definitions",
                "problem",
                f"the cluster knows nothing of {group}",
                "install what defines it (the Prometheus operator for monitoring.coreos.com), "
                "or leave the component out of the overlay",
            )


def _storage(kubectl: Kubectl, objects: list[Object]) -> Iterator[Finding]:
    classes = kubectl.items("storageclass")
    names = {each["metadata"]["name"] for each in classes}
    default = {
        each["metadata"]["name"]
        for each in classes
        if each["metadata"].get("annotations", {}).get(_DEFAULT_CLASS) == "true"
    }
    choices = f"there are: {', '.join(sorted(names)) or 'none'}"
    for wanted in sorted(_wanted_classes(objects)):
        if wanted and wanted not in names:
            yield Finding(
                "storage",
                "problem",
                f"there is no storage class {wanted!r}",
                f"choose one with STORAGE_CLASS=...; {choices}",
            )
        elif not wanted and not default:
            yield Finding(
                "storage",
                "problem",
                "there is no default storage class, and the overlay names none",
                f"choose one with STORAGE_CLASS=...; {choices}",
            )
        else:
            yield Finding("storage", "well", f"storage class {wanted or min(default)}")


def _wanted_classes(objects: list[Object]) -> set[str]:
    claims = of_kind(objects, "PersistentVolumeClaim")
    for caches in of_kind(objects, "StatefulSet"):
        claims += caches["spec"].get("volumeClaimTemplates", [])
    return {claim["spec"].get("storageClassName", "") for claim in claims}


def _room(kubectl: Kubectl, objects: list[Object]) -> Finding:
    wanted = {"cpu": 0.0, "memory": 0.0}
    for workload in of_kind(objects, "Deployment", "StatefulSet"):
        for container in workload["spec"]["template"]["spec"]["containers"]:
            # An operator's own part may say nothing of either.
            requests = container.get("resources", {}).get("requests", {})
            for each in wanted:
                amount = quantity(str(requests.get(each, "0")))
                wanted[each] += amount * workload["spec"].get("replicas", 1)
    nodes = kubectl.items("nodes")
    there = {
        each: sum(quantity(node["status"]["allocatable"][each]) for node in nodes)
        for each in wanted
    }
    told = (
        f"{wanted['cpu']:.1f} of {there['cpu']:g} cores and {wanted['memory'] / 2**30:.1f} of "
        f"{there['memory'] / 2**30:.0f} GiB are asked for, before users come"
    )
    if any(wanted[each] > there[each] for each in wanted):
        return Finding("room", "problem", told, "add a node, or lower the requests in an overlay")
    return Finding("room", "well", told)


def quantity(text: str) -> float:
    """Value of a Kubernetes quantity.

    Examples
    --------
    >>> quantity("250m"), quantity("2Gi"), quantity("2G"), quantity("4")
    (0.25, 2147483648.0, 2000000000.0, 4.0)
    """
    number = text.rstrip("KMGTimk")
    unit = text[len(number) :]
    return float(number) * _UNITS.get(unit, 1.0)


def _policies(kubectl: Kubectl) -> Finding:
    programs = kubectl.items("daemonsets", "--all-namespaces")
    names = " ".join(each["metadata"]["name"] for each in programs)
    if _ENFORCING.search(names):
        return Finding("network policies", "well", "the network plug-in enforces them")
    return Finding(
        "network policies",
        "note",
        "no plug-in is known here to enforce them: users' pods may reach each other",
        "use a plug-in that does (Calico, Cilium) where users do not trust each other",
    )
