"""The real analysis of stand-in files through real caches, which die, hang and lie.

Whatever they do, histograms and cutflow must be those of the local files, to the last bit.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fourlep.chunk.analysis import Analysis
from fourlep.chunk.model import Chunk, ChunkResult
from fourlep.chunk.process import process
from fourlep.errors import TransientReadError
from fourlep.execution import Outcome, Pace, Progress, RetryPolicy, execute, view_ledger
from fourlep.io.routes import Cache, Routes
from fourlep.io.transport.source import Range
from fourlep.io.transport.xrootd import XRootDSource
from fourlep.physics.registry import selection
from fourlep.synth import make_file
from servers.xrootd import Origin, XCache, missing_parts

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(bool(missing_parts()), reason=f"not installed: {missing_parts()}"),
]

N_FILES = 8
ANALYSIS = Analysis(selection("scipy2024"), timeout_s=3.0)
RETRY = RetryPolicy(attempts=3, rounds=3, pause_s=0.01, max_pause_s=0.1, round_pause_s=0.1)
PACE = Pace(batch_s=1.0, most_items=2, in_flight=2)


def analyse(chunk: Chunk, url: str) -> ChunkResult:
    return process(chunk, ANALYSIS, url=url)


def name(number: int) -> str:
    return f"SYNTHETIC_{number}.root"


@dataclass(frozen=True, slots=True)
class Site:
    """An origin with two caches, and what the files hold."""

    origin: Origin
    caches: tuple[XCache, XCache]
    truth: ChunkResult

    @property
    def chunks(self) -> list[Chunk]:
        return [
            replace(chunk, url=self.origin.url(Path(chunk.url).name))
            for chunk in local_chunks(self.origin.store)
        ]

    @property
    def routes(self) -> Routes:
        caches = tuple(Cache(cache.endpoint) for cache in self.caches)
        return Routes(caches, self.origin.endpoint)

    def first(self, number: int) -> XCache:
        """The cache that is asked first for a file."""
        endpoint = self.routes.places(self.origin.url(name(number)))[0].endpoint
        return next(cache for cache in self.caches if cache.endpoint == endpoint)


def local_chunks(folder: Path) -> list[Chunk]:
    return [
        Chunk("signal", str(folder / name(number)), n_events=100 + number)
        for number in range(N_FILES)
    ]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ChunkResult]:
    folder = tmp_path_factory.mktemp("files")
    for number in range(N_FILES):
        make_file(folder / name(number), events=100 + number, four_leptons=0.3, seed=number)
    truth = ChunkResult()
    for chunk in local_chunks(folder):
        truth = truth + process(chunk, ANALYSIS)
    return folder, truth


@pytest.fixture
def site(files: tuple[Path, ChunkResult]) -> Iterator[Site]:
    folder, truth = files
    origin = Origin()
    for number in range(N_FILES):
        shutil.copy(folder / name(number), origin.store)
    with origin, XCache(origin) as one, XCache(origin) as two:
        yield Site(origin, (one, two), truth)


def run(
    site: Site,
    directory: Path,
    work: Callable[[Chunk, str], ChunkResult] = analyse,
    cluster: str = "inline",
    progress: Callable[[Progress], None] = lambda _: None,
    routes: Routes | None = None,
) -> Outcome[ChunkResult]:
    return execute(
        site.chunks, work, directory=directory, fingerprint="f", cluster=cluster, workers="1",
        routes=routes or site.routes, retry=RETRY, pace=PACE, progress=progress,
    )  # fmt: skip


def assert_whole(outcome: Outcome[ChunkResult], site: Site) -> None:
    assert outcome.failed == ()
    assert outcome.is_complete
    assert outcome.result is not None
    assert outcome.result.held == {chunk.key for chunk in site.chunks}
    assert outcome.result.histograms == site.truth.histograms
    assert outcome.result.cutflows == site.truth.cutflows


def endpoints(outcome: Outcome[ChunkResult]) -> set[str]:
    return {traffic.endpoint for traffic in outcome.metrics.traffic}


def when_begun(action: Callable[[], None]) -> Callable[[Progress], None]:
    todo = [action]

    def tell(progress: Progress) -> None:
        if progress.n_done and todo:
            todo.pop()()

    return tell


def test_files_come_through_their_caches(site: Site, tmp_path: Path) -> None:
    outcome = run(site, tmp_path)
    assert_whole(outcome, site)
    assert endpoints(outcome) == {cache.endpoint for cache in site.caches}
    assert sum(t.read_bytes for t in outcome.metrics.traffic) > 0


def test_cached_files_are_read_with_the_origin_dead(site: Site, tmp_path: Path) -> None:
    run(site, tmp_path / "warm")
    site.origin.kill()
    assert_whole(run(site, tmp_path / "run"), site)


def test_a_killed_cache_is_passed_by(site: Site, tmp_path: Path) -> None:
    outcome = run(site, tmp_path, progress=when_begun(site.caches[0].kill), cluster="local")
    assert_whole(outcome, site)


def test_a_stopped_cache_is_passed_by(site: Site, tmp_path: Path) -> None:
    site.first(3).pause()
    outcome = run(site, tmp_path)
    site.first(3).go_on()
    assert_whole(outcome, site)


@pytest.mark.parametrize("direct", [False, True], ids=["cache", "origin"])
def test_a_server_that_stops_in_the_middle_of_a_file_costs_nothing(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, direct: bool
) -> None:
    server = site.origin if direct else site.first(3)
    stopped: list[str] = []
    plain = XRootDSource.read_ranges

    def read_ranges(self: XRootDSource, ranges: Sequence[Range]) -> list[bytes]:
        # Two requests were answered: the file is open, and its tree is known.
        if not stopped and self.requests > 2 and self.url.startswith(server.endpoint):
            stopped.append(self.url)
            server.pause()
        return plain(self, ranges)

    def read(chunk: Chunk, url: str) -> ChunkResult:
        try:
            return analyse(chunk, url)
        except TransientReadError:
            server.go_on()
            raise

    monkeypatch.setattr(XRootDSource, "read_ranges", read_ranges)
    routes = Routes((), site.origin.endpoint) if direct else site.routes
    assert_whole(run(site, tmp_path, read, routes=routes), site)
    assert len(stopped) == 1


def test_both_caches_dead_leaves_the_origin(site: Site, tmp_path: Path) -> None:
    for cache in site.caches:
        cache.kill()
    outcome = run(site, tmp_path)
    assert_whole(outcome, site)
    assert endpoints(outcome) == {site.origin.endpoint}


def test_a_stopped_origin_that_goes_on_is_waited_for(site: Site, tmp_path: Path) -> None:
    site.origin.pause()

    def read(chunk: Chunk, url: str) -> ChunkResult:
        try:
            return analyse(chunk, url)
        except TransientReadError:
            site.origin.go_on()
            raise

    assert_whole(run(site, tmp_path, read), site)


def test_an_origin_that_returns_is_used_again(site: Site, tmp_path: Path) -> None:
    site.origin.kill()
    todo = [site.origin.start]

    def read(chunk: Chunk, url: str) -> ChunkResult:
        try:
            return analyse(chunk, url)
        except TransientReadError:
            if todo and url.startswith(site.origin.endpoint):
                todo.pop()()
            raise

    assert_whole(run(site, tmp_path, read), site)


def test_a_file_that_is_gone_is_given_up_and_named(site: Site, tmp_path: Path) -> None:
    (site.origin.store / name(5)).unlink()
    outcome = run(site, tmp_path)
    (failed,) = outcome.failed
    assert failed.key == site.origin.url(name(5))
    assert failed.failure.kind == "MissingFileError"
    assert failed.failure.is_permanent
    assert outcome.n_completed == N_FILES - 1


def zero_blocks(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        for start in range(4096, size, 128 << 10):
            file.seek(start)
            file.write(bytes(min(64 << 10, size - start)))


def test_zeroed_blocks_of_a_cache_are_found_out(site: Site, tmp_path: Path) -> None:
    run(site, tmp_path / "warm")
    for number in range(N_FILES):
        zero_blocks(site.first(number).cached(name(number)))
    outcome = run(site, tmp_path / "run")
    assert_whole(outcome, site)
    # Each came from somewhere else than the cache that has its zeroes.
    with view_ledger(tmp_path / "run") as view:
        came_from = {report.key: report.endpoint for report in view.reports()}
    for number in range(N_FILES):
        assert came_from[site.origin.url(name(number))] != site.first(number).endpoint


def another_file(store: Path, number: int) -> bytes:
    return (store / name((number + 1) % N_FILES)).read_bytes()


def truncated(store: Path, number: int) -> bytes:
    content = (store / name(number)).read_bytes()
    return content[: len(content) // 2]


@pytest.mark.parametrize("lie", [another_file, truncated])
def test_a_cache_that_answers_with_other_bytes_is_found_out(
    site: Site, tmp_path: Path, lie: Callable[[Path, int], bytes]
) -> None:
    with Origin() as wrong:
        for number in range(N_FILES):
            (wrong.store / name(number)).write_bytes(lie(site.origin.store, number))
        with XCache(wrong) as liar:
            outcome = run(replace(site, caches=(liar, liar)), tmp_path)
    assert_whole(outcome, site)
    assert endpoints(outcome) == {site.origin.endpoint}


def test_two_origins_with_the_same_path_never_give_each_others_bytes(
    site: Site, tmp_path: Path
) -> None:
    run(site, tmp_path / "warm")
    with Origin() as other:
        shutil.copy(site.origin.store / name(7), other.store / name(0))
        chunk = Chunk("signal", other.url(name(0)), n_events=107)
        outcome = execute(
            [chunk], analyse, directory=tmp_path / "run", fingerprint="f", cluster="inline",
            routes=site.routes, retry=RETRY,
        )  # fmt: skip
        assert outcome.is_complete
        assert endpoints(outcome) == {other.endpoint}
