"""Reads every format with uproot: the plain way, and the reference for the fast one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import awkward as ak
import numpy as np
import uproot

from fourlep.errors import MissingColumnError
from fourlep.events import Cascade, Events
from fourlep.io.assemble import assemble
from fourlep.io.branches import Format
from fourlep.io.branches.rule import no_branch
from fourlep.io.fields import Branches, Fields
from fourlep.io.formats import (
    RNTUPLE_CLASSES,
    candidate_trees,
    detect,
    no_known_tree,
    several_trees,
    trees_of,
)
from fourlep.io.request import Request, counting_columns
from fourlep.io.source import Closing, Reader
from fourlep.io.translation import translated
from fourlep.io.uproot_source import TransportSource

#: Entries whose cascade columns are held in memory at a time.
STEP_ENTRIES = 20_000
#: As many where entries are stored together: every step inflates all that it has a part of.
MAX_STEP_ENTRIES = 400_000


class UprootFile(Closing):
    """An open file, read with uproot. See `fourlep.io.source.EventFile`.

    Parameters
    ----------
    url
        Path or URL.
    tree
        Tree or RNTuple; "" to find it out.
    timeout_s
        How long a remote server may take to answer.
    fallback
        Why the lean reader is not used, where it was wanted.

    Raises
    ------
    MissingFileError, ForbiddenFileError, TransientReadError
        If the file cannot be had.
    CorruptFileError
        If it is no ROOT file, or cut short.
    UnknownFormatError
        If it has no such tree, or none of a format that is known.
    MissingColumnError
        If nothing in it tells simulation from observed data.
    """

    def __init__(
        self, url: str, tree: str = "", *, timeout_s: float = 60.0, fallback: str = ""
    ) -> None:
        self._url = url
        self._fallback = fallback
        self._file = _opened(url, timeout_s)
        try:
            self._tree_name, self._branches, self._format = self._choose(tree)
            self._is_simulation = self._find_is_simulation()
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """The place that is read."""
        return self._url

    @property
    def tree(self) -> str:
        """Name of the tree or RNTuple."""
        return self._tree_name

    @property
    def format(self) -> str:
        """Name of the format."""
        return self._format.name

    @property
    def uuid(self) -> str:
        """UUID of the file."""
        return str(self._file.file.uuid)

    @property
    def n_bytes(self) -> int:
        """Length of the file."""
        return int(self._file.file.source.num_bytes)

    @property
    def n_entries(self) -> int:
        """Entries of the tree."""
        return self._branches.n_entries

    @property
    def is_simulation(self) -> bool:
        """Whether the events are simulated, by the first of them; False without any."""
        return self._is_simulation

    @property
    def read_bytes(self) -> int:
        """Bytes asked of the transport up to now."""
        return int(self._file.file.source.num_requested_bytes)

    @property
    def reader(self) -> Reader:
        """Which reader this is."""
        return "uproot"

    @property
    def fallback(self) -> str:
        """Why the lean reader was wanted and not used, "" otherwise."""
        return self._fallback

    def trees(self) -> list[tuple[str, str, int]]:
        """Name, class and entries of every tree of the file."""
        return _trees(self._url, self._file)

    def type_of(self, branch: str) -> str:
        """Type of a branch or field, as ROOT names it."""
        with translated(self._url):
            return str(self._branches[branch].typename)

    def columns(self) -> frozenset[str]:
        """Canonical columns that the file provides, trigger chains included."""
        return self._format.columns(self._branches.names, is_simulation=self._is_simulation)

    def request(self, columns: Sequence[str], optional: Sequence[str] = ()) -> Request:
        """Resolve columns to branches of this file. See `Request.resolve`."""
        return Request.resolve(
            self._url,
            self._format,
            self._branches.names,
            columns,
            optional,
            is_simulation=self._is_simulation,
        )

    def read(
        self,
        columns: Sequence[str],
        start: int = 0,
        stop: int | None = None,
        *,
        optional: Sequence[str] = (),
    ) -> Events:
        """Read entries ``start`` to ``stop`` whole. See `EventFile.read`."""
        request = self.request(columns, optional)
        start, stop = self._range(start, stop)
        entry = np.arange(start, stop, dtype=np.int64)
        return assemble(request, self._arrays(request.branches, start, stop), entry)

    def survivors(
        self,
        cascade: Cascade,
        columns: Sequence[str],
        start: int = 0,
        stop: int | None = None,
        *,
        optional: Sequence[str] = (),
    ) -> Iterator[Events]:
        """Read the events that ``cascade`` keeps. See `EventFile.survivors`."""
        wanted = self.request(columns, optional)
        counting = self.request((), counting_columns(cascade))
        start, stop = self._range(start, stop)
        step = self._step(counting)
        for first in range(start, stop, step):
            last = min(first + step, stop)
            cheap = self._arrays(counting.branches, first, last)
            entry = np.arange(first, last, dtype=np.int64)
            keep = np.flatnonzero(cascade.keeps(assemble(counting, cheap, entry)))
            if len(keep):
                yield self._read_kept(wanted, cheap, first, keep)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _step(self, request: Request) -> int:
        with translated(self._url):
            together = [self._branches.stored_together(name) for name in request.branches]
        return max(STEP_ENTRIES, min(MAX_STEP_ENTRIES, max(together, default=0)))

    def _read_kept(
        self, wanted: Request, cheap: Mapping[str, Any], first: int, keep: np.ndarray[Any, Any]
    ) -> Events:
        """Read what is wanted between the first and the last event kept, and keep those."""
        low, high = int(keep[0]), int(keep[-1]) + 1
        rest = tuple(branch for branch in wanted.branches if branch not in cheap)
        held = {
            branch: array[low:high] for branch, array in cheap.items() if branch in wanted.branches
        }
        raw = {**held, **self._arrays(rest, first + low, first + high)}
        kept = {branch: array[keep - low] for branch, array in raw.items()}
        return assemble(wanted, kept, first + keep)

    def _range(self, start: int, stop: int | None) -> tuple[int, int]:
        end = self.n_entries if stop is None else min(stop, self.n_entries)
        return min(max(start, 0), end), end

    def _arrays(self, branches: Sequence[str], start: int, stop: int) -> dict[str, Any]:
        with translated(self._url):
            arrays = {branch: self._branches.array(branch, start, stop) for branch in branches}
            return {
                branch: _one_kind(_whole(branch, array, stop - start))
                for branch, array in arrays.items()
            }

    def _choose(self, wanted: str) -> tuple[str, Branches | Fields, Format]:
        """Find the tree, and tell its format."""
        classes = _classes(self._url, self._file)
        for by_name in (False, True):  # a tree that lacks a branch is the second choice
            for group in candidate_trees(self._url, classes, wanted):
                found: list[tuple[str, Branches | Fields, Format]] = []
                for name in group:
                    branches = self._look_into(name, is_rntuple=classes[name] in RNTUPLE_CLASSES)
                    known = detect(branches.names, tree=name if by_name else "")
                    if known is not None:
                        found.append((name, branches, known))
                    if len(found) > 1:
                        raise several_trees(self._url, [name for name, _, _ in found])
                if found:
                    return found[0]
        raise no_known_tree(self._url, classes, wanted)

    def _look_into(self, tree: str, *, is_rntuple: bool) -> Branches | Fields:
        with translated(self._url):
            return (Fields if is_rntuple else Branches)(self._file[tree])

    def _find_is_simulation(self) -> bool:
        if not self.n_entries:
            return False
        resolved = (rule.resolve(self._branches.names) for rule in self._format.simulated)
        source = next((source for source in resolved if source is not None), None)
        if source is None:
            raise MissingColumnError(
                f"{self._url}: nothing tells simulation of {self._format.title} from observed"
                f" data: {no_branch(self._format.simulated)}",
                url=self._url,
                remedy="fetch the file again, or take one that was not cut down",
            )
        if source.derive is None:
            return bool(source.constant)
        arrays = self._arrays(source.branches, 0, 1)
        with translated(self._url):
            return bool(source.derive(*(arrays[branch] for branch in source.branches))[0])


def trees_in(url: str, *, timeout_s: float = 60.0) -> list[tuple[str, str, int]]:
    """Name, class and entries of every tree of a file, of whatever format.

    Raises
    ------
    ReadError
        As `UprootFile`.
    """
    with _opened(url, timeout_s) as file:
        return _trees(url, file)


def _trees(url: str, file: Any) -> list[tuple[str, str, int]]:
    classes = _classes(url, file)
    with translated(url):
        return [(name, classes[name], int(file[name].num_entries)) for name in trees_of(classes)]


def _classes(url: str, file: Any) -> dict[str, str]:
    """Class of each object, by name with the folders that it is in."""
    with translated(url):
        found: dict[str, str] = file.classnames(recursive=True, cycle=False)
        return found


def _opened(url: str, timeout_s: float) -> Any:
    with translated(url):
        return uproot.open(
            {url: None}, handler=TransportSource, timeout=timeout_s, array_cache=None
        )


def _whole(branch: str, array: ak.Array, n_events: int) -> ak.Array:
    """Refuse a branch that lacks entries of its tree, or has fields without a value.

    uproot gives the entries that there are, and NumPy whatever stands in place of a value.
    """
    if len(array) != n_events:
        raise ValueError(f"{branch} has {len(array)} entries for {n_events} events")
    is_optional = any(mark in str(array.type) for mark in ("?", "option["))
    if is_optional and any(ak.any(ak.is_none(array, axis=k)) for k in range(array.ndim)):
        raise ValueError(f"{branch} has missing values")
    return array


def _one_kind(array: ak.Array) -> Any:
    """Make NumPy of one number an event, and lists of what has the same number in each.

    A mask cuts the items of lists and flattens arrays of a fixed shape.
    """
    return ak.to_numpy(array) if array.ndim == 1 else ak.from_regular(array, axis=None)
