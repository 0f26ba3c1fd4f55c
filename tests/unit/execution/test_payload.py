from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fourlep.execution.model import ItemReport, Portion
from fourlep.execution.payload import add_all, combine, pack, unpack
from toys import ToyResult, expected, items


def test_a_sum_survives_its_bytes() -> None:
    result = ToyResult.of(items(1)[0])
    assert unpack(pack(result)).value == result.value


@given(st.permutations(items(40)))
def test_the_order_of_the_terms_changes_no_bit(shuffled: list) -> None:
    total = add_all(ToyResult.of(item) for item in shuffled)
    assert total is not None
    assert total.value == expected(items(40))
    assert len(total.records) == 40


def test_nothing_sums_to_none() -> None:
    assert add_all([]) is None


def portion(number: int, keys: int) -> Portion:
    chosen = items(20)[number * 5 : number * 5 + keys]
    total = add_all(ToyResult.of(item) for item in chosen)
    reports = tuple(ItemReport(item.key, "local", 1, 0.1) for item in chosen)
    return Portion(pack(total) if total else b"", reports, 1.5, (number,))


def test_combined_portions_hold_everything() -> None:
    combined = combine([portion(0, 5), portion(1, 0), portion(2, 3)])
    assert combined.batches == (0, 1, 2)
    assert combined.busy_s == 4.5
    assert frozenset(unpack(combined.payload).records) == combined.held
    assert len(combined.held) == 8


def test_portions_without_sums_combine_to_one_without() -> None:
    assert combine([portion(0, 0), portion(1, 0)]).payload == b""
