"""The embedded default: a synthetic release, made once and kept in the cache directory."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from fourlep.config.environment import cache_dir
from fourlep.datasets.catalogue import FILE_NAME
from fourlep.synth import Options, make_release

#: The name under which commands take it.
EMBEDDED = "synthetic"

#: What is made: enough simulation for a fit, in half a minute on two cores.
_RECIPE = Options(seed=125, events=160_000)

#: Raise when `fourlep.synth` writes something else for the same recipe.
_VERSION = 1


def embedded_release(
    *,
    tell: Callable[[str], None] = lambda _: None,
    progress: Callable[[int, int, str], None] | None = None,
) -> Path:
    """Directory of the embedded release; made where it is absent.

    Parameters
    ----------
    tell
        Told, once, that it is being made.
    progress
        Told after each file how many of all are written, and its name.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    recipe = json.dumps([_VERSION, dataclasses.asdict(_RECIPE)], sort_keys=True, default=str)
    digest = hashlib.sha256(recipe.encode()).hexdigest()
    directory = cache_dir() / f"synthetic-{digest[:12]}"
    if not (directory / FILE_NAME).is_file():
        tell(f"making the synthetic release, once, in {directory}")
        make_release(directory, _RECIPE, progress=progress)
    return directory
