"""A catalogue: every dataset and file there is, with what each number is from.

The 2024 release's is package data, ``demo2020``'s too; a stand-in release carries its own
beside its files. All have one form: a Parquet table of files whose header lists the
datasets (`fourlep.datasets.catalogue_format`).

==================================  ====================================================
``read_catalogue()``                the 2024 release
``read_catalogue("demo2020")``      the four-lepton skim of the 2020 release
``read_catalogue(directory)``       the one of a stand-in release
``write_catalogue(dir, fileset)``   make the last kind; the mark that a release is whole
==================================  ====================================================
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fourlep.datasets.amendment import Amendment
from fourlep.datasets.good_runs import GoodRuns
from fourlep.datasets.model import Dataset, Fileset, Normalisation, Role, SourceFile
from fourlep.errors import DatasetError

#: Name of the catalogue in a stand-in's directory.
FILE_NAME = "catalogue.parquet"

#: Catalogues that come with the package.
BUILT_IN = ("release2024", "demo2020")

_UNKNOWN = -1
_ABSOLUTE = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.-]*://|/)")


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """What a catalogue says of one dataset.

    Parameters
    ----------
    name, process, role, dsid, normalisation, is_synthetic
        As in `Dataset`; the normalisation as published.
    template
        URL of a file, with ``{task}``, ``{number}`` or ``{path}``; a relative one is
        relative to the catalogue.
    tree
        Tree in each file, "" to find it out.
    title, generator, official_name
        For people; the official name carries the production tags.
    sources
        Where the files and the numbers are from, as keys of `Catalogue.sources`.
    """

    name: str
    process: str
    role: Role
    dsid: int | None = None
    normalisation: Normalisation | None = None
    is_synthetic: bool = False
    template: str = "{path}"
    tree: str = ""
    title: str = ""
    generator: str = ""
    official_name: str = ""
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class FileTable:
    """Files of a catalogue in columns, (n_files,) each; -1 or "" where unknown.

    Parameters
    ----------
    dataset
        Index of the entry.
    run, task, number
        Run of a data file; task and number in the file's name.
    n_events, n_bytes, adler32
        What the release says.
    path
        Path of files that have no task and number.
    """

    dataset: npt.NDArray[np.int16]
    run: npt.NDArray[np.int32]
    task: npt.NDArray[np.int32]
    number: npt.NDArray[np.int32]
    n_events: npt.NDArray[np.int64]
    n_bytes: npt.NDArray[np.int64]
    adler32: npt.NDArray[np.int64]
    path: npt.NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.dataset)


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """Datasets and files of one release.

    Parameters
    ----------
    name
        Of the release.
    entries, files
        What there is.
    luminosity_ifb, luminosity_source
        Integrated luminosity (1/fb) of the data, after the good-run list if there is one.
    good_runs
        Good-run list of the data.
    amendments
        Known mistakes in the published numbers.
    records
        Files, events and bytes by record of the release, where it states them; 0 for
        what it does not state.
    sources
        Where things are from, by key.
    notes, metadata
        As in `Fileset`.
    """

    name: str
    entries: tuple[CatalogueEntry, ...]
    files: FileTable
    luminosity_ifb: float
    luminosity_source: str
    good_runs: GoodRuns | None = None
    amendments: tuple[Amendment, ...] = ()
    records: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)

    def is_good_run(self) -> npt.NDArray[np.bool_]:
        """The mask of files that the good-run list does not rule out, (n_files,).

        Files without a run number, simulation among them, are always kept.
        """
        if self.good_runs is None:
            return np.ones(len(self.files), dtype=np.bool_)
        good = np.fromiter(self.good_runs.blocks, dtype=np.int64)
        kept: npt.NDArray[np.bool_] = np.isin(self.files.run, good)
        kept |= self.files.run == _UNKNOWN
        return kept

    def datasets(
        self,
        *,
        roles: Collection[Role] = ("data", "signal", "background", "other"),
        keep: npt.NDArray[np.bool_] | None = None,
        amendments: Collection[Amendment] = (),
    ) -> tuple[Dataset, ...]:
        """The datasets of some roles, with their files.

        Parameters
        ----------
        roles
            Which to take.
        keep : (n_files,) booleans
            Files to list, all by default.
        amendments
            Corrections to apply to the published numbers.
        """
        chosen = np.ones(len(self.files), dtype=np.bool_) if keep is None else keep
        return tuple(
            Dataset(
                name=entry.name,
                process=entry.process,
                role=entry.role,
                files=self._files_of(index, entry, chosen),
                normalisation=_amended(entry, amendments),
                dsid=entry.dsid,
                is_synthetic=entry.is_synthetic,
            )
            for index, entry in enumerate(self.entries)
            if entry.role in roles
        )

    def _files_of(
        self, index: int, entry: CatalogueEntry, keep: npt.NDArray[np.bool_]
    ) -> tuple[SourceFile, ...]:
        files = self.files
        rows = np.flatnonzero((files.dataset == index) & keep)
        columns = (files.run, files.task, files.number, files.n_events, files.n_bytes)
        return tuple(
            SourceFile(
                url=entry.template.format(task=task, number=number, path=path),
                tree=entry.tree,
                n_events=None if n_events == _UNKNOWN else n_events,
                n_bytes=None if n_bytes == _UNKNOWN else n_bytes,
                adler32=None if adler32 == _UNKNOWN else f"{adler32:08x}",
                run=None if run == _UNKNOWN else run,
            )
            for run, task, number, n_events, n_bytes, adler32, path in zip(
                *(column[rows].tolist() for column in (*columns, files.adler32, files.path)),
                strict=True,
            )
        )

    def fileset(self, amendments: Collection[Amendment] = ()) -> Fileset:
        """Everything in the catalogue as a fileset, with ``amendments`` applied."""
        return Fileset(
            name=self.name,
            datasets=self.datasets(amendments=amendments),
            luminosity_ifb=self.luminosity_ifb,
            luminosity_source=self.luminosity_source,
            good_runs=self.good_runs,
            notes=self.notes,
            metadata=self.metadata,
        )


def _amended(entry: CatalogueEntry, amendments: Collection[Amendment]) -> Normalisation | None:
    normalisation = entry.normalisation
    for amendment in amendments:
        if normalisation is not None and amendment.dsid == entry.dsid:
            normalisation = amendment.applied(normalisation)
    return normalisation


def catalogue_of(fileset: Fileset) -> Catalogue:
    """The catalogue that lists exactly what a fileset does, URLs as they are."""
    listed = [(i, file) for i, dataset in enumerate(fileset.datasets) for file in dataset.files]
    return Catalogue(
        name=fileset.name,
        entries=tuple(
            CatalogueEntry(
                name=dataset.name,
                process=dataset.process,
                role=dataset.role,
                dsid=dataset.dsid,
                normalisation=dataset.normalisation,
                is_synthetic=dataset.is_synthetic,
                tree=_common_tree(dataset),
            )
            for dataset in fileset.datasets
        ),
        files=file_table([(index, file) for index, file in listed]),
        luminosity_ifb=fileset.luminosity_ifb,
        luminosity_source=fileset.luminosity_source,
        good_runs=fileset.good_runs,
        notes=fileset.notes,
        metadata=fileset.metadata,
    )


def _common_tree(dataset: Dataset) -> str:
    trees = {file.tree for file in dataset.files}
    if len(trees) > 1:
        raise DatasetError(
            f"dataset {dataset.name!r} has files with different trees: {', '.join(sorted(trees))}",
            remedy="make a dataset of each",
        )
    return trees.pop() if trees else ""


def file_table(listed: Collection[tuple[int, SourceFile]]) -> FileTable:
    """Files, each with the index of its entry, as columns; the URL becomes the path."""
    files = [file for _, file in listed]
    size = len(files)
    return FileTable(
        dataset=np.array([index for index, _ in listed], dtype=np.int16),
        run=np.array([_known(file.run) for file in files], dtype=np.int32),
        task=np.full(size, _UNKNOWN, dtype=np.int32),
        number=np.full(size, _UNKNOWN, dtype=np.int32),
        n_events=np.array([_known(file.n_events) for file in files], dtype=np.int64),
        n_bytes=np.array([_known(file.n_bytes) for file in files], dtype=np.int64),
        adler32=np.array(
            [_UNKNOWN if file.adler32 is None else int(file.adler32, 16) for file in files],
            dtype=np.int64,
        ),
        path=np.array([file.url for file in files], dtype=np.object_),
    )


def _known(value: int | None) -> int:
    return _UNKNOWN if value is None else value


def read_catalogue(where: str | Path | None = None) -> Catalogue:
    """Read a catalogue.

    Parameters
    ----------
    where
        None for the 2024 release, the name of a built-in one, a directory that has
        ``catalogue.parquet``, or such a file.

    Raises
    ------
    DatasetError
        If there is none, or it is damaged.
    """
    from fourlep.datasets.catalogue_format import read_parquet

    if where is None:
        where = BUILT_IN[0]
    if isinstance(where, str) and where in BUILT_IN:
        return read_parquet(Path(__file__).with_name("data") / f"{where}.parquet")
    path = Path(where)
    if path.is_dir():
        path /= FILE_NAME
    if not path.is_file():
        raise DatasetError(
            f"no catalogue at {path}",
            remedy="give a directory that 'fourlep synth' completed; an interrupted one has none",
        )
    return _located(read_parquet(path), path.parent)


def _located(catalogue: Catalogue, directory: Path) -> Catalogue:
    """The catalogue with relative templates made absolute below its directory."""
    escaped = str(directory.absolute()).replace("{", "{{").replace("}", "}}")

    def place(template: str) -> str:
        return template if _ABSOLUTE.match(template) else f"{escaped}/{template}"

    return replace(
        catalogue,
        entries=tuple(
            replace(entry, template=place(entry.template)) for entry in catalogue.entries
        ),
    )


def write_catalogue(directory: Path, fileset: Fileset) -> Path:
    """Write the catalogue of files below ``directory``, with relative paths, atomically.

    Written last, it marks a stand-in release as complete; the directory can be moved.

    Returns
    -------
    The path of the catalogue.

    Raises
    ------
    DatasetError
        If a file of the fileset is not below ``directory``, or is not there.
    """
    from fourlep.datasets.catalogue_format import write_parquet

    root = directory.absolute()
    datasets = tuple(
        replace(dataset, files=tuple(_relative(file, root) for file in dataset.files))
        for dataset in fileset.datasets
    )
    path = root / FILE_NAME
    write_parquet(path, catalogue_of(replace(fileset, datasets=datasets)))
    return path


def _relative(file: SourceFile, root: Path) -> SourceFile:
    path = Path(file.url)
    path = path if path.is_absolute() else Path.cwd() / path
    if not path.is_relative_to(root) or not path.is_file():
        raise DatasetError(
            f"{file.url} is no file below {root}",
            remedy="a catalogue lists files of its own directory: write them first",
        )
    return replace(file, url=path.relative_to(root).as_posix())
