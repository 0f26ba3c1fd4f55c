from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cloudpickle
import psutil
import pytest

from fourlep.config.environment import child_environment
from fourlep.errors import ClusterError
from fourlep.execution.model import Batch, Portion
from fourlep.execution.payload import unpack
from fourlep.execution.reading import Job
from fourlep.execution.retry import RetryPolicy
from fourlep.execution.watchdog import Watchdog
from fourlep.io.routes import Routes
from toys import Trouble, count, items

MANY = items(12)
BAD = MANY[5].key


@contextmanager
def watchdog(work, limit_s: float = 2.0) -> Iterator[Watchdog]:
    policy = RetryPolicy(attempts=2, pause_s=0.01, deadline_s=limit_s)
    subject = Watchdog(cloudpickle.dumps(Job(work, Routes(), policy, 4)))
    try:
        yield subject
    finally:
        subject.close()


def run(work, limit_s: float = 2.0) -> Portion:
    with watchdog(work, limit_s) as subject:
        return subject.run(Batch(1, tuple(MANY)))


def readers() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


def test_a_batch_is_worked_on_in_another_process() -> None:
    before = readers()
    with watchdog(count) as subject:
        portion = subject.run(Batch(1, tuple(MANY)))
        assert len(readers() - before) == 1
    assert len(portion.held) == 12
    assert readers() == before


def test_the_process_is_kept_for_the_next_batch() -> None:
    with watchdog(count) as subject:
        subject.run(Batch(1, tuple(MANY[:3])))
        first = readers()
        subject.run(Batch(2, tuple(MANY[3:])))
        assert readers() == first


@pytest.mark.parametrize("trouble", ["hang", "die", "crash", "stop"])
def test_a_read_that_goes_wrong_once_costs_nothing(tmp_path: Path, trouble: str) -> None:
    portion = run(Trouble(str(tmp_path), {BAD: (trouble,)}))
    assert portion.held == {item.key for item in MANY}
    assert frozenset(unpack(portion.payload).records) == portion.held


@pytest.mark.parametrize(
    ("trouble", "said"),
    [("hang", "did not end within 2 s"), ("die", "SIGKILL"), ("crash", "SIGSEGV")],
)
def test_a_read_that_always_goes_wrong_is_the_only_one_missing(
    tmp_path: Path, trouble: str, said: str
) -> None:
    portion = run(Trouble(str(tmp_path), {BAD: (f"{trouble}!",)}))
    (failed,) = [report for report in portion.reports if report.failure is not None]
    assert failed.key == BAD
    assert said in failed.failure.message
    assert not failed.failure.is_permanent
    assert portion.held == {item.key for item in MANY} - {BAD}


def test_a_callable_that_cannot_be_unpickled_is_an_error_of_the_cluster() -> None:
    subject = Watchdog(b"no pickle")
    with pytest.raises(ClusterError, match="instead of starting"):
        subject.run(Batch(1, tuple(MANY)))


PARENT = """
import sys
from fourlep.execution.model import Batch
from fourlep.execution.watchdog import Watchdog
from fourlep.execution.reading import Job
import cloudpickle, toys
subject = Watchdog(cloudpickle.dumps(Job(toys.count)))
subject.run(Batch(1, tuple(toys.items(1))))
print("working", flush=True)
sys.stdin.read()
"""


def test_the_reading_process_ends_with_its_parent() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=child_environment(),
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"working\n"
        (reader,) = psutil.Process(parent.pid).children()
        parent.kill()
    reader.wait(timeout=30)
    assert not reader.is_running()
