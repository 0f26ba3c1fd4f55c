"""The lean reader where it can, uproot where it cannot, as one file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Self

from fourlep.events import Cascade, Events
from fourlep.io.lean.gather import Part
from fourlep.io.lean.reader import LeanFile
from fourlep.io.lean.unsupported import UnsupportedError
from fourlep.io.source import EventFile, Reader


class FallbackFile:
    """A file read leanly until something unknown is met, and by uproot from there on.

    Parameters
    ----------
    lean
        The open file.
    plain
        Opens the same file with uproot, given the reason.
    """

    def __init__(self, lean: LeanFile, plain: Callable[[str], EventFile]) -> None:
        self._file: EventFile = lean
        self._plain = plain
        self._earlier_bytes = 0

    @property
    def url(self) -> str:
        """The place that is read."""
        return self._file.url

    @property
    def tree(self) -> str:
        """Name of the tree."""
        return self._file.tree

    @property
    def format(self) -> str:
        """Name of the format."""
        return self._file.format

    @property
    def uuid(self) -> str:
        """UUID of the file."""
        return self._file.uuid

    @property
    def n_entries(self) -> int:
        """Entries of the tree."""
        return self._file.n_entries

    @property
    def is_simulation(self) -> bool:
        """Whether the events are simulated."""
        try:
            return self._file.is_simulation
        except UnsupportedError as unknown:
            return self._fall_back(unknown).is_simulation

    @property
    def read_bytes(self) -> int:
        """Bytes asked of the transport up to now, by both readers."""
        return self._earlier_bytes + self._file.read_bytes

    @property
    def reader(self) -> Reader:
        """Which reader is in use."""
        return self._file.reader

    @property
    def fallback(self) -> str:
        """Why uproot took over, "" while it did not."""
        return self._file.fallback

    def columns(self) -> frozenset[str]:
        """Canonical columns that the file provides, trigger chains included."""
        try:
            return self._file.columns()
        except UnsupportedError as unknown:
            return self._fall_back(unknown).columns()

    def read(
        self,
        columns: Sequence[str],
        start: int = 0,
        stop: int | None = None,
        *,
        optional: Sequence[str] = (),
    ) -> Events:
        """Read entries ``start`` to ``stop`` whole. See `EventFile.read`."""
        try:
            return self._file.read(columns, start, stop, optional=optional)
        except UnsupportedError as unknown:
            plain = self._fall_back(unknown)
            return plain.read(columns, start, stop, optional=optional)

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
        try:
            for events in self._file.survivors(cascade, columns, start, stop, optional=optional):
                start = int(events.entry[-1]) + 1
                yield events
        except UnsupportedError as unknown:
            plain = self._fall_back(unknown)
            yield from plain.survivors(cascade, columns, start, stop, optional=optional)

    def surviving_parts(
        self,
        cascade: Cascade,
        columns: Sequence[str],
        start: int = 0,
        stop: int | None = None,
        *,
        optional: Sequence[str] = (),
    ) -> Iterator[Part | Events]:
        """Read the same as `survivors`, as far as possible before columns are made of it.

        At least one part or events, which are empty where nothing survives.
        """
        first = start
        try:
            if isinstance(self._file, LeanFile):
                for part in self._file.surviving_parts(
                    cascade, columns, start, stop, optional=optional
                ):
                    start = int(part.entry[-1]) + 1 if len(part.entry) else start
                    yield part
                return
        except UnsupportedError as unknown:
            self._fall_back(unknown)
        found = False
        for events in self._file.survivors(cascade, columns, start, stop, optional=optional):
            found = True
            yield events
        if not found and start == first:
            yield self._file.read(columns, 0, 0, optional=optional)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _fall_back(self, unknown: UnsupportedError) -> EventFile:
        self._earlier_bytes = self.read_bytes
        self._file.close()
        self._file = self._plain(str(unknown))
        return self._file
