"""Puts a release of local files behind the facility's own origin.

The cache keeps files by path and never asks whether they changed, so a release gets a folder
named after what is in it: a release that was made anew is served under new names.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from dataclasses import replace
from pathlib import Path

from fourlep.datasets.coffea_fileset import to_coffea
from fourlep.datasets.model import Dataset, Fileset
from fourlep.errors import DatasetError


def publish(fileset: Fileset, served: Path, address: str, target: Path) -> Fileset:
    """Serve the files of ``fileset`` and write it with their new addresses.

    Parameters
    ----------
    fileset
        All of whose files are local.
    served
        Folder that the origin serves; files are linked into it, or copied.
    address
        Of that folder at the origin, ``root://host:port//prefix``.
    target
        Where to write the fileset, in coffea's form.

    Returns
    -------
    Fileset
        With addresses at the origin.

    Raises
    ------
    DatasetError
        If a file is not local, or not there.
    """
    folder = _fingerprint(fileset)
    published = replace(
        fileset,
        datasets=tuple(
            _publish(dataset, served / folder, f"{address.rstrip('/')}/{folder}")
            for dataset in fileset.datasets
        ),
    )
    target.write_text(json.dumps(to_coffea(published), indent=1), encoding="utf-8")
    return published


def _publish(dataset: Dataset, served: Path, address: str) -> Dataset:
    files = []
    for file in dataset.files:
        place = served / dataset.name / Path(file.url).name
        if not place.exists():
            _link(Path(file.url), place)
        files.append(replace(file, url=f"{address}/{dataset.name}/{place.name}"))
    return replace(dataset, files=tuple(files))


def _link(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    for folder in (place.parent, place.parent.parent):
        folder.chmod(0o755)
    new = place.with_suffix(".new")
    new.unlink(missing_ok=True)
    try:
        if not source.stat().st_mode & stat.S_IROTH:
            raise PermissionError("a link would have the source's permissions")
        os.link(source, new)
    except OSError:  # also another file system, or one without links
        shutil.copyfile(source, new)
        new.chmod(0o644)
    new.replace(place)


def _fingerprint(fileset: Fileset) -> str:
    digest = hashlib.sha256()
    for dataset in fileset.datasets:
        for file in dataset.files:
            digest.update(
                f"{dataset.name}/{Path(file.url).name}:{_size_and_time(file.url)}".encode()
            )
    return digest.hexdigest()[:12]


def _size_and_time(url: str) -> str:
    if "://" in url:
        raise DatasetError(
            f"{url} is not a local file",
            remedy="name its server with --origin, or a directory with --release",
        )
    try:
        found = Path(url).stat()
    except OSError as error:
        raise DatasetError(f"{url} cannot be served: {error.strerror}") from error
    return f"{found.st_size}:{found.st_mtime_ns}"
