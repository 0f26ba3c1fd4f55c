from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fourlep.io.transport.coalesce import coalesce, read_coalesced
from fourlep.io.transport.source import Range, lay_end_to_end

_CONTENT = bytes(range(256)) * 4
_RANGES = st.lists(
    st.integers(0, len(_CONTENT)).flatmap(
        lambda begin: st.tuples(st.just(begin), st.integers(0, len(_CONTENT) - begin))
    ),
    max_size=20,
)


class _Memory:
    """A source of bytes at hand."""

    url = "memory"
    size = len(_CONTENT)
    is_remote = False
    read_bytes = 0
    requests = 0

    def read_ranges(self, ranges: tuple[Range, ...]) -> list[bytes]:
        self.requests += len(ranges)
        return [_CONTENT[begin : begin + length] for begin, length in ranges]

    def read_into(self, ranges: tuple[Range, ...], room: memoryview) -> None:
        lay_end_to_end(self.read_ranges(ranges), room)

    def close(self) -> None: ...


def _columns(wanted: list[Range]) -> tuple[np.ndarray, np.ndarray]:
    columns = np.asarray(sorted(wanted), dtype=np.int64).reshape(-1, 2)
    return columns[:, 0], columns[:, 1]


def test_neighbours_are_joined_up_to_the_gap() -> None:
    plan = coalesce(*_columns([(0, 10), (20, 10), (41, 10)]), gap_bytes=10)
    assert plan.reads == ((0, 30), (41, 10))
    assert plan.place.tolist() == [0, 20, 30]


def test_a_range_within_another_is_read_once() -> None:
    plan = coalesce(*_columns([(0, 100), (10, 5), (100, 1)]), gap_bytes=0)
    assert plan.reads == ((0, 101),)
    assert plan.place.tolist() == [0, 10, 100]


@given(wanted=_RANGES, gap=st.integers(0, 100))
def test_every_range_comes_back_as_if_read_alone(wanted: list[Range], gap: int) -> None:
    source = _Memory()
    data, place = read_coalesced(source, _columns(wanted), gap, partial(np.empty, dtype=np.uint8))
    for at, (begin, length) in zip(place.tolist(), sorted(wanted), strict=True):
        assert data[at : at + length].tobytes() == _CONTENT[begin : begin + length]
    assert source.requests <= len(wanted)


@given(wanted=_RANGES, gap=st.integers(0, 100))
def test_what_is_read_lies_apart_by_more_than_the_gap(wanted: list[Range], gap: int) -> None:
    reads = coalesce(*_columns(wanted), gap).reads
    for (begin, length), (after, _) in pairwise(reads):
        assert after > begin + length + gap
