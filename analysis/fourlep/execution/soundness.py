"""Whether a ledger that was found is whole: SQLite has no checksums over its pages.

A disk or a hand that changes bytes in ``ledger.sqlite`` must not change what is counted. The
sums have checksums of their own, so what matters here is that the ledger still lists every
item of the run, and for each that is done the sum that holds it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import zip_longest

#: Columns on which something depends, and what SQLite must find in them.
_TYPES = {
    "items": {"key": "text", "state": "text"},
    "partials": {"name": "text", "sha256": "text"},
    "facts": {"name": "text", "value": "text"},
}

_FACTS = frozenset({"fingerprint", "items", "session"})

#: Items that nothing holds, whatever their state says: a row of ``partials`` was lost, or the
#: state is none.
_TAKE_UP = """
UPDATE items SET state = 'pending', partial = NULL
WHERE state != 'pending'
    AND (state != 'done' OR partial IS NULL OR partial NOT IN (SELECT number FROM partials))
"""


def require_sound(database: sqlite3.Connection) -> None:
    """Refuse a database that is damaged.

    Raises
    ------
    sqlite3.DatabaseError
        Saying where.
    """
    (found,) = database.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(str(found))
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    if not tables >= {*_TYPES, "samples"}:
        raise sqlite3.DatabaseError("a table is missing")
    for table, columns in _TYPES.items():
        wrong = " OR ".join(f"typeof({name}) != '{kind}'" for name, kind in columns.items())
        (count,) = database.execute(f"SELECT COUNT(*) FROM {table} WHERE {wrong}").fetchone()  # noqa: S608  # our own names
        if count:
            raise sqlite3.DatabaseError(f"{count} rows of {table} hold other types")
    names = {name for (name,) in database.execute("SELECT name FROM facts")}
    if names != _FACTS:
        raise sqlite3.DatabaseError(f"facts are {', '.join(sorted(names)) or 'missing'}")


def require_items(database: sqlite3.Connection, keys: Sequence[str]) -> None:
    """Refuse a database that does not list the items of the run, each in its place.

    Parameters
    ----------
    database
        Of a ledger.
    keys
        Of all items, in order.

    Raises
    ------
    sqlite3.DatabaseError
        Naming the first that is not there.
    """
    rows = database.execute("SELECT position, key FROM items ORDER BY position")
    for row, wanted in zip_longest(rows, enumerate(keys)):
        if row != wanted:
            raise sqlite3.DatabaseError(f"item {wanted or row} is not where it belongs")


def take_up(database: sqlite3.Connection) -> None:
    """Make everything pending that no partial sum holds: what failed, and what was lost."""
    database.execute(_TAKE_UP)
