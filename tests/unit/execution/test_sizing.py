from __future__ import annotations

import pytest

from fourlep.execution.sizing import CostModel, fair_share


def test_the_first_guess_counts_items() -> None:
    assert CostModel(per_item_s=0.5).fitting([10] * 100, target_s=5.0, most=64) == 10


def test_costs_by_item_are_learnt() -> None:
    model = CostModel()
    for n in (1, 4, 16):
        model.measure([-1] * n, 0.25 * n)
    assert model.seconds(-1) == pytest.approx(0.25)


def test_costs_by_byte_are_learnt() -> None:
    model = CostModel()
    for sizes in ([100], [1000], [100, 1000], [10] * 7):
        model.measure(sizes, sum(0.1 + 0.001 * size for size in sizes))
    assert model.seconds(0) == pytest.approx(0.1, rel=1e-6)
    assert model.seconds(500) == pytest.approx(0.6, rel=1e-6)


def test_a_batch_that_shrinks_with_bytes_gives_no_negative_cost() -> None:
    model = CostModel()
    model.measure([10], 2.0)
    model.measure([1000], 1.0)
    assert model.seconds(10**9) >= 0.0


def test_a_free_item_gives_no_negative_cost() -> None:
    model = CostModel()
    model.measure([1000] * 2, 1.0)
    model.measure([1000, 1], 0.1)
    assert model.seconds(0) >= 0.0


def test_old_batches_fade() -> None:
    model = CostModel()
    model.measure([-1] * 10, 100.0)
    for _ in range(100):
        model.measure([-1] * 10, 1.0)
    assert model.seconds(-1) == pytest.approx(0.1, rel=0.01)


def test_one_item_is_a_batch_however_long_it_takes() -> None:
    assert CostModel(per_item_s=100.0).fitting([1, 1], target_s=1.0, most=8) == 1


def test_nothing_makes_no_batch() -> None:
    assert CostModel().fitting([], target_s=1.0, most=8) == 0


def test_a_batch_has_at_most_so_many_items() -> None:
    assert CostModel(per_item_s=0.0).fitting([1] * 50, target_s=1.0, most=8) == 8


def test_the_last_items_are_shared() -> None:
    assert fair_share(100, 10) == 5
    assert fair_share(3, 10) == 1
    assert fair_share(0, 10) == 1
