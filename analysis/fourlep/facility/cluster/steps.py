"""Applying, in an order in which it works; waiting; removing what is gone."""

from __future__ import annotations

import time
from collections.abc import Callable

from fourlep.errors import ClusterError
from fourlep.facility.cluster.kubectl import Kubectl, Object
from fourlep.facility.cluster.manifests import MARK, OF_THE_ADMINISTRATOR, of_kind, resource

Say = Callable[[str], None]

_ROLLOUT_S = 600
_SMOKE_S = 1860
_POLL_S = 3.0

#: Kinds that a deploy removes when an overlay no longer has them; no volume is among them.
_PRUNED = (
    "configmap",
    "service",
    "serviceaccount",
    "deployment.apps",
    "statefulset.apps",
    "daemonset.apps",
    "role.rbac.authorization.k8s.io",
    "rolebinding.rbac.authorization.k8s.io",
    "networkpolicy.networking.k8s.io",
    "ingress.networking.k8s.io",
    "poddisruptionbudget.policy",
    "resourcequota",
    "limitrange",
)
#: The home that the hub made for the smoke test's user.
_SMOKE_HOME = "hub.jupyter.org/username=smoke"
_PULL_FAILURES = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}


def apply(kubectl: Kubectl, objects: list[Object], say: Say) -> None:
    """Apply the namespace, then definitions, then the rest.

    Parameters
    ----------
    kubectl
        In the namespace of the deployment.
    objects
        Rendered manifests.
    say
        Called with one line after each step.

    Raises
    ------
    ClusterError
        If the cluster refuses something.
    """
    left = not_for_the_caller(kubectl, objects)
    if left:
        say(f"left to the cluster's administrator: {', '.join(sorted(left))}")
    objects = [each for each in objects if resource(each) not in left]
    first = ("Namespace", "PriorityClass", "CustomResourceDefinition")
    kubectl.apply(of_kind(objects, *first))
    definitions = of_kind(objects, "CustomResourceDefinition")
    if definitions:
        # Objects of a kind that is not established yet are refused.
        names = [f"crd/{each['metadata']['name']}" for each in definitions]
        kubectl.run("wait", "--for=condition=Established", "--timeout=60s", *names)
        say(f"{len(definitions)} definitions are established")
    rest = [each for each in objects if each["kind"] not in first]
    kubectl.apply(rest)
    say(f"{len(rest)} objects are applied")


def not_for_the_caller(kubectl: Kubectl, objects: list[Object]) -> set[str]:
    """Resources that only the cluster's administrator may write, here."""
    kinds = {resource(each) for each in of_kind(objects, *OF_THE_ADMINISTRATOR)}
    return {each for each in kinds if not kubectl.allows("patch", each)}


def wait(kubectl: Kubectl, objects: list[Object], say: Say) -> None:
    """Wait until every workload runs.

    Raises
    ------
    ClusterError
        With events and logs of what does not.
    """
    for workload in of_kind(objects, "StatefulSet", "Deployment", "DaemonSet"):
        name = f"{workload['kind'].lower()}/{workload['metadata']['name']}"
        try:
            kubectl.run(
                "rollout", "status", name, f"--timeout={_ROLLOUT_S}s", timeout_s=_ROLLOUT_S + 30
            )
        except ClusterError as error:
            raise ClusterError(
                f"{name} does not come up: {error.message}\n{explain(kubectl)}",
                remedy="mend what the events say and deploy again: it goes on from here",
            ) from error
        say(f"{name} runs")


def explain(kubectl: Kubectl) -> str:
    """Say why pods do not run: reasons, latest warnings, last lines of their logs."""
    lines = []
    for pod in kubectl.items("pods"):
        status, name = pod["status"], pod["metadata"]["name"]
        if all(each.get("ready") for each in status.get("containerStatuses", [{}])):
            continue
        if status.get("phase") == "Succeeded":
            continue
        reasons = _reasons(status)
        lines.append(f"{name}: {', '.join(sorted(reasons)) or status.get('phase', 'unknown')}")
        if reasons & _PULL_FAILURES:
            lines.append("  its image cannot be pulled: check REGISTRY and TAG, or load it")
        lines += [f"  | {line}" for line in _last_lines(kubectl, name)]
    warnings = kubectl.items("events", "--field-selector=type=Warning")[-8:]
    lines += [
        f"{each['involvedObject'].get('name', '')}: {each.get('message', '')}" for each in warnings
    ]
    return "\n".join(lines)


def _reasons(status: Object) -> set[str]:
    containers = status.get("initContainerStatuses", []) + status.get("containerStatuses", [])
    return {
        each["state"][state]["reason"]
        for each in containers
        for state in ("waiting", "terminated")
        if each.get("state", {}).get(state, {}).get("reason", "Completed") != "Completed"
    }


def _last_lines(kubectl: Kubectl, pod: str) -> list[str]:
    try:
        log = kubectl.run("logs", pod, "--all-containers", "--tail=8", "--prefix=false")
    except ClusterError:  # nothing has started: the events say why
        return []
    return log.splitlines()[-16:]


def prune(kubectl: Kubectl, objects: list[Object], say: Say) -> None:
    """Remove what an earlier deploy applied and the overlay no longer has."""
    kept = {(each["kind"], each["metadata"]["name"]) for each in objects}
    gone = _names(
        [each for each in _applied(kubectl) if (each["kind"], each["metadata"]["name"]) not in kept]
    )
    if gone:
        kubectl.run("delete", "--ignore-not-found", *gone)
        say(f"removed: {', '.join(gone)}")


def _applied(kubectl: Kubectl) -> list[Object]:
    return kubectl.items(",".join(_PRUNED), f"--selector={MARK[0]}={MARK[1]}")


def _names(objects: list[Object]) -> list[str]:
    return [f"{each['kind'].lower()}/{each['metadata']['name']}" for each in objects]


def smoke(kubectl: Kubectl, job: list[Object], say: Say) -> None:
    """Run the smoke test as a Job, and show its log.

    Raises
    ------
    ClusterError
        If it fails; its log says at which step.
    """
    kubectl.run("delete", "job", "smoke", "--ignore-not-found", "--wait=true")
    kubectl.apply(job)
    state = _job_end(kubectl)
    if state != "Complete":
        raise ClusterError(
            f"the smoke test failed\n{explain(kubectl)}",
            remedy=f"kubectl -n {kubectl.namespace} logs job/smoke has it all",
        )
    say(kubectl.run("logs", "job/smoke").rstrip())
    _clean_up_after_smoke(kubectl, job)


def _clean_up_after_smoke(kubectl: Kubectl, job: list[Object]) -> None:
    # What a failed one leaves is for whoever looks why.
    kubectl.run("delete", "--ignore-not-found", *_names(job))
    kubectl.run("delete", "persistentvolumeclaim", f"--selector={_SMOKE_HOME}", "--wait=false")


def _job_end(kubectl: Kubectl) -> str:
    deadline = time.monotonic() + _SMOKE_S
    while time.monotonic() < deadline:
        job = kubectl.find("job", "smoke") or {}
        for condition in job.get("status", {}).get("conditions", []):
            if condition["status"] == "True" and condition["type"] in {"Complete", "Failed"}:
                return str(condition["type"])
        time.sleep(_POLL_S)
    return "late"


def undeploy(kubectl: Kubectl, objects: list[Object], *, purge: bool, say: Say) -> None:
    """Remove the facility; users' volumes and the hub's database only with ``purge``.

    Running clusters and servers go too, and what was deployed from another overlay than that of
    ``objects``. Definitions and priority classes stay: another deployment may use them.
    """
    if purge:
        kubectl.run("delete", "namespace", kubectl.namespace, "--ignore-not-found", timeout_s=600)
        say(f"the namespace {kubectl.namespace} is gone, volumes and all")
        return
    kept = {"Namespace", "PersistentVolumeClaim", "CustomResourceDefinition", "PriorityClass"}
    left = not_for_the_caller(kubectl, objects)
    # Clusters first, while their controller lives to end them.
    clusters = "daskclusters.gateway.dask.org"
    if kubectl.run("api-resources", "--api-group=gateway.dask.org", "--output=name").strip():
        kubectl.run("delete", clusters, "--all", timeout_s=300)
    ours = [
        each
        for each in [*objects, *_applied(kubectl)]
        if each["kind"] not in kept and resource(each) not in left
    ]
    kubectl.run(
        "delete",
        "--ignore-not-found",
        *dict.fromkeys(_names(ours)),
        # What a smoke test that failed left behind.
        "job/smoke",
        "serviceaccount/smoke",
        timeout_s=300,
    )
    kubectl.run(
        "delete", "pod", "--selector=app.kubernetes.io/component=singleuser-server", timeout_s=300
    )
    say("the facility is gone; volumes and secrets are kept")
