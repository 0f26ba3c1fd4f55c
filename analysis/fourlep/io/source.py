"""What every reader of event files offers, whatever the format and the transport."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Literal, Protocol, Self

from fourlep.events import Cascade, Events

Reader = Literal["uproot", "lean"]
ReaderChoice = Literal["auto", "uproot", "lean"]


class EventFile(Protocol):
    """An open file of events; a context manager.

    Every method raises the errors of `fourlep.errors`, and no other library's.
    """

    @property
    def url(self) -> str:
        """The place that is read."""

    @property
    def tree(self) -> str:
        """Name of the tree or RNTuple."""

    @property
    def format(self) -> str:
        """Name of the format, a key of `fourlep.io.formats.FORMATS`."""

    @property
    def uuid(self) -> str:
        """UUID of the file, "" where it has none."""

    @property
    def n_bytes(self) -> int:
        """Length of the file."""

    @property
    def n_entries(self) -> int:
        """Entries of the tree."""

    @property
    def is_simulation(self) -> bool:
        """Whether the events are simulated, by the file's own content."""

    @property
    def read_bytes(self) -> int:
        """Bytes asked of the transport up to now."""

    @property
    def reader(self) -> Reader:
        """Which reader this is."""

    @property
    def fallback(self) -> str:
        """Why the lean reader was wanted and not used, "" otherwise."""

    def columns(self) -> frozenset[str]:
        """Canonical columns that the file provides, trigger chains included."""

    def read(
        self,
        columns: Sequence[str],
        start: int = 0,
        stop: int | None = None,
        *,
        optional: Sequence[str] = (),
    ) -> Events:
        """Read entries ``start`` to ``stop`` whole.

        Parameters
        ----------
        columns
            Canonical names that must be there.
        start, stop
            First entry and one past the last, None for the end.
        optional
            Canonical names that may be missing: those that are stand in ``Events.absent``
            with the reason.

        Raises
        ------
        MissingColumnError
            If the file lacks one of ``columns``; names what was looked for.
        CorruptFileError, TransientReadError
            If the bytes are damaged, or could not be had now.
        """

    def survivors(
        self,
        cascade: Cascade,
        columns: Sequence[str],
        start: int = 0,
        stop: int | None = None,
        *,
        optional: Sequence[str] = (),
    ) -> Iterator[Events]:
        """Read the events that ``cascade`` keeps, in parts of bounded memory.

        All events that are yielded pass; none that passes is left out; entries ascend. A
        column of the cascade that the file does not have is passed by every lepton.
        Where nothing survives nothing is yielded, so ask `n_entries` for the number of
        entries and not the parts. Otherwise as `read`.
        """

    def close(self) -> None:
        """Let go of the file; further reads fail."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class Closing(ABC):
    """A context manager that closes itself when it is left."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what is held."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
