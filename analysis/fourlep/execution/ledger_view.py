"""What a ledger says; also while a run is using it, from another process."""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fourlep.errors import OutputError
from fourlep.execution.model import Failed, Failure, Item, ItemReport, Progress, Sample, Traffic

FILE_NAME = "ledger.sqlite"


class LedgerView:
    """What a ledger says; also from another process while the run goes on."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def progress(self, elapsed_s: float = 0.0) -> Progress:
        """Count over all items; ``elapsed_s`` is passed on."""
        rows = self._database.execute(
            "SELECT state, COUNT(*), SUM(n_events), SUM(read_bytes) FROM items GROUP BY state"
        )
        by_state = {state: (count, events, size) for state, count, events, size in rows}
        n_done, n_events, read_bytes = by_state.get("done", (0, 0, 0))
        return Progress(
            n_items=sum(count for count, _, _ in by_state.values()),
            n_done=n_done,
            n_failed=by_state.get("failed", (0, 0, 0))[0],
            n_events=n_events,
            read_bytes=read_bytes,
            elapsed_s=elapsed_s,
        )

    def failed(self) -> tuple[Failed, ...]:
        """List the items given up, in the order of the run."""
        rows = self._database.execute(
            "SELECT item, attempts, endpoint, error_kind, error, is_permanent FROM items "
            "WHERE state = 'failed' ORDER BY position"
        )
        return tuple(
            Failed(item.key, attempts, endpoint, Failure(kind, error, bool(permanent)), item.url)
            for blob, attempts, endpoint, kind, error, permanent in rows
            for item in (unpickled(blob),)
        )

    def traffic(self) -> tuple[Traffic, ...]:
        """Sum what each endpoint delivered, over the items done."""
        rows = self._database.execute(
            "SELECT endpoint, COUNT(*), SUM(n_events), SUM(read_bytes) FROM items "
            "WHERE state = 'done' GROUP BY endpoint ORDER BY endpoint"
        )
        return tuple(Traffic(*row) for row in rows)

    def samples(self) -> tuple[Sample, ...]:
        """List how the run went on, all sessions."""
        rows = self._database.execute("SELECT * FROM samples ORDER BY session, elapsed_s")
        return tuple(Sample(*row) for row in rows)

    def reports(self) -> Iterator[ItemReport]:
        """Tell what became of each item done, in the order of the run."""
        rows = self._database.execute(
            "SELECT key, endpoint, attempts, wall_s, n_events, n_selected, read_bytes, uuid "
            "FROM items WHERE state = 'done' ORDER BY position"
        )
        for key, endpoint, attempts, wall_s, *counts in rows:
            yield ItemReport(key, endpoint, attempts, wall_s, None, *counts)


@contextmanager
def view_ledger(directory: Path) -> Iterator[LedgerView]:
    """Look at the ledger of a directory, whether or not a run is using it.

    Raises
    ------
    OutputError
        If there is none.
    """
    path = directory / FILE_NAME
    if not path.is_file():
        raise OutputError(
            f"{directory} holds no ledger of a run",
            remedy="give the output directory of fourlep run",
        )
    # Without a write-ahead log nobody writes. SQLite would make one to look, and cannot
    # where the directory is somebody else's.
    is_at_rest = not path.with_name(f"{path.name}-wal").exists()
    mode = "ro&immutable=1" if is_at_rest else "ro"
    with translated(path), connected(path, mode=mode) as database:
        yield LedgerView(database)


def holds_run(directory: Path) -> bool:
    """Whether a directory has the ledger of a run, whole or damaged.

    A client that was killed before it had listed its items leaves an empty one.
    """
    path = directory / FILE_NAME
    if not path.is_file():
        return False
    with suppress(OutputError), translated(path), connected(path, mode="ro") as database:
        return not is_empty(database)
    return True


def is_empty(database: sqlite3.Connection) -> bool:
    """Whether nothing was ever written into a ledger's database."""
    (count,) = database.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
    return bool(count == 0)


@contextmanager
def connected(path: Path, mode: str = "rwc") -> Iterator[sqlite3.Connection]:
    """Open a ledger's database; ``mode`` begins with ``ro`` for looking only."""
    database = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=30.0
    )
    try:
        database.text_factory = lambda text: text.decode(errors="replace")  # damage is found later
        if not mode.startswith("ro"):
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
        yield database
    finally:
        with suppress(sqlite3.Error):  # a full disk must not hide what happened before
            database.close()


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Translate SQLite's errors about the database ``path``."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise OutputError(
            f"cannot use {path}: {error}",
            remedy="free some space or mend the permissions, then continue with --resume",
        ) from error
    except sqlite3.DatabaseError as error:
        raise OutputError(
            f"{path} is damaged: {error}",
            remedy="begin anew in another directory; the partial sums alone cannot be trusted",
        ) from error


def unpickled(blob: bytes) -> Item:
    """Make an item of the bytes that the ledger holds.

    Raises
    ------
    sqlite3.DatabaseError
        If they are damaged.
    """
    try:
        item: Item = pickle.loads(blob)  # noqa: S301  # a ledger is as trusted as its directory
    except Exception as error:  # damage surfaces as any exception at all
        raise sqlite3.DatabaseError(f"an item cannot be read: {error}") from error
    return item
