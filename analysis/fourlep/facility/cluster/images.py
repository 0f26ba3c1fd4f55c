"""Whether the nodes have, or can pull, the images of a deployment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fourlep.facility.cluster.kubectl import Kubectl, Object
from fourlep.facility.cluster.manifests import of_kind
from fourlep.facility.cluster.registry import Answer, Reference, ask
from fourlep.facility.doctor.finding import Finding

_PUSH = (
    "push them (make images push REGISTRY=... TAG=...), or load them into the nodes and say so: "
    "LOADED=yes"
)
_LOGIN = (
    "give the namespace's service accounts a pull secret (kubectl create secret docker-registry; "
    "docs: run the facility), unless the nodes themselves log in"
)


def check_images(kubectl: Kubectl, objects: list[Object]) -> Iterator[Finding]:
    """Look for the images on the nodes, then in their registries.

    Parameters
    ----------
    kubectl
        In the namespace of the deployment.
    objects
        Rendered manifests.

    Yields
    ------
    Finding
        A "problem" where a registry answers that it does not have an image. One that wants a
        login, or does not answer here, may well serve the nodes: that is a "note".
    """
    wanted = {Reference.parse(image) for image in _wanted(objects)}
    there = _on_every_node(kubectl)
    missing = {each for each in wanted if str(each) not in there}
    if wanted and not missing:
        yield Finding("images", "well", f"all {len(wanted)} are on every node")
    by_registry: defaultdict[str, list[Reference]] = defaultdict(list)
    for reference in sorted(missing, key=str):
        by_registry[reference.registry].append(reference)
    for registry, references in by_registry.items():
        yield _ask(registry, references)


def _wanted(objects: list[Object]) -> set[str]:
    return {
        container["image"]
        for workload in of_kind(objects, "Deployment", "StatefulSet", "DaemonSet", "Job")
        for pod in [workload["spec"]["template"]["spec"]]
        for container in [*pod.get("initContainers", []), *pod["containers"]]
    }


def _on_every_node(kubectl: Kubectl) -> set[str]:
    each_node = [
        {name for image in node["status"].get("images", []) for name in image.get("names") or []}
        for node in kubectl.items("nodes")
    ]
    return set.intersection(*each_node) if each_node else set()


def _ask(registry: str, references: list[Reference]) -> Finding:
    answers: dict[Answer, list[str]] = {"absent": [], "refused": []}
    for reference in references:
        answer = ask(reference)
        if answer == "unreachable":
            return Finding(
                "images",
                "note",
                f"{registry} does not answer from here; the nodes may reach it, or have the images",
                "where they do neither, " + _PUSH,
            )
        answers.setdefault(answer, []).append(f"{reference.name}:{reference.version}")
    if answers["absent"]:
        told = f"{registry} has no {', '.join(answers['absent'])}"
        return Finding("images", "problem", told, _PUSH)
    if answers["refused"]:
        told = f"{registry} wants a login for {', '.join(answers['refused'])}"
        return Finding("images", "note", told, _LOGIN)
    return Finding("images", "well", f"{registry} has {len(references)}")
