"""Works on a batch inside one process: many items in flight, each along its routes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic

from fourlep.errors import FourlepError
from fourlep.execution.finishing import finished
from fourlep.execution.messages import Began, Ended
from fourlep.execution.model import Batch, I, ItemReport, Portion, R, Work
from fourlep.execution.payload import pack
from fourlep.execution.retry import Refusal, RetryPolicy, judge
from fourlep.io.breaker import Breaker
from fourlep.io.routes import Place, Routes


@dataclass(frozen=True, slots=True)
class Job(Generic[I, R]):
    """What a process needs to work on batches.

    Parameters
    ----------
    work
        Reads one item at one place; picklable.
    routes
        From origin to places.
    policy
        Bounds on trying again.
    in_flight
        Items of a batch that are worked on at once.
    """

    work: Work[I, R]
    routes: Routes = field(default_factory=Routes)
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    in_flight: int = 8


Watch = Callable[[Began | Ended], None]


class BatchReader(Generic[I, R]):
    """Works on batches in threads of this process.

    Parameters
    ----------
    job
        What to do with each item.
    watch
        Told of every read that begins and ends, from several threads.
    """

    def __init__(self, job: Job[I, R], watch: Watch = lambda _: None) -> None:
        self._job = job
        self._watch = watch
        self._breaker = Breaker()

    def run(self, batch: Batch[I]) -> Portion:
        """Work on every item; what fails is reported, the sum of the others survives."""
        started = time.monotonic()
        with ThreadPoolExecutor(self._job.in_flight, thread_name_prefix="item") as pool:
            ends = list(pool.map(self._one, range(len(batch.items)), batch.items))
        total, reports = finished(self._job.work, ends)
        return Portion(
            payload=b"" if total is None else pack(total),
            reports=tuple(reports),
            busy_s=time.monotonic() - started,
            batches=(batch.number,),
        )

    def _one(self, position: int, item: I) -> tuple[ItemReport, R | None]:
        started = time.monotonic()
        places = self._job.routes.places(item.url)
        n_endpoints = len({place.endpoint for place in places})
        refusals: list[Refusal] = []
        for attempt in range(1, self._job.policy.attempts + 1):
            place = _next_place(self._breaker.ordered(places), refusals)
            answer = self._read(position, item, place)
            took_s = time.monotonic() - started
            if not isinstance(answer, BaseException):
                return _report(item, answer, place, attempt, took_s), answer
            refusals.append(Refusal(place.endpoint, answer))
            failure = judge(refusals, n_endpoints)
            if failure.is_permanent or attempt == self._job.policy.attempts:
                break
            time.sleep(self._job.policy.pause(item.key, attempt))
        return ItemReport(item.key, place.endpoint, attempt, took_s, failure), None

    def _read(self, position: int, item: I, place: Place) -> R | Exception:
        self._watch(Began(position, place.url, self._job.policy.deadline(item.n_bytes)))
        try:
            result = _checked(self._job.work(item, place.url), item.key)
        except Exception as error:  # noqa: BLE001  # one item's program error must not lose the batch
            if isinstance(error, FourlepError):
                self._breaker.failed(place.endpoint)
            return error
        else:
            self._breaker.succeeded(place.endpoint)
            return result
        finally:
            self._watch(Ended(position))


def _checked(result: R, key: str) -> R:
    if list(result.records) != [key]:
        raise FourlepError(
            f"reading {key} gave the records of {list(result.records)}",
            remedy="the callable must give a result that holds its item and no other",
        )
    return result


def _next_place(ordered: Sequence[Place], refusals: Sequence[Refusal]) -> Place:
    """Choose the first place that refused least often so far."""
    asked = [refusal.endpoint for refusal in refusals]
    return min(ordered, key=lambda place: asked.count(place.endpoint))


def _report(item: I, result: R, place: Place, attempts: int, wall_s: float) -> ItemReport:
    record = result.records[item.key]
    return ItemReport(
        key=item.key,
        endpoint=place.endpoint,
        attempts=attempts,
        wall_s=wall_s,
        n_events=record.n_events,
        n_selected=record.n_selected,
        read_bytes=record.read_bytes,
        uuid=record.uuid,
    )
