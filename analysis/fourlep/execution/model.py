"""The values that cross borders inside a run, and what a run asks of its callable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, Protocol, Self, TypeVar

State = Literal["pending", "done", "failed"]


class Item(Protocol):
    """What is worked on: a file, or a range of one."""

    @property
    def key(self) -> str:
        """Identifies the item within a run."""
        ...

    @property
    def url(self) -> str:
        """Origin of the file, never a cache."""
        ...

    @property
    def n_bytes(self) -> int:
        """Size by the catalogue, -1 where unknown: the first guess of what it costs."""
        ...


class Record(Protocol):
    """What one item took, as the ledger keeps it."""

    @property
    def n_events(self) -> int:
        """Entries that the item covers."""
        ...

    @property
    def n_selected(self) -> int:
        """Events kept."""
        ...

    @property
    def read_bytes(self) -> int:
        """Bytes asked of the transport."""
        ...

    @property
    def uuid(self) -> str:
        """UUID of the file, "" where there is none."""
        ...


class Result(Protocol):
    """A commutative sum that lists what it holds."""

    @property
    def records(self) -> Mapping[str, Record]:
        """By key of each item in the sum."""
        ...

    def __add__(self, other: Self, /) -> Self:
        """Sum of both; an error where an item is in both."""
        ...


I = TypeVar("I", bound=Item)  # noqa: E741  # an item, as in the signatures below
R = TypeVar("R", bound=Result)

#: ``work(item, url)`` reads the item at ``url``, one of the places of its file.
Work = Callable[[I, str], R]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an item gave no result.

    Parameters
    ----------
    kind
        Name of the error's class: ``MissingFileError``, ``TransientReadError``, ...
    message
        What was said at each place.
    is_permanent
        Whether trying again is pointless.
    """

    kind: str
    message: str
    is_permanent: bool


@dataclass(frozen=True, slots=True)
class ItemReport:
    """What became of one item in one batch.

    Parameters
    ----------
    key
        Of the item.
    endpoint
        Server that gave the result, or that was asked last.
    attempts
        Reads that were begun.
    wall_s
        Seconds from the first attempt to the end of the last.
    failure
        None where the item is in the sum.
    n_events, n_selected, read_bytes, uuid
        As in `Record`.
    """

    key: str
    endpoint: str
    attempts: int
    wall_s: float
    failure: Failure | None = None
    n_events: int = 0
    n_selected: int = 0
    read_bytes: int = 0
    uuid: str = ""


@dataclass(frozen=True, slots=True)
class Batch(Generic[I]):
    """Items that one task works on.

    Parameters
    ----------
    number
        Unique within a run.
    items
        At least one.
    """

    number: int
    items: tuple[I, ...]


@dataclass(frozen=True, slots=True)
class Portion:
    """Sum of a batch, or of several, with what became of each of their items.

    Parameters
    ----------
    payload
        The pickled sum over the items without failure, b"" where there is none.
    reports
        One for each item.
    busy_s
        Seconds that workers spent on it.
    batches
        Numbers of the batches that it covers.
    """

    payload: bytes
    reports: tuple[ItemReport, ...]
    busy_s: float
    batches: tuple[int, ...]

    @property
    def held(self) -> frozenset[str]:
        """Keys of the items in the sum."""
        return frozenset(report.key for report in self.reports if report.failure is None)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Parameters
    ----------
    n_items, n_done, n_failed
        Of the whole run, earlier sessions included.
    n_events, read_bytes
        Over the items done.
    elapsed_s
        Of this session.
    """

    n_items: int
    n_done: int
    n_failed: int
    n_events: int
    read_bytes: int
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class Failed:
    """An item that is missing from the result.

    Parameters
    ----------
    key
        Of the item.
    attempts
        Reads that were begun, over all sessions.
    endpoint
        Server asked last.
    failure
        Why.
    url
        Origin of its file.
    """

    key: str
    attempts: int
    endpoint: str
    failure: Failure
    url: str = ""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What one endpoint delivered.

    Parameters
    ----------
    endpoint
        As in `fourlep.io.routes.Place`.
    n_items, n_events, read_bytes
        Over the items that were read there to the end.
    """

    endpoint: str
    n_items: int
    n_events: int
    read_bytes: int


@dataclass(frozen=True, slots=True)
class Sample:
    """The state of a run at one time, for plots over time.

    Parameters
    ----------
    session
        Counts the resumptions from 1.
    elapsed_s
        Since the start of that session.
    n_done, n_failed, read_bytes
        As in `Progress`.
    """

    session: int
    elapsed_s: float
    n_done: int
    n_failed: int
    read_bytes: int


@dataclass(frozen=True, slots=True)
class Metrics:
    """What a session of a run took.

    Parameters
    ----------
    elapsed_s
        Wall seconds.
    busy_s
        Seconds that workers spent in batches.
    n_workers
        Batches that could run at once when the session ended.
    n_clusters
        Clusters used: more than one where a scheduler was lost.
    n_lost_batches
        Batches that had to be given out again.
    peak_client_bytes
        Highest resident memory of the client process so far.
    traffic
        By endpoint, over the whole run.
    samples
        Over time, over the whole run.
    """

    elapsed_s: float
    busy_s: float
    n_workers: int
    n_clusters: int
    n_lost_batches: int
    peak_client_bytes: int
    traffic: tuple[Traffic, ...] = ()
    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome(Generic[R]):
    """What a run came to.

    Parameters
    ----------
    result
        The sum over all completed items, None where there is none.
    n_items, n_completed
        Of the run.
    failed
        Items that are missing from the sum, with the reasons.
    metrics
        Of this session.
    """

    result: R | None
    n_items: int
    n_completed: int
    failed: tuple[Failed, ...] = ()
    metrics: Metrics = field(default=Metrics(0.0, 0.0, 0, 0, 0, 0))

    @property
    def is_complete(self) -> bool:
        """Whether every item is in the sum."""
        return self.n_completed == self.n_items
