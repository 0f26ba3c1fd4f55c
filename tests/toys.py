"""A summable result and items without physics, for tests of the execution.

A module of its own, because worker processes import it.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fourlep.errors import (
    CorruptFileError,
    DatasetError,
    MissingFileError,
    TransientReadError,
)
from fourlep.exact import ExactSums


@dataclass(frozen=True, slots=True)
class ToyItem:
    """An item that is worth the float ``value``."""

    key: str
    value: float = 1.0
    url: str = "local"
    n_bytes: int = -1


@dataclass(frozen=True, slots=True)
class ToyRecord:
    n_events: int
    n_selected: int = 0
    read_bytes: int = 0
    uuid: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ToyResult:
    """An exact sum that lists what it holds."""

    total: ExactSums
    records: Mapping[str, ToyRecord] = field(default_factory=dict)

    @classmethod
    def of(cls, item: ToyItem) -> ToyResult:
        total = ExactSums.of((1,), [0], [item.value])
        return cls(total, {item.key: ToyRecord(n_events=10, n_selected=1, read_bytes=100)})

    @property
    def value(self) -> float:
        return float(self.total.to_float()[0])

    def __add__(self, other: ToyResult) -> ToyResult:
        if set(self.records) & set(other.records):
            raise DatasetError("an item is counted twice")
        return ToyResult(self.total + other.total, {**self.records, **other.records})


def items(n: int) -> list[ToyItem]:
    """Items whose floating-point sum depends on the order of its terms."""
    return [ToyItem(f"item-{i:05d}", value=(-1.0) ** i * 10.0 ** (i % 17) / 3.0) for i in range(n)]


def expected(of: list[ToyItem]) -> float:
    """The exact sum of all items, rounded once."""
    return float(ExactSums.of((1,), [0] * len(of), [item.value for item in of]).to_float()[0])


def count(item: ToyItem, url: str) -> ToyResult:
    """The simplest work: the item's value."""
    return ToyResult.of(item)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Work that goes wrong for chosen items, by a plan on disk that survives processes.

    Parameters
    ----------
    folder
        Remembers, by a file for each key, which troubles have been had.
    plan
        What happens to a key at its first reads, one after another.
    """

    folder: str
    plan: Mapping[str, tuple[str, ...]]

    def __call__(self, item: ToyItem, url: str) -> ToyResult:
        for number, what in enumerate(self.plan.get(item.key, ())):
            if what.endswith("!") or self._is_first(f"{item.key}.{number}"):
                _go_wrong(what.rstrip("!"), url)
        return ToyResult.of(item)

    def _is_first(self, name: str) -> bool:
        try:
            (Path(self.folder) / name).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


def _go_wrong(what: str, url: str) -> None:
    if what == "hang":
        threading.Event().wait()
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "crash":
        ctypes.string_at(0)
    if what == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
        # The kernel may stop another thread first: this one must not end its read meanwhile.
        threading.Event().wait()
    if what == "error":
        raise ValueError("a program error")
    kinds = {
        "transient": TransientReadError,
        "missing": MissingFileError,
        "corrupt": CorruptFileError,
    }
    if what in kinds:
        raise kinds[what](f"{url}: {what}", url=url)


@dataclass(frozen=True, slots=True)
class Slow:
    """Work that takes its time, so that a run can be hit while it is under way."""

    seconds: float

    def __call__(self, item: ToyItem, url: str) -> ToyResult:
        threading.Event().wait(self.seconds)
        return ToyResult.of(item)


@dataclass(frozen=True, slots=True)
class Unlucky:
    """Work of which a share of the reads fails, chosen by a hash: repeatable luck.

    Parameters
    ----------
    share
        0 to 1.
    counts
        Reads so far, by key.
    injected
        Keys of the reads that failed.
    """

    share: float
    counts: dict[str, int] = field(default_factory=dict)
    injected: list[str] = field(default_factory=list)

    def __call__(self, item: ToyItem, url: str) -> ToyResult:
        count = self.counts[item.key] = self.counts.get(item.key, 0) + 1
        digest = hashlib.blake2b(f"{item.key} {count}".encode(), digest_size=4).digest()
        if int.from_bytes(digest, "big") < self.share * 2**32:
            self.injected.append(item.key)
            raise TransientReadError(f"{url}: injected", url=url)
        return ToyResult.of(item)
