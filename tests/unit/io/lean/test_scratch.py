"""Buffers that are used again, and never by two at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

import numpy as np
import pytest

from fourlep.benchmark.files import cascade
from fourlep.events import Events
from fourlep.io.lean import scratch
from fourlep.io.lean.reader import LeanFile
from fourlep.io.lean.scratch import Scratch
from lean_files import WriteLean
from same_events import assert_same


@pytest.fixture(autouse=True)
def fresh_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that other tests have given back."""
    monkeypatch.setattr(scratch, "_POOL", scratch._Pool())


def test_what_is_given_back_is_lent_again() -> None:
    one = Scratch()
    first = one.room(3 << 20)
    first[:] = 7
    one.give_back()
    again = one.room(2 << 20)
    assert np.shares_memory(first, again)
    assert len(again) == 2 << 20
    one.give_back()


def test_two_rooms_share_nothing_until_they_are_given_back() -> None:
    one, other = Scratch(), Scratch()
    rooms = [one.room(1000), one.room(1000), other.room(1000), other.room(0)]
    for k, room in enumerate(rooms):
        assert not any(np.shares_memory(room, each) for each in rooms[k + 1 :])
    one.give_back()
    other.give_back()


def test_little_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "_MAX_FREE_BYTES", 1 << 20)
    one = Scratch()
    for _ in range(10):
        one.room(1 << 19)
    one.give_back()
    assert scratch._POOL.n_bytes == 1 << 20


def test_files_that_are_read_in_turns_do_not_disturb_each_other(
    write_lean: WriteLean, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fourlep.io.lean.gather.PART_BYTES", 50_000)
    paths = [str(write_lean(share=share, name=f"{share}.root")) for share in (0.4, 0.8)]
    columns = ["event.number", "electron.pt", "muon.d0", "event.generator_weight"]

    def parts(path: str) -> Iterator[Events]:
        with LeanFile(path) as file:
            yield from file.survivors(cascade(), columns)

    alone = [list(parts(path)) for path in paths]
    assert min(map(len, alone)) > 2
    assert sum(map(len, alone[0])) != sum(map(len, alone[1]))
    in_turns = list(zip_longest(*(parts(path) for path in paths)))
    for k, expected in enumerate(alone):
        for found, wanted in zip([turn[k] for turn in in_turns], expected, strict=False):
            assert_same(found, wanted)


def test_rounds_share_a_block_until_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "_BLOCK_BYTES", 1 << 20)
    one = Scratch()
    block = one.block(1000)
    first, room = block.room(1000)
    room[:] = 7
    assert one.block(5000) is block
    second, _ = block.room(5000)
    assert (first, second) == (0, 1000)
    assert set(block.data[first:second]) == {7}
    assert one.block(1 << 20) is not block  # what is left does not do


def test_what_is_lent_cannot_be_written_by_its_readers() -> None:
    block = Scratch().block(10)
    with pytest.raises(ValueError, match="read-only"):
        block.data[0] = 1
