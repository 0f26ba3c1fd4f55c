"""Whether two readers gave the same events, to the last bit."""

from __future__ import annotations

from collections.abc import Iterable

import awkward as ak
import numpy as np

from fourlep.events import Events


def joined(parts: Iterable[Events]) -> Events | None:
    """The events of all parts, None where there is no part."""
    every = list(parts)
    if not every:
        return None
    first = every[0]
    return Events(
        entry=np.concatenate([part.entry for part in every]),
        event={name: np.concatenate([part.event[name] for part in every]) for name in first.event},
        electrons=ak.concatenate([part.electrons for part in every]),
        muons=ak.concatenate([part.muons for part in every]),
        triggers={
            name: np.concatenate([part.triggers[name] for part in every]) for name in first.triggers
        },
        is_simulation=first.is_simulation,
        absent=first.absent,
    )


def assert_same(left: Events | None, right: Events | None) -> None:
    """Equal entries, types and bits in every column."""
    if left is None or right is None:
        assert left is right, "one reader found survivors and the other did not"
        return
    np.testing.assert_array_equal(left.entry, right.entry)
    assert left.absent == right.absent
    assert left.is_simulation == right.is_simulation
    for mine, other in ((left.event, right.event), (left.triggers, right.triggers)):
        assert mine.keys() == other.keys()
        for name in mine:
            assert mine[name].dtype == other[name].dtype, name
            assert mine[name].tobytes() == other[name].tobytes(), name
    for mine, other in ((left.electrons, right.electrons), (left.muons, right.muons)):
        assert ak.fields(mine) == ak.fields(other)
        for name in ak.fields(mine):
            _assert_same_lists(mine[name], other[name], name)


def _assert_same_lists(mine: ak.Array, other: ak.Array, name: str) -> None:
    np.testing.assert_array_equal(ak.num(mine), ak.num(other), err_msg=name)
    flat, others = ak.to_numpy(ak.flatten(mine)), ak.to_numpy(ak.flatten(other))
    assert flat.dtype == others.dtype, name
    np.testing.assert_array_equal(flat, others, err_msg=name)  # a NaN equals a NaN
