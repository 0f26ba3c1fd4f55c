"""The ledger of a run: what became of every item, and which partial sums hold it.

SQLite with a write-ahead log in ``DIR/ledger.sqlite``, sums in ``DIR/partial/``. An item
is entered as done in the transaction that enters the partial sum holding it, after that
sum is durable: whatever is killed, the ledger never claims what the disk does not have.
"""

from __future__ import annotations

import hashlib
import pickle
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fourlep.errors import FourlepError, OutputError
from fourlep.execution.durable import UNFINISHED, exclusive, read_whole, write_whole
from fourlep.execution.ledger_view import (
    FILE_NAME,
    LedgerView,
    connected,
    is_empty,
    translated,
)
from fourlep.execution.model import Failure, Item, ItemReport, Portion, Progress
from fourlep.execution.soundness import require_items, require_sound, take_up

LOCK_NAME = "ledger.lock"
PARTIAL = "partial"

_SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE items (
    position INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, item BLOB NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending', attempts INTEGER NOT NULL DEFAULT 0,
    endpoint TEXT NOT NULL DEFAULT '', n_events INTEGER NOT NULL DEFAULT 0,
    n_selected INTEGER NOT NULL DEFAULT 0, read_bytes INTEGER NOT NULL DEFAULT 0,
    wall_s REAL NOT NULL DEFAULT 0, uuid TEXT NOT NULL DEFAULT '',
    error_kind TEXT NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT '',
    is_permanent INTEGER NOT NULL DEFAULT 0, partial INTEGER
);
CREATE INDEX items_by_state ON items (state, position);
CREATE INDEX items_by_partial ON items (partial);
CREATE TABLE partials (
    number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, sha256 TEXT NOT NULL,
    n_items INTEGER NOT NULL, n_bytes INTEGER NOT NULL
);
CREATE TABLE samples (
    session INTEGER, elapsed_s REAL, n_done INTEGER, n_failed INTEGER, read_bytes INTEGER
);
"""

_DONE = """
UPDATE items SET state = 'done', attempts = attempts + ?, endpoint = ?, n_events = ?,
    n_selected = ?, read_bytes = ?, wall_s = ?, uuid = ?, partial = ?,
    error_kind = '', error = '', is_permanent = 0
WHERE key = ? AND state != 'done'
"""
_FAILED = """
UPDATE items SET state = ?, attempts = attempts + ?, endpoint = ?, wall_s = ?,
    error_kind = ?, error = ?, is_permanent = ?
WHERE key = ? AND state != 'done'
"""


class Ledger:
    """The ledger of one directory, open for writing.

    Made by `open_ledger`, which holds the directory's lock.
    """

    def __init__(
        self, directory: Path, database: sqlite3.Connection, items: Sequence[Item]
    ) -> None:
        self._directory = directory
        self._database = database
        self._items = items
        self._session = int(self._fact("session"))

    def pending(self, after: int, limit: int) -> list[tuple[int, Item]]:
        """Up to ``limit`` pending items behind position ``after``, in order."""
        rows = self._database.execute(
            "SELECT position FROM items WHERE state = 'pending' AND position > ? "
            "ORDER BY position LIMIT ?",
            (after, limit),
        )
        return [(position, self._items[position]) for (position,) in rows]

    def enter(self, portion: Portion, *, again: frozenset[str]) -> None:
        """Store a portion's sum, then note what became of its items.

        Parameters
        ----------
        portion
            From a backend.
        again
            Keys of failed items that will be given out once more: they stay pending.

        Raises
        ------
        OutputError
            If the directory cannot be written; nothing is entered then.
        """
        with self._transaction():
            partial = self._store(portion) if portion.held else None
            cursor = self._database.executemany(
                _DONE, [_done_row(r, partial) for r in portion.reports if r.failure is None]
            )
            if portion.held and cursor.rowcount != len(portion.held):
                raise FourlepError(
                    f"{len(portion.held) - cursor.rowcount} items would be counted twice",
                    remedy="this is an error of the program: please report it",
                )
            self._database.executemany(
                _FAILED,
                [
                    _failed_row(r, r.failure, "pending" if r.key in again else "failed")
                    for r in portion.reports
                    if r.failure is not None
                ],
            )

    def _store(self, portion: Portion) -> int:
        cursor = self._database.execute(
            "INSERT INTO partials (name, sha256, n_items, n_bytes) VALUES ('', '', ?, ?)",
            (len(portion.held), len(portion.payload)),
        )
        number = int(cursor.lastrowid or 0)
        name = f"{number:06d}.sum"
        sha256 = write_whole(self._directory / PARTIAL / name, portion.payload)
        self._database.execute(
            "UPDATE partials SET name = ?, sha256 = ? WHERE number = ?", (name, sha256, number)
        )
        return number

    def sums(self) -> Iterator[tuple[int, bytes | None, frozenset[str]]]:
        """Each partial sum: its number, its bytes (None if damaged), the keys it must hold."""
        rows = self._database.execute("SELECT number, name, sha256 FROM partials ORDER BY number")
        for number, name, sha256 in rows.fetchall():
            keys = self._database.execute("SELECT key FROM items WHERE partial = ?", (number,))
            content = read_whole(self._directory / PARTIAL / name, sha256)
            yield number, content, frozenset(key for (key,) in keys)

    def discard(self, number: int) -> None:
        """Take a damaged partial sum out: its items are pending again."""
        with self._transaction():
            self._database.execute(
                "UPDATE items SET state = 'pending', partial = NULL WHERE partial = ?", (number,)
            )
            (name,) = self._database.execute(
                "SELECT name FROM partials WHERE number = ?", (number,)
            ).fetchone()
            self._database.execute("DELETE FROM partials WHERE number = ?", (number,))
        (self._directory / PARTIAL / name).unlink(missing_ok=True)

    def sample(self, progress: Progress) -> None:
        """Note how far the run is."""
        with self._transaction():
            self._database.execute(
                "INSERT INTO samples VALUES (?, ?, ?, ?, ?)",
                (
                    self._session,
                    progress.elapsed_s,
                    progress.n_done,
                    progress.n_failed,
                    progress.read_bytes,
                ),
            )

    def view(self) -> LedgerView:
        """Look at the same ledger."""
        return LedgerView(self._database)

    def _fact(self, name: str) -> str:
        return _facts(self._database)[name]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with translated(self._directory / FILE_NAME), self._database:
            self._database.execute("BEGIN IMMEDIATE")
            yield


@contextmanager
def open_ledger(
    directory: Path, items: Sequence[Item], *, fingerprint: str, resume: bool
) -> Iterator[Ledger]:
    """Open the ledger of a directory for one run, making it where there is none.

    Parameters
    ----------
    directory
        Created where it does not exist.
    items
        Every item of the run; keys are unique.
    fingerprint
        Of everything that decides the result, besides the items.
    resume
        Whether to continue the run that is in the directory.

    Raises
    ------
    OutputError
        If another process uses the directory, it holds another run, or one and ``resume``
        is false, or it cannot be written.
    """
    try:
        (directory / PARTIAL).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot use {directory}: {error.strerror}", remedy="choose another output directory"
        ) from error
    with exclusive(directory / LOCK_NAME):
        for left_over in (directory / PARTIAL).glob(f"*{UNFINISHED}"):
            left_over.unlink()
        with translated(directory / FILE_NAME), connected(directory / FILE_NAME) as database:
            if not is_empty(database):
                _check(database, directory, items, fingerprint, resume=resume)
                _begin_session(database)
            else:
                _fill(database, items, fingerprint)
            yield Ledger(directory, database, items)


def _facts(database: sqlite3.Connection) -> dict[str, str]:
    return dict(database.execute("SELECT name, value FROM facts").fetchall())


def _fill(database: sqlite3.Connection, items: Sequence[Item], fingerprint: str) -> None:
    digest = hashlib.sha256()

    def rows() -> Iterator[tuple[int, str, bytes]]:
        for position, item in enumerate(items):
            digest.update(f"{item.key}\n".encode())
            yield position, item.key, pickle.dumps(item)

    with database:
        database.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA.split(";"):
            database.execute(statement)
        try:
            database.executemany("INSERT INTO items (position, key, item) VALUES (?, ?, ?)", rows())
        except sqlite3.IntegrityError as error:
            raise OutputError(
                "an item is listed twice in what the run was given",
                remedy="list each file once",
            ) from error
        facts = {"fingerprint": fingerprint, "items": digest.hexdigest(), "session": "1"}
        database.executemany("INSERT INTO facts VALUES (?, ?)", list(facts.items()))


def _check(
    database: sqlite3.Connection,
    directory: Path,
    items: Sequence[Item],
    fingerprint: str,
    *,
    resume: bool,
) -> None:
    if not resume:
        raise OutputError(
            f"{directory} holds a run already",
            remedy="continue it with --resume, or choose another output directory",
        )
    require_sound(database)
    facts = _facts(database)
    keys = [item.key for item in items]
    digest = hashlib.sha256("".join(f"{key}\n" for key in keys).encode())
    changed = [
        name
        for name, differs in (
            ("configuration or version of the software", facts["fingerprint"] != fingerprint),
            ("list of files", facts["items"] != digest.hexdigest()),
        )
        if differs
    ]
    if changed:
        raise OutputError(
            f"{directory} holds a run with another {' and another '.join(changed)}",
            remedy="continue with the fileset, configuration, fourlep and packages that it was"
            " begun with, or choose another output directory",
        )
    require_items(database, keys)


def _begin_session(database: sqlite3.Connection) -> None:
    """Count the session, and give failed items another chance."""
    with database:
        database.execute("BEGIN IMMEDIATE")
        database.execute("UPDATE facts SET value = value + 1 WHERE name = 'session'")
        take_up(database)


def _done_row(report: ItemReport, partial: int | None) -> Sequence[Any]:
    return (
        report.attempts,
        report.endpoint,
        report.n_events,
        report.n_selected,
        report.read_bytes,
        report.wall_s,
        report.uuid,
        partial,
        report.key,
    )


def _failed_row(report: ItemReport, failure: Failure, state: str) -> Sequence[Any]:
    return (
        state,
        report.attempts,
        report.endpoint,
        report.wall_s,
        failure.kind,
        failure.message,
        failure.is_permanent,
        report.key,
    )
