"""Finding the baskets of several branches at once, against the plain definition."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fourlep.io.lean.branch_set import BranchSet
from fourlep.io.lean.layout import Form, Layout
from fourlep.io.lean.tree import Branch

N_ENTRIES = 40
#: First entries of a branch's baskets; a basket may be empty.
_CUTS = st.lists(st.integers(0, N_ENTRIES), max_size=8).map(sorted)
_ENTRIES = st.sets(st.integers(0, N_ENTRIES - 1)).map(sorted)


def _branch(name: str, cuts: list[int], form: Form = Form.VECTOR) -> Branch:
    entries = np.array([0, *cuts, N_ENTRIES], dtype=np.int64)
    n = len(entries) - 1
    seeks = 1000 * len(name) + np.arange(n)
    layout = Layout(form, np.dtype("f4"))
    return Branch(name, layout, entries, seeks, np.full(n, 10 * len(name)), 100 * n)


def _holding(branch: Branch, entries: list[int]) -> list[int]:
    edges = list(zip(branch.entries[:-1], branch.entries[1:], strict=True))
    return [k for k, (first, after) in enumerate(edges) if any(first <= e < after for e in entries)]


@given(tables=st.lists(_CUTS, min_size=1, max_size=4), entries=_ENTRIES)
def test_baskets_are_those_that_hold_an_entry(tables: list[list[int]], entries: list[int]) -> None:
    branches = [_branch("x" * (k + 1), cuts) for k, cuts in enumerate(tables)]
    found = BranchSet(tuple(branches)).baskets(np.asarray(entries, dtype=np.int64))
    expected = [_holding(branch, entries) for branch in branches]
    assert found.counts.tolist() == [len(each) for each in expected]
    assert found.seek.tolist() == [
        int(branch.seeks[k]) for branch, each in zip(branches, expected, strict=True) for k in each
    ]
    for place in range(len(found.row)):
        branch = found.branch_of(place)
        assert found.size[place] == 10 * len(branch.name)
    assert found.cost == 100 * len(found.row)


@given(
    tables=st.lists(_CUTS, min_size=1, max_size=4),
    start=st.integers(0, N_ENTRIES - 1),
    n=st.integers(1, N_ENTRIES),
)
def test_baskets_of_a_window_are_those_of_its_entries(
    tables: list[list[int]], start: int, n: int
) -> None:
    branches = BranchSet(tuple(_branch("x" * (k + 1), cuts) for k, cuts in enumerate(tables)))
    stop = min(start + n, N_ENTRIES)
    found = branches.baskets_between(start, stop)
    expected = branches.baskets(np.arange(start, stop))
    assert found.row.tolist() == expected.row.tolist()
    assert found.counts.tolist() == expected.counts.tolist()


def test_entries_of_scalars_have_one_length() -> None:
    branches = BranchSet((_branch("a", [], Form.SCALAR), _branch("ab", [20])))
    assert branches.entry_bytes.tolist() == [4, 0]
    assert branches.tables.first.tolist() == [0, 0, 20]
    assert branches.tables.after.tolist() == [40, 20, 40]
