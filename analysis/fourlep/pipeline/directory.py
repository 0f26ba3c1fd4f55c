"""Whether a directory may be used as a run directory."""

from __future__ import annotations

import os
from pathlib import Path

from fourlep.errors import OutputError
from fourlep.execution.durable import output_error

#: What tells a run directory from any other.
_MARKS = ("ledger.sqlite", "run.json")


def prepare(directory: Path) -> None:
    """Make the run directory, or check that what is there is one.

    Raises
    ------
    OutputError
        If it cannot be made or written, or holds something else.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        names = {path.name for path in directory.iterdir()}
    except OSError as error:
        raise output_error(directory, error) from error
    if not os.access(directory, os.W_OK | os.X_OK):
        raise OutputError(
            f"{directory} cannot be written", remedy="choose another --output directory"
        )
    if names and names.isdisjoint(_MARKS):
        raise OutputError(
            f"{directory} is not empty and holds no run of fourlep",
            remedy="choose a new or empty --output directory",
        )
