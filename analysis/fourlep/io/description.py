"""What a file holds, without reading its events: for ``fourlep show``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fourlep.events import COLUMNS, is_trigger_column
from fourlep.io.branches import FORMATS
from fourlep.io.uproot_reader import UprootFile, trees_in


@dataclass(frozen=True, slots=True)
class TreeDescription:
    """One tree of a file.

    Parameters
    ----------
    name, kind
        Its name and class.
    n_entries
        Entries.
    """

    name: str
    kind: str
    n_entries: int


@dataclass(frozen=True, slots=True)
class ColumnDescription:
    """One canonical column that a file gives.

    Parameters
    ----------
    name, dtype, unit
        As in `fourlep.events.Column`.
    branches
        Type of each branch that it is made from, by name.
    rule
        How it is made from them.
    """

    name: str
    dtype: str
    unit: str
    branches: Mapping[str, str]
    rule: str


@dataclass(frozen=True, slots=True)
class FileDescription:
    """What a file holds.

    Parameters
    ----------
    url, tree, uuid, n_entries, is_simulation
        As in `fourlep.io.EventFile`.
    format, title
        Name of the format, and what it is.
    trees
        Every tree of the file, with the folders that it is in.
    columns
        Every canonical column that the file gives.
    absent
        Why it does not give the others.
    """

    url: str
    tree: str
    format: str
    title: str
    uuid: str
    n_entries: int
    is_simulation: bool
    trees: tuple[TreeDescription, ...]
    columns: tuple[ColumnDescription, ...]
    absent: Mapping[str, str]


def describe_trees(url: str) -> tuple[TreeDescription, ...]:
    """Every tree of a file, of whatever format.

    Raises
    ------
    ReadError
        As `fourlep.io.open_events`.
    """
    return _describe_trees(trees_in(url))


def describe(url: str, tree: str = "") -> FileDescription:
    """Describe a file of events from its table of contents.

    Parameters
    ----------
    url
        Path or URL.
    tree
        Tree of the events; "" to find it out.

    Raises
    ------
    ReadError
        As `fourlep.io.open_events`.
    """
    with UprootFile(url, tree) as file:
        known = file.columns()
        order = [*(name for name in COLUMNS if name in known), *sorted(known - COLUMNS.keys())]
        request = file.request((), (*COLUMNS, *order))
        return FileDescription(
            url=url,
            tree=file.tree,
            format=file.format,
            title=FORMATS[file.format].title,
            uuid=file.uuid,
            n_entries=file.n_entries,
            is_simulation=file.is_simulation,
            trees=_describe_trees(file.trees()),
            columns=tuple(_describe_column(file, name) for name in order),
            absent=request.absent,
        )


def _describe_trees(found: list[tuple[str, str, int]]) -> tuple[TreeDescription, ...]:
    return tuple(TreeDescription(*each) for each in found)


def _describe_column(file: UprootFile, name: str) -> ColumnDescription:
    source = file.request((name,)).sources[name]
    is_trigger = is_trigger_column(name)
    return ColumnDescription(
        name=name,
        dtype="?" if is_trigger else COLUMNS[name].dtype,
        unit="" if is_trigger else COLUMNS[name].unit,
        branches={branch: file.type_of(branch) for branch in source.branches},
        rule=source.text,
    )
