"""The rendered manifests, each overlay once."""

from __future__ import annotations

import functools
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
OVERLAYS = ("local", "production")

Object = dict[str, Any]


@functools.cache
def render(folder: Path) -> tuple[Object, ...]:
    """Objects that kustomize makes of a folder; skips where kubectl is absent."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is absent: install Debian's kubernetes-client, or kubectl")
    done = subprocess.run(
        ["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return tuple(each for each in yaml.load_all(done.stdout, loader) if each)


@pytest.fixture(scope="session", params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> tuple[Object, ...]:
    """Objects of one overlay after the other."""
    return render(REPOSITORY / "k8s" / "overlays" / request.param)


@pytest.fixture(scope="session")
def local() -> tuple[Object, ...]:
    """Objects of the overlay for one small node."""
    return render(REPOSITORY / "k8s" / "overlays" / "local")
