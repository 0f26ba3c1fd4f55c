"""What software a result depends on: a run that goes on under another mixes two in one sum."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import metadata
from pathlib import Path

import fourlep
from fourlep.execution.matching import DECIDING

#: Parts of this package that decide a sum; what runs, draws and reports does not.
_PARTS = ("chunk", "corrections", "events", "exact.py", "io", "physics", "units.py")


def deciding_software() -> dict[str, str]:
    """Versions of the packages that decide a sum, and a digest of our own text that does.

    The text and not the version of fourlep alone: a selection that was edited is another one.
    """
    return {"text": digest(Path(fourlep.__file__).parent)} | {
        name: metadata.version(name) for name in DECIDING
    }


@cache
def digest(package: Path) -> str:
    """SHA-256 of the modules of the package in a folder that decide a sum."""
    found = hashlib.sha256()
    for part in _PARTS:
        place = package / part
        for path in [place] if place.suffix else sorted(place.rglob("*.py")):
            found.update(f"{path.relative_to(package)}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()
