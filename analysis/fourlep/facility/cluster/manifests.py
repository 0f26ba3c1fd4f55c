"""What an overlay makes, for a namespace, a registry and a tag."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from fourlep.errors import ConfigError
from fourlep.facility.cluster.kubectl import Kubectl, Object

#: Marks what a deploy applied, so that the next can remove what is gone.
MARK = ("app.kubernetes.io/managed-by", "fourlep-deploy")

#: Images of ours, by their names in the manifests.
IMAGES = ("analysis", "hub", "gateway", "xcache", "proxy", "traefik")

#: Kinds that the admin of a namespace may not write; the cluster's administrator may have.
OF_THE_ADMINISTRATOR = (
    "Namespace",
    "PriorityClass",
    "CustomResourceDefinition",
    "ResourceQuota",
    "LimitRange",
)


@dataclass(frozen=True, slots=True)
class Choices:
    """What to deploy, and where.

    Parameters
    ----------
    overlay
        Folder with a kustomization.
    namespace
        Where to.
    registry
        In front of ``fourlep/NAME``, "" for none.
    tag
        Of our images.
    storage_class
        For every volume, "" for what the overlay says.
    """

    overlay: Path
    namespace: str
    registry: str
    tag: str
    storage_class: str = ""


def find_overlay(name: str, repository: Path) -> Path:
    """Folder of the overlay ``name``: one of ours, or a path.

    Raises
    ------
    ConfigError
        If there is none.
    """
    ours = repository / "k8s" / "overlays"
    for folder in (ours / name, Path(name)):
        if (folder / "kustomization.yaml").is_file():
            return folder.resolve()
    known = ", ".join(sorted(path.name for path in ours.iterdir()))
    raise ConfigError(
        f"there is no overlay {name!r}",
        remedy=f"choose one of {known}, or the path of a folder with a kustomization.yaml",
    )


def render(kubectl: Kubectl, choices: Choices, earlier_images: Sequence[str] = ()) -> list[Object]:
    """Objects of the overlay, fitted to the choices.

    Parameters
    ----------
    kubectl
        In the namespace of the deployment.
    choices
        What to deploy, and where.
    earlier_images
        Of users' servers that run already: their clusters may go on using them.

    Raises
    ------
    ClusterError
        If kustomize refuses, with its words.
    """
    generated = []
    # An overlay may name another image, or ours by its digest.
    if user_image(_kustomize(kubectl, choices, {})).startswith("fourlep/analysis:"):
        image = f"FOURLEP_IMAGE={_prefix(choices)}/analysis:{choices.tag}"
        generated.append(_merged("fourlep-settings", image))
    if earlier_images:
        setting = f"FOURLEP_EARLIER_IMAGES={','.join(earlier_images)}"
        generated.append(_merged("gateway-settings", setting))
    patches: list[Object] = [
        _patch("Namespace", "/metadata/name", choices.namespace, operation="replace")
    ]
    if choices.storage_class:
        place = "/spec/volumeClaimTemplates/0/spec/storageClassName"
        patches += [
            _patch("StatefulSet", place, choices.storage_class),
            _patch("PersistentVolumeClaim", "/spec/storageClassName", choices.storage_class),
        ]
        setting = f"FOURLEP_HOME_STORAGE_CLASS={choices.storage_class}"
        generated.append(_merged("hub-settings", setting))
    return _kustomize(kubectl, choices, {"configMapGenerator": generated, "patches": patches})


def user_image(objects: list[Object]) -> str:
    """Image of users' servers and clusters in rendered manifests; "" where there is none."""
    settings = [each.get("data", {}) for each in of_kind(objects, "ConfigMap")]
    return next((each["FOURLEP_IMAGE"] for each in settings if "FOURLEP_IMAGE" in each), "")


def earlier_images(kubectl: Kubectl, objects: list[Object]) -> list[str]:
    """Images of users' servers that run now, other than the one in rendered manifests."""
    servers = kubectl.items("pods", "--selector=app.kubernetes.io/component=singleuser-server")
    there = {container["image"] for pod in servers for container in pod["spec"]["containers"]}
    return sorted(there - {user_image(objects)})


def render_job(kubectl: Kubectl, choices: Choices, folder: Path) -> list[Object]:
    """Objects of the smoke test in ``folder``, which runs in the users' own image."""
    image = user_image(render(kubectl, choices))
    objects = _kustomize(kubectl, replace(choices, overlay=folder), {})
    for job in of_kind(objects, "Job"):
        for container in job["spec"]["template"]["spec"]["containers"]:
            container["image"] = image
    return objects


def _kustomize(kubectl: Kubectl, choices: Choices, more: Object) -> list[Object]:
    images = [
        {
            "name": f"fourlep/{name}",
            "newName": f"{_prefix(choices)}/{name}",
            "newTag": choices.tag,
        }
        for name in IMAGES
    ]
    folder = Path(tempfile.mkdtemp(prefix="fourlep-deploy-")).resolve()
    wrapper = {
        # kustomize takes no absolute paths.
        "resources": [os.path.relpath(choices.overlay, folder)],
        "namespace": choices.namespace,
        "labels": [{"pairs": dict([MARK])}],
        "images": images,
        **more,
    }
    try:
        (folder / "kustomization.yaml").write_text(yaml.safe_dump(wrapper), encoding="utf-8")
        text = kubectl.run("kustomize", str(folder))
    finally:
        shutil.rmtree(folder)
    return [each for each in yaml.safe_load_all(text) if each]


def _prefix(choices: Choices) -> str:
    return f"{choices.registry}/fourlep" if choices.registry else "fourlep"


def _merged(name: str, literal: str) -> Object:
    return {"name": name, "behavior": "merge", "literals": [literal]}


def _patch(kind: str, path: str, value: str, operation: str = "add") -> Object:
    change = [{"op": operation, "path": path, "value": value}]
    return {"target": {"kind": kind}, "patch": yaml.safe_dump(change)}


def of_kind(objects: list[Object], *kinds: str) -> list[Object]:
    """Those of ``objects`` that are of one of the kinds."""
    return [each for each in objects if each["kind"] in kinds]


def resource(thing: Object) -> str:
    """Name of an object's kind as rights are given for it.

    Examples
    --------
    >>> resource({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"})
    'networkpolicies.networking.k8s.io'
    >>> resource({"apiVersion": "v1", "kind": "Service"})
    'services'
    """
    kind = thing["kind"].lower()
    plural = kind[:-1] + "ies" if kind.endswith("y") else kind + ("es" if kind[-1] in "sx" else "s")
    group = thing["apiVersion"].rpartition("/")[0]
    return f"{plural}.{group}" if group else plural
