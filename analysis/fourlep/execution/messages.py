"""What a reading process tells the one that watches it."""

from __future__ import annotations

from dataclasses import dataclass

from fourlep.execution.model import Portion


@dataclass(frozen=True, slots=True)
class Ready:
    """The process can take batches."""


@dataclass(frozen=True, slots=True)
class Began:
    """A read has begun.

    Parameters
    ----------
    position
        Of the item within its batch.
    url
        What is read.
    limit_s
        Seconds that it may take.
    """

    position: int
    url: str
    limit_s: float


@dataclass(frozen=True, slots=True)
class Ended:
    """A read has ended, well or not.

    Parameters
    ----------
    position
        Of the item within its batch.
    """

    position: int


@dataclass(frozen=True, slots=True)
class Broken:
    """A batch failed as a whole, which no fault of a file may do.

    Parameters
    ----------
    trace
        The traceback.
    """

    trace: str


Message = Ready | Began | Ended | Portion | Broken
