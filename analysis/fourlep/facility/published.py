"""Filesets that a facility publishes: made beside their files, read by address."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from fourlep.datasets.fileset import load_fileset
from fourlep.datasets.model import Fileset
from fourlep.facility.embedded.release import publish
from fourlep.synth.plan import Options

#: Name of the fileset beside the files that it lists.
FILE_NAME = "fileset.json"

_MAKING = ".making"

#: The release of a facility without data: enough for a peak and a fit. Rare processes with
#: many negative weights would need far more events to have a positive yield.
STAND_IN = Options(events=20_000, filler=2_000, processes=("ggF", "ZZ", "Zjets"))


def facility_fileset(name: str, processes: Collection[str] = ()) -> Fileset:
    """Load a facility's fileset.

    Parameters
    ----------
    name
        As `load_fileset` takes it, or the address of a fileset JSON (``root://``,
        ``http(s)://``).
    processes
        Only these; all when empty.

    Raises
    ------
    ReadError
        If the address cannot be read.
    DatasetError
        If there is no such fileset, or it is wrong.
    """
    if "://" not in name:
        return load_fileset(name, processes=processes)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / FILE_NAME
        copy.write_bytes(_read(name))
        return load_fileset(copy, processes=processes)


def _read(address: str) -> bytes:
    from fourlep.io.transport import open_source, read_range

    source = open_source(address)
    try:
        return read_range(source, 0, source.size)
    finally:
        source.close()


def publish_stand_in(directory: Path, address: str, events: int) -> Path:
    """Make a synthetic release in a folder that an origin serves, unless it is there.

    Parameters
    ----------
    directory
        Folder that is served.
    address
        Of that folder at the origin, ``root://host:port//prefix``.
    events
        Simulated events in all.

    Returns
    -------
    Path
        The fileset, with addresses at the origin. It appears last: where it is, the
        release is whole.
    """
    from fourlep.synth.release import make_release

    target = directory / FILE_NAME
    if target.exists():
        return target
    making = directory / _MAKING
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    fileset = make_release(making / "release", replace(STAND_IN, events=events), workers=2)
    unfinished = making / FILE_NAME
    publish(fileset, directory, address, unfinished)
    unfinished.rename(target)
    shutil.rmtree(making)
    return target
