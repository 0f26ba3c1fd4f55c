"""Real processes that are killed; the result must not change by a bit."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from fourlep.config.environment import child_environment
from fourlep.errors import ClusterError, ConfigError, OutputError
from fourlep.execution import Outcome, Progress, RetryPolicy, execute, view_ledger
from fourlep.execution.ledger import open_ledger
from fourlep.execution.model import ItemReport, Portion
from fourlep.execution.payload import pack
from servers.client import PACE
from toys import Slow, ToyItem, ToyResult, Trouble, Unlucky, count, expected, items

QUICK = RetryPolicy(attempts=2, pause_s=0.01, round_pause_s=0.05, rounds=3, deadline_s=2.0)
MANY = items(100)


def run(directory: Path, work=count, of: list[ToyItem] = MANY, **settings) -> Outcome:
    settings = {"cluster": "local", "workers": "2", "pace": PACE, "retry": QUICK, **settings}
    return execute(of, work, directory=directory, fingerprint="f", **settings)


def nodes(kind: str, of: int | None = None) -> list[psutil.Process]:
    """Processes of the local cluster below a process, by what they are."""
    return [
        process
        for process in psutil.Process(of).children(recursive=True)
        if f"fourlep.execution.{kind}" in " ".join(process.cmdline())
    ]


def killing(kind: str) -> Callable[[], None]:
    """Kill the first process of a kind when called."""

    def kill() -> None:
        nodes(kind)[0].kill()

    return kill


def once(action: Callable[[], None]) -> Callable[[Progress], None]:
    """Do something as soon as the run has something to lose."""
    todo = [action]

    def tell(progress: Progress) -> None:
        if progress.n_done and todo:
            todo.pop()()

    return tell


def assert_whole(outcome: Outcome, of: list[ToyItem] = MANY) -> None:
    assert outcome.failed == ()
    assert outcome.is_complete
    assert set(outcome.result.records) == {item.key for item in of}
    assert outcome.result.value.hex() == expected(of).hex()


def test_processes_give_what_one_process_gives(tmp_path: Path) -> None:
    inline = run(tmp_path / "inline", cluster="inline")
    local = run(tmp_path / "local")
    assert_whole(inline)
    assert_whole(local)
    assert local.metrics.n_clusters == 1
    assert nodes("") == []
    assert not (tmp_path / "local" / "scratch").exists()


def test_a_killed_worker_costs_nothing(tmp_path: Path) -> None:
    outcome = run(tmp_path, Slow(0.02), progress=once(killing("node worker")))
    assert_whole(outcome)
    assert outcome.metrics.n_clusters == 1


def test_a_killed_scheduler_is_replaced_by_a_new_cluster(tmp_path: Path) -> None:
    outcome = run(tmp_path, Slow(0.02), progress=once(killing("node scheduler")))
    assert_whole(outcome)
    assert outcome.metrics.n_clusters == 2
    assert outcome.metrics.n_lost_batches > 0


def test_a_scheduler_that_answers_no_more_is_replaced_by_a_new_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fourlep.execution.dask_backend._ANSWER_S", 2.0)
    monkeypatch.setattr("fourlep.execution.clusters.CONNECT_TIMEOUT_S", 3.0)

    def stop() -> None:
        nodes("node scheduler")[0].suspend()

    outcome = run(tmp_path, Slow(0.05), progress=once(stop))
    assert_whole(outcome)
    assert outcome.metrics.n_clusters == 2
    assert nodes("") == []


def test_a_run_ends_although_its_scheduler_answers_no_more(tmp_path: Path) -> None:
    class Interrupted(Exception):
        """Stands for Ctrl-C."""

    def stop() -> None:
        nodes("node scheduler")[0].suspend()
        raise Interrupted

    with pytest.raises(Interrupted):
        run(tmp_path, Slow(0.05), progress=once(stop))
    assert nodes("") == []


def test_a_local_cluster_leaves_nothing_outside_the_run_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "temporary"
    elsewhere.mkdir()
    monkeypatch.setenv("TMPDIR", str(elsewhere))
    assert_whole(run(tmp_path / "run"))
    assert list(elsewhere.iterdir()) == []


def test_a_transient_failure_gets_another_round(tmp_path: Path) -> None:
    troubles = Trouble(str(tmp_path), {MANY[3].key: ("transient",) * 4})
    assert_whole(run(tmp_path / "run", troubles, of=MANY[:20], cluster="inline"), MANY[:20])


def test_a_file_that_fails_for_good_is_tried_again_by_the_next_session(tmp_path: Path) -> None:
    troubles = Trouble(str(tmp_path), {MANY[3].key: ("corrupt",)})
    first = run(tmp_path / "run", troubles, of=MANY[:20], cluster="inline")
    assert [failed.key for failed in first.failed] == [MANY[3].key]
    assert_whole(
        run(tmp_path / "run", troubles, of=MANY[:20], cluster="inline", resume=True), MANY[:20]
    )


def client(directory: Path, *options: str, **settings) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "servers.client", str(directory), *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=child_environment(),
        **settings,
    )  # fmt: skip


def wait_for_progress(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("done ") and int(line.split()[1]):
            return
    raise AssertionError(process.stderr.read() if process.stderr else "")


@pytest.mark.parametrize("cluster", ["inline", "local"])
def test_a_killed_client_resumes_where_it_stopped(tmp_path: Path, cluster: str) -> None:
    with client(tmp_path, "--cluster", cluster) as process:
        wait_for_progress(process)
        left = nodes("", process.pid)
        process.kill()
    psutil.wait_procs(left, timeout=30)
    assert not any(node.is_running() for node in left)
    with view_ledger(tmp_path) as view:
        n_done = view.progress().n_done
    assert 0 < n_done < 100
    with client(tmp_path, "--cluster", cluster, "--resume") as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert out.splitlines()[-1] == expected(MANY).hex()
    assert int(out.splitlines()[0].split()[1]) >= n_done


def test_an_interrupted_client_resumes(tmp_path: Path) -> None:
    many = items(5000)
    with client(tmp_path, "--cluster", "inline", "--items", "5000") as process:
        wait_for_progress(process)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode != 0
    outcome = execute(
        many, count, directory=tmp_path, fingerprint="f", cluster="inline", resume=True
    )
    assert_whole(outcome, many)


def test_a_second_client_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with client(tmp_path, "--cluster", "inline", "--items", "5000") as first:
        wait_for_progress(first)
        with client(tmp_path, "--cluster", "inline", "--resume") as second:
            _, err = second.communicate(timeout=60)
        assert second.returncode == 1
        assert f"in use by another run (process {first.pid})" in err
        wait_for_progress(first)
        first.kill()


def test_a_full_disk_stops_the_run_cleanly_and_it_resumes(tmp_path: Path) -> None:
    # A limit on the size of files fails writing as a full disk does, for any user.
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))

    with client(tmp_path, "--items", "1500", "--cluster", "inline", preexec_fn=limit) as process:
        _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "--resume" in err
    outcome = execute(
        items(1500), count, directory=tmp_path, fingerprint="f", cluster="inline", resume=True
    )
    assert_whole(outcome, items(1500))


def test_a_damaged_partial_sum_is_made_again(tmp_path: Path) -> None:
    run(tmp_path, cluster="inline")
    path = min((tmp_path / "partial").iterdir())
    path.write_bytes(path.read_bytes()[:-4] + b"\0\0\0\0")
    assert_whole(run(tmp_path, cluster="inline", resume=True))


def test_a_lost_partial_sum_is_made_again(tmp_path: Path) -> None:
    run(tmp_path, cluster="inline")
    min((tmp_path / "partial").iterdir()).unlink()
    assert_whole(run(tmp_path, cluster="inline", resume=True))


def test_a_partial_sum_that_holds_other_items_than_the_ledger_says_is_made_again(
    tmp_path: Path,
) -> None:
    reports = tuple(ItemReport(item.key, "local", 1, 0.1) for item in MANY[:3])
    of_two = ToyResult.of(MANY[0]) + ToyResult.of(MANY[1])
    with open_ledger(tmp_path, MANY, fingerprint="f", resume=False) as ledger:
        ledger.enter(Portion(pack(of_two), reports, 0.1, (1,)), again=frozenset())
    assert_whole(run(tmp_path, cluster="inline", resume=True))


def test_a_complete_run_resumes_without_a_cluster(tmp_path: Path) -> None:
    run(tmp_path, cluster="inline")
    outcome = run(tmp_path, resume=True, cluster="tcp://127.0.0.1:1")
    assert_whole(outcome)
    assert outcome.metrics.n_clusters == 0


def test_a_given_scheduler_is_used_and_left_running(tmp_path: Path) -> None:
    from fourlep.execution.clusters import LocalCluster

    theirs = LocalCluster(1, tmp_path / "theirs")
    try:
        with_client = theirs.connect()
        outcome = run(tmp_path / "run", cluster=with_client.scheduler.address)
        assert_whole(outcome)
        assert with_client.status == "running"
        psutil.wait_procs(nodes("reader"), timeout=10)
        assert nodes("reader") == []
        with_client.close()
    finally:
        theirs.close()


def test_a_given_scheduler_with_other_software_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed.versions import _version_cached as plain

    from fourlep.execution.clusters import GivenScheduler, LocalCluster

    theirs = LocalCluster(1, tmp_path / "theirs")
    try:
        given = GivenScheduler(theirs.connect().scheduler.address)
        given.connect().close()
        versions = {"fourlep": "0.0.1"}
        monkeypatch.setattr(
            "distributed.versions._version_cached", lambda name: versions.get(name) or plain(name)
        )
        with pytest.raises(ClusterError, match=r"fourlep: 0\.0\.1 here, \S+ on scheduler"):
            given.connect()
    finally:
        theirs.close()


def test_a_scheduler_that_is_not_there_is_named(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("fourlep.execution.clusters.CONNECT_TIMEOUT_S", 1.0)
    with pytest.raises(ClusterError, match=r"no connection to tcp://127\.0\.0\.1:1"):
        run(tmp_path, cluster="tcp://127.0.0.1:1")


@pytest.mark.parametrize(
    ("cluster", "workers"), [("slurm", "2"), ("local", "many"), ("local", "0"), ("local", "8-2")]
)
def test_settings_that_mean_nothing_are_refused(tmp_path: Path, cluster: str, workers: str) -> None:
    with pytest.raises(ConfigError):
        run(tmp_path, cluster=cluster, workers=workers)


def test_an_output_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="another output directory"):
        run(tmp_path / "file")


def test_a_clock_that_jumps_changes_nothing(tmp_path: Path, monkeypatch) -> None:
    times = iter(range(10**9, -(10**9), -(10**5)))
    monkeypatch.setattr("time.time", lambda: float(next(times)))
    assert_whole(run(tmp_path, Slow(0.001), cluster="inline"))


@pytest.mark.parametrize("share", [0.01, 0.05, 0.20])
def test_reads_that_fail_now_and_then_change_nothing(tmp_path: Path, share: float) -> None:
    many = items(2000)
    unlucky = Unlucky(share)
    patient = RetryPolicy(pause_s=0.001, round_pause_s=0.01, rounds=6)
    outcome = run(tmp_path, unlucky, of=many, cluster="inline", retry=patient)
    assert_whole(outcome, many)
    assert abs(len(unlucky.injected) - share * 2000) < 0.3 * share * 2000 + 15
