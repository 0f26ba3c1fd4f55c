from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fourlep.errors import FourlepError, OutputError
from fourlep.execution.ledger import Ledger, open_ledger
from fourlep.execution.ledger_view import view_ledger
from fourlep.execution.model import Failure, ItemReport, Portion, Progress
from fourlep.execution.payload import add_all, pack
from toys import ToyResult, items

ITEMS = items(6)
NONE: frozenset[str] = frozenset()


def portion(*numbers: int, failed: int | None = None, is_permanent: bool = True) -> Portion:
    total = add_all(ToyResult.of(ITEMS[i]) for i in numbers)
    reports = [
        ItemReport(ITEMS[i].key, "root://a:1094", 1, 0.5, None, 10, 1, 100, "u") for i in numbers
    ]
    if failed is not None:
        failure = Failure("MissingFileError", "gone", is_permanent)
        reports.append(ItemReport(ITEMS[failed].key, "root://b:1094", 2, 0.5, failure))
    return Portion(pack(total) if total else b"", tuple(reports), 1.0, (1,))


def opened(directory: Path, *, resume: bool = False, fingerprint: str = "f"):
    return open_ledger(directory, ITEMS, fingerprint=fingerprint, resume=resume)


def pending(ledger: Ledger) -> list[str]:
    return [item.key for _, item in ledger.pending(-1, 100)]


def test_a_new_ledger_has_everything_pending_in_order(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        assert pending(ledger) == [item.key for item in ITEMS]
        assert [i for i, _ in ledger.pending(1, 2)] == [2, 3]


def test_a_portion_is_done_and_its_sum_is_kept(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.enter(portion(0, 2), again=NONE)
        assert pending(ledger) == [ITEMS[i].key for i in (1, 3, 4, 5)]
        ((_, content, keys),) = ledger.sums()
        assert content == portion(0, 2).payload
        assert keys == {ITEMS[0].key, ITEMS[2].key}


def test_counts_are_over_what_is_done(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.enter(portion(0, 2, failed=4), again=NONE)
        assert ledger.view().progress(1.5) == Progress(6, 2, 1, 20, 200, 1.5)
        (traffic,) = ledger.view().traffic()
        assert (traffic.endpoint, traffic.n_items, traffic.read_bytes) == ("root://a:1094", 2, 200)


def test_a_failed_item_says_why(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.enter(portion(failed=4), again=NONE)
        (failed,) = ledger.view().failed()
        assert failed.key == ITEMS[4].key
        assert failed.attempts == 2
        assert failed.failure == Failure("MissingFileError", "gone", True)


def test_an_item_that_has_another_round_stays_pending_and_counts_its_attempts(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as ledger:
        again = frozenset({ITEMS[4].key})
        ledger.enter(portion(failed=4, is_permanent=False), again=again)
        assert ITEMS[4].key in pending(ledger)
        assert ledger.view().failed() == ()
        ledger.enter(portion(failed=4, is_permanent=False), again=NONE)
        assert ITEMS[4].key not in pending(ledger)
        (failed,) = ledger.view().failed()
        assert failed.attempts == 4


def test_an_item_that_is_done_cannot_be_counted_again(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.enter(portion(0, 1), again=NONE)
        with pytest.raises(FourlepError, match="1 items would be counted twice"):
            ledger.enter(portion(1, 2), again=NONE)
        assert len(list(ledger.sums())) == 1
        assert ITEMS[2].key in pending(ledger)


def test_a_damaged_sum_is_noticed_and_its_items_are_pending_again(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.enter(portion(0, 2), again=NONE)
        (path,) = (tmp_path / "partial").iterdir()
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        ((number, content, _),) = ledger.sums()
        assert content is None
        ledger.discard(number)
        assert len(pending(ledger)) == 6
        assert list((tmp_path / "partial").iterdir()) == []


def test_a_resumed_run_goes_on_where_it_stopped_and_tries_what_failed(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.enter(portion(0, 1, failed=2), again=NONE)
    with opened(tmp_path, resume=True) as ledger:
        assert pending(ledger) == [ITEMS[i].key for i in (2, 3, 4, 5)]


def test_a_run_is_not_overwritten(tmp_path: Path) -> None:
    with opened(tmp_path):
        pass
    with pytest.raises(OutputError, match="--resume"), opened(tmp_path):
        pass


def test_another_configuration_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path):
        pass
    with (
        pytest.raises(OutputError, match="another configuration"),
        opened(tmp_path, resume=True, fingerprint="g"),
    ):
        pass


def test_another_list_of_files_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path):
        pass
    with (
        pytest.raises(OutputError, match="another list of files"),
        open_ledger(tmp_path, ITEMS[:-1], fingerprint="f", resume=True),
    ):
        pass


def test_an_item_listed_twice_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match="twice"),
        open_ledger(tmp_path, [*ITEMS, ITEMS[0]], fingerprint="f", resume=False),
    ):
        pass


def test_after_a_refused_list_the_directory_is_as_new(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError),
        open_ledger(tmp_path, [*ITEMS, ITEMS[0]], fingerprint="f", resume=False),
    ):
        pass
    with opened(tmp_path) as ledger:
        assert len(pending(ledger)) == 6


def test_resuming_what_never_began_begins_it(tmp_path: Path) -> None:
    with opened(tmp_path, resume=True) as ledger:
        assert len(pending(ledger)) == 6


def test_a_second_run_in_the_same_directory_is_refused(tmp_path: Path) -> None:
    with (
        opened(tmp_path),
        pytest.raises(OutputError, match="in use by another run"),
        opened(tmp_path, resume=True),
    ):
        pass


def test_what_a_crash_left_unfinished_is_removed(tmp_path: Path) -> None:
    with opened(tmp_path):
        pass
    (tmp_path / "partial" / "000009.sum.unfinished").write_bytes(b"half")
    with opened(tmp_path, resume=True):
        assert list((tmp_path / "partial").iterdir()) == []


def test_a_ledger_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(OutputError, match="damaged"), opened(tmp_path, resume=True):
        pass


def test_a_running_ledger_can_be_looked_at(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.enter(portion(0, 1), again=NONE)
        with view_ledger(tmp_path) as view:
            assert view.progress().n_done == 2


def test_looking_at_a_ledger_at_rest_writes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.enter(portion(0, 1), again=NONE)
    before = set(tmp_path.iterdir())
    with view_ledger(tmp_path) as view:
        assert view.progress().n_done == 2
        assert set(tmp_path.iterdir()) == before  # else the run of a colleague cannot be seen


def test_a_directory_without_a_ledger_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="holds no ledger"), view_ledger(tmp_path):
        pass


def test_reports_tell_what_became_of_what_is_done(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.enter(portion(3), again=NONE)
        assert list(ledger.view().reports()) == list(portion(3).reports)


def test_samples_count_sessions(tmp_path: Path) -> None:
    for resume in (False, True):
        with opened(tmp_path, resume=resume) as ledger:
            ledger.sample(Progress(6, 0, 0, 0, 0, 2.0))
    with view_ledger(tmp_path) as view:
        assert [sample.session for sample in view.samples()] == [1, 2]


def changed(directory: Path, statement: str) -> None:
    """Change a ledger as a failing disk may."""
    with opened(directory) as ledger:
        ledger.enter(portion(0, 1), again=NONE)
        ledger.enter(portion(2), again=NONE)
    with closing(sqlite3.connect(directory / "ledger.sqlite")) as database, database:
        database.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM partials WHERE number = 1",
        "UPDATE items SET partial = NULL WHERE partial = 1",
        "UPDATE items SET partial = 99 WHERE partial = 1",
        "UPDATE items SET state = 'dome' WHERE partial = 1",
    ],
)
def test_what_no_partial_sum_holds_is_worked_on_again(tmp_path: Path, statement: str) -> None:
    changed(tmp_path, statement)
    with opened(tmp_path, resume=True) as ledger:
        assert pending(ledger) == [ITEMS[i].key for i in (0, 1, 3, 4, 5)]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM items WHERE position = 3",
        "UPDATE items SET key = 'other' WHERE position = 3",
        "UPDATE items SET key = CAST(x'e6' AS TEXT) WHERE position = 3",
        "UPDATE partials SET name = x'00' WHERE number = 1",
        "DELETE FROM facts WHERE name = 'fingerprint'",
        "DROP TABLE partials",
    ],
)
def test_a_ledger_that_does_not_list_its_run_is_refused(tmp_path: Path, statement: str) -> None:
    changed(tmp_path, statement)
    with pytest.raises(OutputError, match="is damaged"), opened(tmp_path, resume=True):
        pass


def test_a_damaged_item_in_the_ledger_is_not_what_is_worked_on(tmp_path: Path) -> None:
    changed(tmp_path, "UPDATE items SET item = x'00' WHERE position > 0")
    with opened(tmp_path, resume=True) as ledger:
        assert pending(ledger) == [item.key for item in ITEMS[3:]]
        ledger.enter(portion(failed=3), again=NONE)
    with pytest.raises(OutputError, match="is damaged"), view_ledger(tmp_path) as view:
        view.failed()
