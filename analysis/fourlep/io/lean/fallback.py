"""The lean reader where it can, uproot where it cannot, as one file.

A file that was opened with a stored index is opened without it when anything does not
agree: a stale index may look like damage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from fourlep.errors import CorruptFileError
from fourlep.events import Cascade, Events
from fourlep.io.lean.gather import Part
from fourlep.io.lean.reader import LeanFile
from fourlep.io.lean.unsupported import UnsupportedError
from fourlep.io.source import Closing, EventFile, Reader

Answer = TypeVar("Answer")


class FallbackFile(Closing):
    """A file read leanly until something unknown is met, and by uproot from there on.

    Parameters
    ----------
    lean
        The open file.
    direct
        Opens the same file without an index.
    plain
        Opens the same file with uproot, given the reason.
    """

    def __init__(
        self,
        lean: LeanFile,
        direct: Callable[[], LeanFile],
        plain: Callable[[str], EventFile],
    ) -> None:
        self._file: EventFile = lean
        self._direct = direct
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
    def n_bytes(self) -> int:
        """Length of the file."""
        return self._file.n_bytes

    @property
    def n_entries(self) -> int:
        """Entries of the tree."""
        return self._file.n_entries

    @property
    def is_simulation(self) -> bool:
        """Whether the events are simulated."""
        return self._ask(lambda file: file.is_simulation)

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
        return self._ask(lambda file: file.columns())

    def read(
        self,
        columns: Sequence[str],
        start: int = 0,
        stop: int | None = None,
        *,
        optional: Sequence[str] = (),
    ) -> Events:
        """Read entries ``start`` to ``stop`` whole. See `EventFile.read`."""
        return self._ask(lambda file: file.read(columns, start, stop, optional=optional))

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
        for part in self.surviving_parts(cascade, columns, start, stop, optional=optional):
            events = part.events() if isinstance(part, Part) else part
            if len(events):
                yield events

    def surviving_parts(
        self,
        cascade: Cascade,
        columns: Sequence[str],
        start: int = 0,
        stop: int | None = None,
        *,
        optional: Sequence[str] = (),
        early: Sequence[str] = (),
    ) -> Iterator[Part | Events]:
        """Read the same as `survivors`, as far as possible before columns are made of it.

        At least one part or events, which are empty where nothing survives; ``early`` as
        in `LeanFile.surviving_parts`.
        """
        while True:
            try:
                parts: Iterator[Part | Events] = (
                    self._file.surviving_parts(
                        cascade, columns, start, stop, optional=optional, early=early
                    )
                    if isinstance(self._file, LeanFile)
                    else _events(self._file, cascade, columns, (start, stop), optional)
                )
                for part in parts:
                    yield part
                    start = max(start, _after(part))
            except (UnsupportedError, CorruptFileError) as error:
                self._turn(error)
            else:
                return

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _ask(self, question: Callable[[EventFile], Answer]) -> Answer:
        while True:
            try:
                return question(self._file)
            except (UnsupportedError, CorruptFileError) as error:
                self._turn(error)

    def _turn(self, error: UnsupportedError | CorruptFileError) -> None:
        """Turn to the next way of reading; raise the error where there is none."""
        is_indexed = isinstance(self._file, LeanFile) and self._file.is_indexed
        if not is_indexed and not isinstance(error, UnsupportedError):
            raise error
        self._earlier_bytes = self.read_bytes
        self._file.close()
        if is_indexed:
            try:
                self._file = self._direct()
            except UnsupportedError as unknown:
                self._file = self._plain(str(unknown))
        else:
            self._file = self._plain(str(error))


def _events(
    file: EventFile,
    cascade: Cascade,
    columns: Sequence[str],
    entries: tuple[int, int | None],
    optional: Sequence[str],
) -> Iterator[Events]:
    """Yield events that another reader found; once none where nothing survives."""
    found = False
    for events in file.survivors(cascade, columns, *entries, optional=optional):
        found = True
        yield events
    if not found:
        yield file.read(columns, 0, 0, optional=optional)


def _after(part: Part | Events) -> int:
    if isinstance(part, Part):
        return part.after
    return int(part.entry[-1]) + 1 if len(part.entry) else 0
