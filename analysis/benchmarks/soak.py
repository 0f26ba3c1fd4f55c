"""Randomised faults against real processes: every run must give the same sum.

    python analysis/benchmarks/soak.py [--runs N] [--seed S] [--output DIR]

Each run sums 48 files that a real XRootD origin serves through two real caches, while
something chosen by chance is killed, stopped, damaged or made to fail. A run counts as
good if its sum equals the truth to the last bit and the ledger holds every file once.
Prints a table by fault, writes ``soak.json`` into DIR, and fails if one run was not good.
"""

from __future__ import annotations

import argparse
import json
import pickle
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from fourlep.config.environment import child_environment
from fourlep.errors import FourlepError
from fourlep.execution import Outcome, Pace, Progress, RetryPolicy, execute, view_ledger
from fourlep.execution.clusters import LocalCluster
from fourlep.io.routes import Cache, Routes
from servers.soaking import Soaked, truth
from servers.xrootd import Origin, XCache
from toys import ToyItem

_N_FILES = 48
_RETRY = RetryPolicy(
    attempts=4, rounds=6, pause_s=0.02, max_pause_s=0.2, round_pause_s=0.1, deadline_s=5.0
)
_PACE = Pace(batch_s=0.2, most_items=6, fan_in=3, flush_s=0.2, in_flight=3)

#: How often each fault is chosen, relative to the others.
_FAULTS = {
    "errors in 1 % of reads": 8,
    "errors in 5 % of reads": 8,
    "errors in 20 % of reads": 8,
    "client killed, then resumed": 15,
    "worker killed": 14,
    "reading process killed": 14,
    "reading process crashes in C": 8,
    "read hangs in C": 2,
    "cache killed": 8,
    "cache stopped": 2,
    "origin killed, then back": 5,
    "partial sum damaged": 6,
    "scheduler killed": 2,
}


@dataclass(slots=True)
class Site:
    """What the runs share: servers, a cluster, and what the files hold."""

    origin: Origin
    caches: list[XCache]
    scratch: Path
    items: list[ToyItem]
    expected: str
    cluster: LocalCluster | None = None
    address: str = ""

    @property
    def routes(self) -> Routes:
        """Both caches in front of the origin."""
        caches = tuple(Cache(cache.endpoint) for cache in self.caches)
        return Routes(caches, self.origin.endpoint)

    def scheduler(self) -> str:
        """Address of a cluster with two workers that all live."""
        if self.cluster is None or not self.cluster.is_alive():
            if self.cluster is not None:
                self.cluster.close()
            self.cluster = LocalCluster(2, self.scratch / "cluster")
            client = self.cluster.connect()
            self.address = str(client.scheduler.address)
            client.close()
        return self.address


@dataclass(slots=True)
class Tally:
    """Runs and failures by fault."""

    runs: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)
    seconds: Counter[str] = field(default_factory=Counter)


def main() -> None:
    """Run the soak."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after these")
    parser.add_argument("--output", type=Path, default=Path("build/soak"))
    options = parser.parse_args()
    started, tally = time.monotonic(), Tally()
    with _site() as site:
        for number in range(options.runs):
            if time.monotonic() - started > 60 * options.minutes:
                break
            _one(site, random.Random(f"{options.seed} {number}"), number, tally)
    _report(tally, time.monotonic() - started, options.output)


@contextmanager
def _site() -> Iterator[Site]:
    origin = Origin()
    contents = {f"SYNTHETIC_{i}.bin": random.Random(i).randbytes(3000) for i in range(_N_FILES)}
    for name, content in contents.items():
        (origin.store / name).write_bytes(content)
    with (
        tempfile.TemporaryDirectory() as scratch,
        origin,
        XCache(origin) as one,
        XCache(origin) as two,
    ):
        items = [ToyItem(name, url=origin.url(name)) for name in contents]
        expected = truth(contents).hex()
        site = Site(origin, [one, two], Path(scratch), items, expected)
        try:
            yield site
        finally:
            if site.cluster is not None:
                site.cluster.close()


def _one(site: Site, rng: random.Random, number: int, tally: Tally) -> None:
    fault = rng.choices(list(_FAULTS), weights=list(_FAULTS.values()))[0]
    started = time.monotonic()
    directory = site.scratch / f"run-{number}"
    said = ""
    try:
        outcome = _FAULT_RUNS[fault](site, rng, directory)
        said = _wrong(site, outcome, directory)
    except FourlepError as error:
        said = str(error)
    tally.runs[fault] += 1
    tally.seconds[fault] += time.monotonic() - started
    if said:
        tally.bad.append(f"run {number}, {fault}: {said}")
    print(f"{number:5} {time.monotonic() - started:6.1f} s  {fault}  {said or 'good'}", flush=True)


def _wrong(site: Site, outcome: Outcome, directory: Path) -> str:
    """What is wrong with a run, "" where it is good."""
    if outcome.failed or outcome.result is None:
        return f"{len(outcome.failed)} files failed, {outcome.failed[:1]}"
    if outcome.result.value.hex() != site.expected:
        return f"the sum is {outcome.result.value.hex()} and not {site.expected}"
    with view_ledger(directory) as view:
        keys = sorted(report.key for report in view.reports())
    return "" if keys == sorted(item.key for item in site.items) else "the ledger is not whole"


def _run(
    site: Site,
    directory: Path,
    work: Soaked,
    *,
    cluster: str = "inline",
    resume: bool = False,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Outcome:
    return execute(
        site.items,
        work,
        directory=directory,
        resume=resume,
        progress=progress,
        **_settings(site, cluster),
    )


def _settings(site: Site, cluster: str) -> dict[str, Any]:
    return {
        "fingerprint": "soak",
        "cluster": cluster,
        "workers": "2",
        "routes": site.routes,
        "retry": _RETRY,
        "pace": _PACE,
    }


def _below(kind: str) -> list[psutil.Process]:
    """Processes of a kind below this one."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if f"fourlep.execution.{kind}" in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue  # it ended meanwhile
    return found


def _at(n_done: int, action: Callable[[], None]) -> Callable[[Progress], None]:
    """Do something once, when so many files are done."""
    todo = [action]

    def tell(progress: Progress) -> None:
        if progress.n_done >= n_done and todo:
            todo.pop()()

    return tell


def _errors(share: float) -> Callable[[Site, random.Random, Path], Outcome]:
    def run(site: Site, rng: random.Random, directory: Path) -> Outcome:
        work = Soaked(share=share, seed=rng.getrandbits(32))
        return _run(site, directory, work, cluster=rng.choice(["inline", site.scheduler()]))

    return run


def _process_killed(kind: str) -> Callable[[Site, random.Random, Path], Outcome]:
    def run(site: Site, rng: random.Random, directory: Path) -> Outcome:
        def kill() -> None:
            if chosen := _below(kind):
                rng.choice(chosen).kill()
            if site.cluster is not None:
                site.cluster.is_alive()  # replaces the worker

        tell = _at(rng.randrange(1, _N_FILES // 2), kill)
        return _run(site, directory, Soaked(0.01), cluster=site.scheduler(), progress=tell)

    return run


def _scheduler_killed(site: Site, rng: random.Random, directory: Path) -> Outcome:
    def kill() -> None:
        shared = site.cluster.process_ids if site.cluster is not None else ()
        for process in _below("node scheduler"):
            if process.pid not in shared:
                process.kill()

    tell = _at(rng.randrange(1, _N_FILES // 2), kill)
    return _run(site, directory, Soaked(0.02), cluster="local", progress=tell)


def _trouble(what: str) -> Callable[[Site, random.Random, Path], Outcome]:
    def run(site: Site, rng: random.Random, directory: Path) -> Outcome:
        directory.mkdir()
        work = Soaked(trouble=what, victim=rng.choice(site.items).key, folder=str(directory))
        return _run(site, directory, work, cluster=site.scheduler())

    return run


def _client_killed(site: Site, rng: random.Random, directory: Path) -> Outcome:
    cluster = rng.choice(["inline", site.scheduler()])
    directory.mkdir()
    settings = _settings(site, cluster) | {"directory": directory, "work": Soaked(0.01)}
    (directory / "client.pickle").write_bytes(pickle.dumps((site.items, settings)))
    client = subprocess.Popen(
        [sys.executable, "-m", "servers.soaking", str(directory / "client.pickle")],
        stdout=subprocess.PIPE,
        env=child_environment(),
    )
    with client:
        assert client.stdout is not None
        for _ in range(rng.randrange(1, 6)):
            client.stdout.readline()
        client.kill()
    return _run(site, directory, Soaked(), resume=True)


def _cache_killed(site: Site, rng: random.Random, directory: Path) -> Outcome:
    cache = rng.choice(site.caches)
    tell = _at(rng.randrange(1, _N_FILES // 2), cache.kill)
    outcome = _run(site, directory, Soaked(), progress=tell)
    cache.kill()
    cache.start()
    return outcome


def _cache_stopped(site: Site, rng: random.Random, directory: Path) -> Outcome:
    cache = rng.choice(site.caches)
    tell = _at(rng.randrange(1, _N_FILES // 2), cache.pause)
    outcome = _run(site, directory, Soaked(), progress=tell)
    cache.go_on()
    return outcome


def _origin_returns(site: Site, rng: random.Random, directory: Path) -> Outcome:
    for cache in site.caches:
        for block in cache.blocks.rglob("*.bin*"):
            block.unlink(missing_ok=True)
    site.origin.kill()
    returning = threading.Timer(rng.uniform(0.1, 1.5), site.origin.start)
    returning.start()
    outcome = _run(site, directory, Soaked())
    returning.join()
    return outcome if outcome.is_complete else _run(site, directory, Soaked(), resume=True)


def _sum_damaged(site: Site, rng: random.Random, directory: Path) -> Outcome:
    _run(site, directory, Soaked())
    path = rng.choice(sorted((directory / "partial").iterdir()))
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content if rng.random() < 0.7 else content[: len(content) // 2])
    return _run(site, directory, Soaked(), resume=True)


_FAULT_RUNS: dict[str, Callable[[Site, random.Random, Path], Outcome]] = {
    "errors in 1 % of reads": _errors(0.01),
    "errors in 5 % of reads": _errors(0.05),
    "errors in 20 % of reads": _errors(0.20),
    "client killed, then resumed": _client_killed,
    "worker killed": _process_killed("node worker"),
    "reading process killed": _process_killed("reader"),
    "reading process crashes in C": _trouble("crash"),
    "read hangs in C": _trouble("hang"),
    "cache killed": _cache_killed,
    "cache stopped": _cache_stopped,
    "origin killed, then back": _origin_returns,
    "partial sum damaged": _sum_damaged,
    "scheduler killed": _scheduler_killed,
}


def _report(tally: Tally, seconds: float, output: Path) -> None:
    print(f"\n{'fault':32} {'runs':>6} {'s/run':>7}")
    for fault, count in sorted(tally.runs.items()):
        print(f"{fault:32} {count:6} {tally.seconds[fault] / count:7.1f}")
    print(f"{tally.runs.total()} runs, {len(tally.bad)} not good, {seconds:.0f} s")
    output.mkdir(parents=True, exist_ok=True)
    figures = {
        "runs": dict(tally.runs),
        "seconds": {fault: round(s, 1) for fault, s in tally.seconds.items()},
        "bad": tally.bad,
        "elapsed_s": round(seconds, 1),
    }
    (output / "soak.json").write_text(json.dumps(figures, indent=1) + "\n")
    if tally.bad:
        sys.exit("\n".join(tally.bad))


if __name__ == "__main__":
    main()
