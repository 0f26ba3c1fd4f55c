from __future__ import annotations

from fourlep.io.breaker import Breaker
from fourlep.io.routes import Place

CACHE = Place("root://cache//a", "root://cache:1094", "cache")
ORIGIN = Place("root://origin//a", "root://origin:1094", "origin")
BOTH = (CACHE, ORIGIN)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def breaker(clock: Clock) -> Breaker:
    return Breaker(threshold=3, pause_s=5.0, max_pause_s=12.0, clock=clock)


def fail(subject: Breaker, times: int) -> None:
    for _ in range(times):
        subject.failed(CACHE.endpoint)


def test_places_keep_their_order_while_all_is_well() -> None:
    assert breaker(Clock()).ordered(BOTH) == BOTH


def test_two_failures_change_nothing() -> None:
    subject = breaker(Clock())
    fail(subject, 2)
    assert subject.ordered(BOTH) == BOTH


def test_an_endpoint_that_failed_three_times_in_a_row_comes_last() -> None:
    subject = breaker(Clock())
    fail(subject, 3)
    assert subject.ordered(BOTH) == (ORIGIN, CACHE)


def test_a_success_in_between_starts_the_count_anew() -> None:
    subject = breaker(Clock())
    fail(subject, 2)
    subject.succeeded(CACHE.endpoint)
    fail(subject, 2)
    assert subject.ordered(BOTH) == BOTH


def test_after_its_pause_an_endpoint_has_its_turn_again() -> None:
    clock = Clock()
    subject = breaker(clock)
    fail(subject, 3)
    clock.now += 5.0
    assert subject.ordered(BOTH) == BOTH


def test_a_failed_second_chance_opens_the_circuit_for_longer() -> None:
    clock = Clock()
    subject = breaker(clock)
    fail(subject, 3)
    clock.now += 5.0
    fail(subject, 1)
    clock.now += 9.9
    assert subject.is_open(CACHE.endpoint)
    clock.now += 0.1
    assert not subject.is_open(CACHE.endpoint)


def test_the_pause_is_bounded() -> None:
    clock = Clock()
    subject = breaker(clock)
    fail(subject, 1000)
    clock.now += 12.0
    assert not subject.is_open(CACHE.endpoint)


def test_nothing_is_dropped_when_every_circuit_is_open() -> None:
    subject = breaker(Clock())
    for _ in range(3):
        subject.failed(CACHE.endpoint)
        subject.failed(ORIGIN.endpoint)
    assert subject.ordered(BOTH) == BOTH
