"""Sums as bytes: how results travel between processes and lie in ``partial/``.

Pickle, because these are our own values in our own files: `unpack` is only given bytes
that this run wrote, and those of a file only after its SHA-256 agreed with the ledger.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Iterable
from typing import Any

from fourlep.execution.model import Portion, R

#: Histograms are mostly zeros: the fastest level shrinks them tenfold.
_LEVEL = 1


def pack(result: R) -> bytes:
    """Make bytes of a sum."""
    return zlib.compress(pickle.dumps(result, protocol=pickle.HIGHEST_PROTOCOL), _LEVEL)


def unpack(payload: bytes) -> Any:
    """Make a sum of the bytes of `pack`."""
    return pickle.loads(zlib.decompress(payload))  # noqa: S301  # this run wrote it


def add_all(results: Iterable[R]) -> R | None:
    """Sum many results in few long additions; None where there are none.

    Equal-sized sums are added first, as in a binary counter, so that each record is copied
    a logarithmic number of times, and a logarithmic number of sums is held.
    """
    levels: list[R | None] = []
    for result in results:
        carry, level = result, 0
        while level < len(levels) and (kept := levels[level]) is not None:
            carry, levels[level] = kept + carry, None
            level += 1
        if level == len(levels):
            levels.append(None)
        levels[level] = carry
    total: R | None = None
    for kept in levels:
        if kept is not None:
            total = kept if total is None else kept + total
    return total


def combine(portions: Iterable[Portion]) -> Portion:
    """One portion that holds the sums and the reports of all."""
    parts = list(portions)
    if len(parts) == 1:
        return parts[0]
    total = add_all(unpack(part.payload) for part in parts if part.payload)
    return Portion(
        payload=b"" if total is None else pack(total),
        reports=tuple(report for part in parts for report in part.reports),
        busy_s=sum(part.busy_s for part in parts),
        batches=tuple(sorted({number for part in parts for number in part.batches})),
    )
