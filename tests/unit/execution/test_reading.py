from __future__ import annotations

import threading
from pathlib import Path

from fourlep.errors import CorruptFileError, TransientReadError
from fourlep.execution.messages import Began, Ended
from fourlep.execution.model import Batch, ItemReport, Portion
from fourlep.execution.payload import unpack
from fourlep.execution.reading import BatchReader, Job
from fourlep.execution.retry import RetryPolicy
from fourlep.io.routes import Cache, Routes
from toys import ToyItem, ToyResult, Trouble, count, expected, items

QUICK = RetryPolicy(attempts=3, pause_s=0.001, max_pause_s=0.002)
ROUTES = Routes((Cache("root://cache:1094"),), origin="root://origin")
REMOTE = ToyItem("a", url="root://origin//a")
CACHE, ORIGIN = "root://cache:1094", "root://origin:1094"


def run(work, of: list[ToyItem], **settings) -> Portion:
    job = Job(work, settings.pop("routes", Routes()), QUICK, settings.pop("in_flight", 4))
    return BatchReader(job, **settings).run(Batch(7, tuple(of)))


def only(portion: Portion) -> ItemReport:
    (report,) = portion.reports
    return report


def test_a_batch_sums_its_items() -> None:
    portion = run(count, items(30))
    assert unpack(portion.payload).value == expected(items(30))
    assert portion.batches == (7,)
    assert [report.key for report in portion.reports] == [item.key for item in items(30)]


def test_a_report_has_the_numbers_of_the_record() -> None:
    report = only(run(count, items(1)))
    assert (report.n_events, report.n_selected, report.read_bytes) == (10, 1, 100)
    assert (report.endpoint, report.attempts) == ("local", 1)


def test_one_failed_item_leaves_the_sum_of_the_others(tmp_path: Path) -> None:
    many = items(5)
    portion = run(Trouble(str(tmp_path), {many[2].key: ("error",)}), many)
    assert set(unpack(portion.payload).records) == {many[i].key for i in (0, 1, 3, 4)}
    assert [report.failure is None for report in portion.reports] == [True, True, False, True, True]
    assert portion.reports[2].failure.kind == "ValueError"
    assert portion.reports[2].failure.is_permanent


def test_a_batch_of_failures_has_no_sum(tmp_path: Path) -> None:
    many = items(2)
    portion = run(Trouble(str(tmp_path), {item.key: ("error",) for item in many}), many)
    assert portion.payload == b""
    assert portion.held == frozenset()


def test_a_transient_error_is_tried_again_at_the_next_place() -> None:
    asked: list[str] = []

    def work(item: ToyItem, url: str) -> ToyResult:
        asked.append(url)
        if len(asked) == 1:
            raise TransientReadError("lost", url=url)
        return ToyResult.of(item)

    report = only(run(work, [REMOTE], routes=ROUTES))
    assert asked == ["root://cache:1094//a", "root://origin//a"]
    assert (report.endpoint, report.attempts, report.failure) == (ORIGIN, 2, None)


def test_a_cache_that_is_wrong_is_corrected_by_the_origin() -> None:
    def work(item: ToyItem, url: str) -> ToyResult:
        if "cache" in url:
            raise CorruptFileError("zeroes", url=url)
        return ToyResult.of(item)

    assert only(run(work, [REMOTE], routes=ROUTES)).endpoint == ORIGIN


def test_attempts_are_bounded(tmp_path: Path) -> None:
    report = only(run(Trouble(str(tmp_path), {"a": ("transient!",)}), [REMOTE], routes=ROUTES))
    assert report.attempts == 3
    assert not report.failure.is_permanent


def test_a_missing_file_is_given_up_as_soon_as_two_places_agree(tmp_path: Path) -> None:
    report = only(run(Trouble(str(tmp_path), {"a": ("missing!",)}), [REMOTE], routes=ROUTES))
    assert report.attempts == 2
    assert report.failure.is_permanent
    assert CACHE in report.failure.message
    assert ORIGIN in report.failure.message


def test_a_place_that_keeps_failing_is_asked_last_by_later_items() -> None:
    def work(item: ToyItem, url: str) -> ToyResult:
        if "cache" in url:
            raise TransientReadError("dead", url=url)
        return ToyResult.of(item)

    many = [ToyItem(f"f{i}", url=f"root://origin//f{i}") for i in range(8)]
    portion = run(work, many, routes=ROUTES, in_flight=1)
    assert [report.attempts for report in portion.reports] == [2, 2, 2, 1, 1, 1, 1, 1]


def test_a_result_of_another_item_is_a_program_error() -> None:
    other = items(2)[1]
    report = only(run(lambda item, url: ToyResult.of(other), items(1)))
    assert report.failure.is_permanent
    assert other.key in report.failure.message


def test_items_of_a_batch_are_in_flight_together() -> None:
    meeting = threading.Barrier(4, timeout=30)

    def work(item: ToyItem, url: str) -> ToyResult:
        meeting.wait()
        return ToyResult.of(item)

    assert len(run(work, items(4), in_flight=4).held) == 4


def test_every_read_is_announced_with_its_limit_and_its_end() -> None:
    seen: list[Began | Ended] = []
    run(count, items(3), watch=seen.append, in_flight=1)
    assert seen[:2] == [Began(0, "local", 300.0), Ended(0)]
    assert len(seen) == 6
