"""The last step of a batch: from what its items gave to their sum.

Work may leave its results unfinished, and finish those of a whole batch at once, where
that costs no more than finishing one. What cannot be finished together is finished one by
one, so that the item at fault is found and the others survive.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from fourlep.errors import FourlepError
from fourlep.execution.model import ItemReport, R, Work
from fourlep.execution.payload import add_all
from fourlep.execution.retry import Refusal, judge


@runtime_checkable
class Finishing(Protocol):
    """Work whose results have to be finished."""

    def finish(self, found: Sequence[Any], /) -> Any:
        """Make the sum of what several calls gave, each of another item."""


End = tuple[ItemReport, Any]


def finished(
    work: Work[Any, R] | Finishing, ends: Sequence[End]
) -> tuple[R | None, list[ItemReport]]:
    """Sum what the items of a batch gave.

    Parameters
    ----------
    work
        What was called for each.
    ends
        Report and result of each item, None where it failed.

    Returns
    -------
    total, reports
        The sum, None where there is none, and the reports: an item that could not be
        finished has a failure.
    """
    if not isinstance(work, Finishing):
        total = add_all(result for _, result in ends if result is not None)
        return total, [report for report, _ in ends]
    good = [end for end in ends if end[1] is not None]
    failed = [report for report, result in ends if result is None]
    try:
        total = work.finish([result for _, result in good]) if good else None
    except Exception:  # noqa: BLE001  # whose fault it is shows when they are taken singly
        total, good, more = _singly(work.finish, good)
        failed += more
    if total is None:
        return None, failed
    records = total.records
    reports = [replace(report, n_selected=records[report.key].n_selected) for report, _ in good]
    return total, reports + failed


def _singly(
    finish: Callable[[Sequence[Any]], R], ends: Sequence[End]
) -> tuple[R | None, list[End], list[ItemReport]]:
    sums: list[R] = []
    good: list[End] = []
    failed: list[ItemReport] = []
    for report, result in ends:
        try:
            sums.append(finish([result]))
        except FourlepError as error:
            failure = judge([Refusal(report.endpoint, error)], n_endpoints=2)
            failed.append(replace(report, failure=failure))
        else:
            good.append((report, result))
    return add_all(sums), good, failed
