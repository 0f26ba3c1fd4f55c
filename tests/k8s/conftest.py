"""The rendered manifests, each overlay once."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
OVERLAYS = ("local", "production")
COMPONENTS = sorted(path.name for path in (REPOSITORY / "k8s" / "components").iterdir())

Object = dict[str, Any]


@functools.cache
def render(folder: Path) -> tuple[Object, ...]:
    """Objects that kustomize makes of a folder; skips where kubectl is absent."""
    if shutil.which("kubectl") is None:
        pytest.skip(
            "kubectl is absent: install it (kubernetes.io/docs/tasks/tools); Debian 12's "
            "kubernetes-client, 1.20, is too old for these manifests"
        )
    done = subprocess.run(
        ["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return tuple(each for each in yaml.load_all(done.stdout, loader) if each)


def left_over(overlay: str) -> list[str]:
    """Components that an overlay does not switch on by itself."""
    text = (REPOSITORY / "k8s" / "overlays" / overlay / "kustomization.yaml").read_text()
    return [each for each in COMPONENTS if f"components/{each}\n" not in text]


def assembled(overlay: str, components: Iterable[str]) -> tuple[Object, ...]:
    """Objects of an overlay, or of the base (""), with more components switched on."""
    chosen = sorted(components)
    folder = REPOSITORY / "build" / "tests" / "k8s" / "-".join(["with", overlay or "base", *chosen])
    folder.mkdir(parents=True, exist_ok=True)
    k8s = "../../../../k8s"
    kustomization = {
        "namespace": "fourlep",
        "resources": [f"{k8s}/overlays/{overlay}" if overlay else f"{k8s}/base"],
        "components": [f"{k8s}/components/{each}" for each in chosen],
    }
    # Whole at once: another process of the tests may be about to render the same folder.
    written = folder / f"written-by-{os.getpid()}"
    written.write_text(yaml.safe_dump(kustomization))
    written.replace(folder / "kustomization.yaml")
    return render(folder)


@pytest.fixture(
    scope="session",
    params=[*OVERLAYS, *(f"{overlay} with everything" for overlay in OVERLAYS)],
)
def overlay(request: pytest.FixtureRequest) -> tuple[Object, ...]:
    """Objects of one overlay after the other, as it is and with every component."""
    name, _, everything = request.param.partition(" ")
    if everything:
        return assembled(name, left_over(name))
    return render(REPOSITORY / "k8s" / "overlays" / name)


@pytest.fixture(scope="session")
def local() -> tuple[Object, ...]:
    """Objects of the overlay for one small node."""
    return render(REPOSITORY / "k8s" / "overlays" / "local")
