"""Whether a directory may be used as a run directory."""

from __future__ import annotations

import json
import os
from pathlib import Path

from fourlep.datasets.coffea_fileset import to_coffea
from fourlep.datasets.model import Fileset
from fourlep.errors import OutputError
from fourlep.execution.durable import is_held, output_error, write_whole
from fourlep.execution.ledger import LOCK_NAME
from fourlep.execution.ledger_view import FILE_NAME as LEDGER
from fourlep.execution.ledger_view import holds_run

#: The fileset of the run, as it was begun.
FILESET = "fileset.json"

#: What tells a run directory from any other.
_MARKS = (LEDGER, "run.json", FILESET)


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


def keep_fileset(directory: Path, fileset: Fileset) -> None:
    """Write the fileset beside the run, so that `fourlep failed` knows what a file is worth.

    A run that was begun keeps what it was begun with, as does one that another client has just
    begun.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    if not (holds_run(directory) or is_held(directory / LOCK_NAME)):
        content = json.dumps(to_coffea(fileset, with_entries=True), indent=1)
        write_whole(directory / FILESET, f"{content}\n".encode())
