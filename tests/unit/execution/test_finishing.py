from __future__ import annotations

from collections.abc import Sequence

from fourlep.errors import CorruptFileError
from fourlep.execution.finishing import End, finished
from fourlep.execution.model import ItemReport
from fourlep.execution.payload import add_all
from toys import ToyItem, ToyResult


class _Together:
    """Leaves items as they are, and sums those of a batch at once; minus one is no value."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, item: ToyItem, url: str) -> ToyItem:
        return item

    def finish(self, found: Sequence[ToyItem]) -> ToyResult:
        self.calls += 1
        if any(item.value == -1.0 for item in found):
            raise CorruptFileError("a number that is none")
        total = add_all(ToyResult.of(item) for item in found)
        assert total is not None
        return total


def _ends(*values: float | None) -> list[End]:
    return [
        (
            ItemReport(str(number), "local", 1, 0.1),
            None if value is None else ToyItem(str(number), value),
        )
        for number, value in enumerate(values)
    ]


def test_a_batch_is_finished_in_one_step() -> None:
    work = _Together()
    total, reports = finished(work, _ends(1.0, 2.0, 4.0))
    assert total is not None
    assert (total.value, work.calls) == (7.0, 1)
    assert [report.n_selected for report in reports] == [1, 1, 1]


def test_an_item_that_cannot_be_finished_loses_no_other() -> None:
    total, reports = finished(_Together(), _ends(1.0, -1.0, 4.0))
    assert total is not None
    assert total.value == 5.0
    failed = [report for report in reports if report.failure is not None]
    assert [report.key for report in failed] == ["1"]
    assert failed[0].failure is not None
    assert failed[0].failure.kind == "CorruptFileError"


def test_items_that_failed_before_keep_their_reports() -> None:
    total, reports = finished(_Together(), _ends(None, 3.0))
    assert total is not None
    assert total.value == 3.0
    assert sorted(report.key for report in reports) == ["0", "1"]


def test_a_batch_of_which_nothing_is_left_has_no_sum() -> None:
    assert finished(_Together(), _ends(None, -1.0))[0] is None


def test_work_without_a_last_step_is_added_up() -> None:
    ends = [(report, ToyResult.of(item)) for report, item in _ends(1.0, 2.0)]
    total, _ = finished(lambda item, url: ToyResult.of(item), ends)
    assert total is not None
    assert total.value == 3.0
