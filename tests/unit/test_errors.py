"""The tree of errors."""

import pickle

import pytest

from fourlep import errors


def _all(kind: type[errors.FourlepError]) -> list[type[errors.FourlepError]]:
    return [kind, *(deeper for child in kind.__subclasses__() for deeper in _all(child))]


def test_an_error_says_what_happened_and_what_to_do() -> None:
    assert str(errors.FitError("no minimum", remedy="widen")) == "no minimum\n  -> widen"


def test_an_error_without_a_remedy_is_its_message() -> None:
    assert str(errors.FitError("no minimum")) == "no minimum"


def test_wrong_usage_exits_with_2_and_a_failed_run_with_1() -> None:
    assert errors.ConfigError("x").exit_code == 2
    assert errors.CorruptFileError("x").exit_code == 1


@pytest.mark.parametrize("kind", _all(errors.ReadError))
def test_a_read_error_keeps_its_fields_on_the_way_from_a_worker(
    kind: type[errors.ReadError],
) -> None:
    sent = kind("cut short", url="root://a//b", remedy="again")
    received = pickle.loads(pickle.dumps(sent))
    assert type(received) is kind
    assert (received.message, received.url, received.remedy) == (
        "cut short",
        "root://a//b",
        "again",
    )


@pytest.mark.parametrize("kind", _all(errors.FourlepError))
def test_every_error_is_drawn_in_the_tree(kind: type[errors.FourlepError]) -> None:
    assert kind.__name__ in (errors.__doc__ or "")
