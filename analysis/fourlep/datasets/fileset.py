"""Filesets by name, from coffea's JSON, or from a stand-in's directory.

==============================================  =========================================
``load_fileset("release2024-hzz4l")``           data in the good-run list and 24 samples
``load_fileset("mine.json")``                   coffea's fileset JSON
``load_fileset("stand-in/")``                   a directory that ``fourlep synth`` made
``load_fileset(..., processes=("data",))``      some of it
==============================================  =========================================
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path, PurePath, PurePosixPath
from urllib.parse import urlsplit

import numpy as np

from fourlep.datasets import amendment
from fourlep.datasets.catalogue import FILE_NAME, Catalogue, read_catalogue
from fourlep.datasets.coffea_fileset import from_coffea
from fourlep.datasets.model import Fileset, Role, SourceFile
from fourlep.errors import DatasetError


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A fileset that comes with the package.

    Parameters
    ----------
    catalogue
        Which catalogue it is a part of.
    roles
        Datasets of these roles.
    skips_bad_runs
        Whether data files of runs outside the good-run list are left out; luminosity
        blocks are filtered in any case.
    description
        One line for people.
    """

    catalogue: str
    roles: tuple[Role, ...]
    skips_bad_runs: bool
    description: str


#: What can be run by name.
BUILT_IN = {
    "release2024": BuiltIn(
        "release2024",
        ("data", "signal", "background", "other"),
        skips_bad_runs=False,
        description="the whole 2024 research release, every file",
    ),
    "release2024-hzz4l": BuiltIn(
        "release2024",
        ("data", "signal", "background"),
        skips_bad_runs=True,
        description="data in the good-run list and the samples of ATLAS's four-lepton example",
    ),
    "release2024-signal": BuiltIn(
        "release2024",
        ("signal",),
        skips_bad_runs=True,
        description="the Higgs boson samples of the four-lepton example",
    ),
    "demo2020": BuiltIn(
        "demo2020",
        ("data", "signal", "background"),
        skips_bad_runs=True,
        description="the four-lepton ntuples of the 2020 release, 10 /fb",
    ),
}

#: What every ROOT file begins with.
_ROOT = b"root"

_URL = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]*://")


def load_fileset(
    source: str | Path,
    *,
    data_dir: Path | None = None,
    processes: Collection[str] = (),
    without_corrections: Collection[str] = (),
    with_corrections: Collection[str] = (),
    luminosity_ifb: float | None = None,
) -> Fileset:
    """The fileset that ``source`` names.

    Parameters
    ----------
    source
        A name in `BUILT_IN`, a JSON file in coffea's form, or a directory with the
        catalogue of a stand-in release.
    data_dir
        Take every file from this directory, by its name, instead of from its URL.
    processes
        Only datasets of these processes; all when empty.
    without_corrections, with_corrections
        Corrections of published numbers (`Amendment` ids) to leave out, or to apply
        although they are not a default.
    luminosity_ifb
        Scale simulation to this luminosity (1/fb) instead of the fileset's own.

    Raises
    ------
    DatasetError
        If there is no such fileset, or it is wrong or incomplete.
    """
    fileset = _load(source, without_corrections, with_corrections)
    if processes:
        fileset = _only(fileset, processes)
    if data_dir is not None:
        fileset = _taken_from(fileset, data_dir)
    if luminosity_ifb is not None:
        fileset = with_luminosity(fileset, luminosity_ifb)
    _refuse_unwritable(fileset)
    return fileset


def _load(source: str | Path, without: Collection[str], with_: Collection[str]) -> Fileset:
    if isinstance(source, str) and source in BUILT_IN:
        return built_in(source, without=without, with_=with_)
    path = Path(source)
    if path.is_dir():
        catalogue = read_catalogue(path)
        applied = amendment.chosen(catalogue.amendments, without=without, with_=with_)
        return catalogue.fileset(applied)
    if not path.is_file():
        raise DatasetError(
            f"no fileset {str(source)!r}",
            remedy=f"name one of {', '.join(BUILT_IN)}, a fileset JSON, "
            f"or a directory with {FILE_NAME}; on the command line also synthetic",
        )
    amendment.chosen((), without=without, with_=with_)
    return _located(from_coffea(read_json(path), path.stem))


def read_json(path: Path) -> object:
    """Decoded JSON of a fileset file, refusing a key that stands twice.

    Raises
    ------
    DatasetError
        If it cannot be read, is no JSON or a ROOT file, or names a dataset, a file or a
        key twice.
    """

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        seen: dict[str, object] = {}
        for key, value in pairs:
            if key in seen:
                raise DatasetError(
                    f"{path}: {key!r} stands twice", remedy="keep each dataset and file once"
                )
            seen[key] = value
        return seen

    try:
        with path.open("rb") as file:
            if file.read(len(_ROOT)) == _ROOT:
                raise _root_file(path)
        decoded: object = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=unique)
    except (OSError, ValueError, RecursionError) as error:
        raise DatasetError(
            f"fileset {path} cannot be read: {error}",
            remedy="give a fileset in coffea's JSON form",
        ) from error
    return decoded


def _root_file(path: Path) -> DatasetError:
    return DatasetError(
        f"{path} is a ROOT file, not a fileset",
        remedy=f'write {{"mine": {{"files": {{"{path}": ""}}, "metadata": {{"process": "data"}}}}}}'
        " into a JSON file and give that; `fourlep show` tells what a file holds",
    )


def built_in(name: str, *, without: Collection[str] = (), with_: Collection[str] = ()) -> Fileset:
    """One of the filesets of `BUILT_IN`; ``without`` and ``with_`` choose amendments."""
    definition = BUILT_IN[name]
    catalogue = read_catalogue(definition.catalogue)
    applied = amendment.chosen(catalogue.amendments, without=without, with_=with_)
    keep = catalogue.is_good_run() if definition.skips_bad_runs else None
    datasets = catalogue.datasets(roles=definition.roles, keep=keep, amendments=applied)
    notes = [*catalogue.notes]
    has_data = "data" in definition.roles
    if has_data and catalogue.good_runs is not None:
        notes.append(_good_run_note(catalogue, skips=definition.skips_bad_runs))
    notes += [line for d in datasets if d.normalisation for line in d.normalisation.corrections]
    return Fileset(
        name=name,
        datasets=datasets,
        luminosity_ifb=catalogue.luminosity_ifb,
        luminosity_source=catalogue.luminosity_source,
        good_runs=catalogue.good_runs if has_data else None,
        notes=tuple(notes),
        metadata=catalogue.metadata,
    )


def _good_run_note(catalogue: Catalogue, *, skips: bool) -> str:
    bad = ~catalogue.is_good_run()
    n_runs = len(np.unique(catalogue.files.run[bad]))
    action = "skipped" if skips else "read, and every event of them dropped"
    return f"{int(bad.sum()):,} data files of {n_runs} runs outside the good-run list: {action}"


def _only(fileset: Fileset, processes: Collection[str]) -> Fileset:
    known = tuple(dict.fromkeys(dataset.process for dataset in fileset.datasets))
    unknown = [name for name in processes if name not in known]
    if unknown:
        raise DatasetError(
            f"fileset {fileset.name!r} has no process {', '.join(map(repr, unknown))}",
            remedy=f"it has {', '.join(known[:30])}",
        )
    return replace(
        fileset,
        datasets=tuple(d for d in fileset.datasets if d.process in processes),
        notes=(*fileset.notes, f"only the processes {', '.join(sorted(processes))}"),
    )


def _taken_from(fileset: Fileset, directory: Path) -> Fileset:
    """The fileset with its files in ``directory``, by name, in any folder below it."""
    if not directory.is_dir():
        raise DatasetError(
            f"{directory} is no directory", remedy="give the directory that has the files"
        )
    here: dict[str, list[Path]] = {}
    for path in _files_below(directory):
        here.setdefault(path.name, []).append(path)
    files = [file for dataset in fileset.datasets for file in dataset.files]
    missing = [name for file in files if (name := _path(file).name) not in here]
    if missing:
        raise DatasetError(
            f"{len(missing)} of {fileset.n_files} files of {fileset.name!r} are not in"
            f" {directory}, {missing[0]} among them",
            remedy="add the files, or choose the processes whose files are there",
        )
    taken = {file.url: _nearest(_path(file), here[_path(file).name]) for file in files}
    _refuse_shared(fileset.name, taken)
    return _with_files(fileset, lambda file: replace(file, url=str(taken[file.url].absolute())))


def _files_below(directory: Path) -> Iterator[Path]:
    """Every file in a folder and those below it; links are followed, each folder once."""
    seen: set[str] = set()
    for folder, folders, names in os.walk(directory, followlinks=True):
        place = os.path.realpath(folder)
        if place in seen:
            folders.clear()
            continue
        seen.add(place)
        folders.sort()
        yield from (path for name in sorted(names) if (path := Path(folder, name)).is_file())


def _path(file: SourceFile) -> PurePosixPath:
    """Path of a file where it is from, without what a server is told behind it."""
    is_url = _URL.match(file.url)
    return PurePosixPath(urlsplit(file.url, allow_fragments=False).path if is_url else file.url)


def _nearest(wanted: PurePosixPath, found: Sequence[Path]) -> Path:
    """Of files with the name of ``wanted`` the one in the most folders of its."""
    distinct = {path.resolve(): path for path in found}
    depths = {path: _common_folders(wanted, path) for path in distinct.values()}
    nearest = [path for path, depth in depths.items() if depth == max(depths.values())]
    if len(nearest) > 1:
        raise DatasetError(
            f"{wanted.name} is in several folders: {nearest[0]} and {nearest[1]}",
            remedy="give the folder that has the one that is meant",
        )
    return nearest[0]


def _common_folders(one: PurePath, other: PurePath) -> int:
    """How many parts of two paths are the same, counted from the end."""
    pairs = zip(reversed(one.parts), reversed(other.parts), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _refuse_shared(name: str, taken: Mapping[str, Path]) -> None:
    """Refuse a file that stands for several of a fileset."""
    first: dict[Path, str] = {}
    for url, path in taken.items():
        other = first.setdefault(path, url)
        if other != url:
            raise DatasetError(
                f"fileset {name!r} has {other} and {url}, and only {path} is there for both",
                remedy="keep them in folders of the names that they come from",
            )


def _refuse_unwritable(fileset: Fileset) -> None:
    """Refuse names that no ledger and no report can hold."""
    for dataset in fileset.datasets:
        for name in (dataset.name, dataset.process, *(file.url for file in dataset.files)):
            if not _is_text(name):
                raise DatasetError(
                    f"fileset {fileset.name!r}: the name {name!a} is no UTF-8",
                    remedy="rename it, or make a link to it that has another name",
                )


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _located(fileset: Fileset) -> Fileset:
    """The fileset with absolute paths: workers need not share the working directory."""

    def absolute(file: SourceFile) -> SourceFile:
        is_path = not _URL.match(file.url)
        return replace(file, url=str(Path(file.url).absolute())) if is_path else file

    return _with_files(fileset, absolute)


def _with_files(fileset: Fileset, change: Callable[[SourceFile], SourceFile]) -> Fileset:
    datasets = tuple(
        replace(dataset, files=tuple(change(file) for file in dataset.files))
        for dataset in fileset.datasets
    )
    return replace(fileset, datasets=datasets)


def with_luminosity(fileset: Fileset, luminosity_ifb: float) -> Fileset:
    """The fileset scaled to another integrated luminosity (1/fb).

    Raises
    ------
    DatasetError
        If it is not a positive number.
    """
    if not (math.isfinite(luminosity_ifb) and luminosity_ifb > 0.0):
        raise DatasetError(
            f"a luminosity of {luminosity_ifb:g} /fb is impossible",
            remedy="give a positive number in inverse femtobarn",
        )
    return replace(fileset, luminosity_ifb=luminosity_ifb, luminosity_source="chosen by the user")
