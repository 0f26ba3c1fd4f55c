"""A real Dask Gateway whose parts are killed; the result must not change by a bit."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import dask
import pytest
from dask_gateway import Gateway

from fourlep.errors import ClusterError
from fourlep.execution import Outcome, Progress, execute
from servers.client import PACE
from servers.gateway import DaskGateway
from toys import Slow, expected, items

MANY = items(150)

pytestmark = [pytest.mark.servers, pytest.mark.slow]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskGateway]:
    work = tmp_path_factory.mktemp("gateway")
    with DaskGateway(work) as running, dask.config.set(running.settings):
        yield running


def once(action: Callable[[], None]) -> Callable[[Progress], None]:
    todo = [action]

    def tell(progress: Progress) -> None:
        if progress.n_done and todo:
            todo.pop()()

    return tell


def run(directory: Path, progress: Callable[[Progress], None], workers: str = "2") -> Outcome:
    return execute(
        MANY, Slow(0.05), directory=directory, fingerprint="f", cluster="gateway",
        workers=workers, pace=PACE, progress=progress,
    )  # fmt: skip


def assert_whole(outcome: Outcome) -> None:
    assert outcome.is_complete
    assert outcome.result.value.hex() == expected(MANY).hex()


def test_a_killed_proxy_costs_the_futures_and_nothing_else(
    gateway: DaskGateway, tmp_path: Path
) -> None:
    outcome = run(tmp_path, once(lambda: gateway.proxy().kill()))
    assert_whole(outcome)
    assert outcome.metrics.n_lost_batches > 0


def test_a_killed_scheduler_is_replaced_by_a_new_cluster(
    gateway: DaskGateway, tmp_path: Path
) -> None:
    outcome = run(tmp_path, once(lambda: gateway.scheduler().kill()), workers="1-2")
    assert_whole(outcome)
    assert outcome.metrics.n_clusters == 2


def test_a_gateway_that_is_not_there_is_named(tmp_path: Path) -> None:
    nowhere = {"gateway.address": "http://127.0.0.1:1", "gateway.auth.type": "basic"}
    with dask.config.set(nowhere), pytest.raises(ClusterError, match="gave no cluster"):
        run(tmp_path, lambda _: None)


def test_what_a_failed_cluster_leaves_is_never_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deleted by the garbage collector, it could wait for a lock for ever."""
    deleted: list[str] = []
    monkeypatch.setattr(Gateway, "__del__", lambda gateway: deleted.append(gateway.address))
    test_a_gateway_that_is_not_there_is_named(tmp_path)
    gc.collect()
    assert deleted == []
