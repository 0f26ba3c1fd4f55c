"""How often, how long and where to try again.

======================  ==================================================================
transient               again, at the next place, after a growing pause
missing                 again; permanent when two places agree, or the only one repeats it
corrupt, forbidden      likewise: a cache can be wrong where the origin is right
anything else           permanent at once: another try would fail the same way
======================  ==================================================================

"Not found" is not believed at once because a dead origin can look like a missing file.
"""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

from fourlep.errors import (
    CorruptFileError,
    ForbiddenFileError,
    FourlepError,
    MissingFileError,
    TransientReadError,
)
from fourlep.execution.model import Failure

#: Errors that depend on the place: another one may answer otherwise.
_PLACE_ERRORS = (MissingFileError, CorruptFileError, ForbiddenFileError)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Bounds on trying again.

    Parameters
    ----------
    attempts
        Reads of one item within a batch.
    rounds
        Times that an item which failed transiently is given out.
    pause_s, max_pause_s
        First and longest pause between attempts; each is doubled, then spread by half.
    round_pause_s, max_round_pause_s
        Likewise between rounds.
    deadline_s
        Seconds that one read may take, whatever the size.
    min_bytes_per_s
        Adds its share of time for the size that the catalogue states.
    """

    attempts: int = 3
    rounds: int = 4
    pause_s: float = 0.25
    max_pause_s: float = 5.0
    round_pause_s: float = 2.0
    max_round_pause_s: float = 60.0
    deadline_s: float = 300.0
    min_bytes_per_s: float = 2e6

    def deadline(self, n_bytes: int) -> float:
        """Seconds after which a read of a file of ``n_bytes`` (-1: unknown) is ended."""
        return self.deadline_s + max(n_bytes, 0) / self.min_bytes_per_s

    def pause(self, key: str, attempt: int) -> float:
        """Seconds to wait after the ``attempt``-th failed read of ``key`` (from 1)."""
        return _spread(key, attempt, self.pause_s, self.max_pause_s)

    def round_pause(self, key: str, number: int) -> float:
        """Seconds to wait after the ``number``-th failed round of ``key`` (from 1)."""
        return _spread(key, number, self.round_pause_s, self.max_round_pause_s)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One failed read.

    Parameters
    ----------
    endpoint
        Server that was asked.
    error
        What came of it.
    """

    endpoint: str
    error: BaseException


def judge(refusals: Sequence[Refusal], n_endpoints: int) -> Failure:
    """Sum up the failed reads of one item.

    Parameters
    ----------
    refusals
        In order, at least one.
    n_endpoints
        How many different servers could have been asked.

    Returns
    -------
    Failure
        Of the last error, permanent by the rules of this module.
    """
    last = refusals[-1].error
    return Failure(type(last).__name__, _message(refusals), _is_permanent(refusals, n_endpoints))


def _is_permanent(refusals: Sequence[Refusal], n_endpoints: int) -> bool:
    last = refusals[-1]
    if isinstance(last.error, TransientReadError):
        return False
    if not isinstance(last.error, _PLACE_ERRORS) or last.endpoint == "local":
        return True
    agreeing = [r.endpoint for r in refusals if isinstance(r.error, type(last.error))]
    return len(set(agreeing)) >= 2 or (n_endpoints == 1 and len(agreeing) >= 2)


def _message(refusals: Sequence[Refusal]) -> str:
    said: dict[str, None] = {}
    for refusal in refusals:
        said[f"{refusal.endpoint}: {_text(refusal.error)}"] = None
    return "\n".join(said)


def _text(error: BaseException) -> str:
    if isinstance(error, FourlepError):
        return str(error)
    return "".join(traceback.format_exception(error)).rstrip()


def _spread(key: str, number: int, first_s: float, longest_s: float) -> float:
    """Exponential pause, spread over its upper half by key, so that retries do not meet."""
    pause_s = min(first_s * 2.0 ** (min(number, 40) - 1), longest_s)
    digest = hashlib.blake2b(f"{key}\0{number}".encode(), digest_size=4).digest()
    return pause_s * (0.5 + 0.5 * int.from_bytes(digest, "big") / 2**32)
