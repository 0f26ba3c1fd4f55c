"""What ``fourlep bench reader`` measures: the lean reader against coffea, and the limit.

Ratios are of CPU times of one process, with the readers taking turns on the same files,
so that a busy machine slows both. Files are in the page cache.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fourlep.benchmark.figures import WITH_INDEX, Figure
from fourlep.benchmark.files import Content, write_file
from fourlep.benchmark.inflation import Blocks
from fourlep.chunk.analysis import Analysis
from fourlep.chunk.model import Chunk, ChunkResult
from fourlep.chunk.work import ChunkWork
from fourlep.config.environment import index_dir
from fourlep.io.lean.index import read_shard, shard_path, write_shard
from fourlep.io.lean.inflate import Inflator, inflate
from fourlep.io.lean.reader import LeanFile
from fourlep.physics.registry import selection
from fourlep.synth.rootfile.codec import Codec, Compression

#: A batch of a run takes ten seconds, and has so many files at most
#: (`fourlep.execution.dealing.Pace`); survivors of its files are analysed together.
_BATCH_S, _BATCH_FILES = 10.0, 128
#: Datasets of the files: without and with an index.
_MADE, _INDEXED = "made", "indexed"


@dataclass(frozen=True, slots=True)
class Setting:
    """What a file for measuring is like, and which selection reads it.

    Parameters
    ----------
    codec, share
        Of the file: its compression, and its share of four-lepton events.
    selection
        Name.
    ratio_target
        How often as fast as coffea the reader should be.
    is_data
        Whether the file is like observed data, without generator weights.
    """

    codec: Codec
    share: float
    selection: str
    ratio_target: float
    is_data: bool = False

    @property
    def label(self) -> str:
        """For the table."""
        kind = "data, " if self.is_data else ""
        return f"{self.selection}, {kind}{self.codec.upper()}, {100 * self.share:g} %"


_CODECS: tuple[Codec, ...] = ("zlib", "zstd")
#: 1 % and 1 in 10,000, as the targets are stated for; in observed data, four of five
#: files of the release, four leptons are rarer still.
SETTINGS = (
    *(
        Setting(codec, share, name, ratio)
        for name in ("fourlepton", "scipy2024")
        for share, ratio in ((0.01, 25.0), (0.0001, 300.0))
        for codec in _CODECS
    ),
    *(Setting(codec, 0.0001, "fourlepton", 300.0, is_data=True) for codec in _CODECS),
)


def measure(
    n_events: int, rounds: int, tell: Callable[[str], None] = lambda _: None
) -> Iterator[Figure]:
    """Measure everything, one figure after the other.

    Parameters
    ----------
    n_events
        Of each file.
    rounds
        How often readers take turns; the medians are given.
    tell
        Told what is being done.
    """
    with tempfile.TemporaryDirectory(prefix="fourlep-bench-") as folder, _caches_in(folder):
        for setting in SETTINGS:
            path = _path(folder, setting)
            if not path.exists():
                tell(f"writing {path.name}")
                content = Content(n_events, setting.share, seed=1, is_data=setting.is_data)
                write_file(path, content, compression=Compression(setting.codec))
            tell(f"measuring {setting.label}")
            yield from _compared(path, setting, n_events, rounds)
        yield from _opening(path, rounds)
        tell("measuring starts and memory")
        yield from _processes(_path(folder, SETTINGS[0]))


def _path(folder: str, setting: Setting) -> Path:
    kind = "data_" if setting.is_data else ""
    return Path(folder) / f"SYNTHETIC_{kind}{setting.codec}_{setting.share}.root"


def _compared(path: Path, setting: Setting, n_events: int, rounds: int) -> Iterator[Figure]:
    analysis = Analysis(selection(setting.selection))
    expected = _lean(path, analysis, 1)  # compiles the kernels
    if _coffea(path, analysis).cutflows != expected.cutflows:
        raise AssertionError(f"{setting.label}: the readers disagree")
    _index(path, analysis)
    if _lean(path, analysis, 1, _INDEXED).cutflows[_INDEXED] != expected.cutflows[_MADE]:
        raise AssertionError(f"{setting.label}: another result with an index")
    lean_s, indexed_s, coffea_s = [], [], []
    alone_s = _cpu(lambda: _lean(path, analysis, 1))
    n_files = max(1, min(_BATCH_FILES, round(_BATCH_S / alone_s)))
    for _ in range(rounds):
        lean_s.append(_cpu(lambda: _lean(path, analysis, n_files)) / n_files)
        indexed_s.append(_cpu(lambda: _lean(path, analysis, n_files, _INDEXED)) / n_files)
        coffea_s.append(_cpu(lambda: _coffea(path, analysis)))
    lean, coffea = statistics.median(lean_s), statistics.median(coffea_s)
    share = _share_of_the_limit(path, analysis, rounds)
    indexed = _lean(path, analysis, 1, _INDEXED)
    rate, per_event = "thousand events per CPU second", "bytes an event"
    bound = "<= 30" if setting.share < 0.001 else ""
    for what, value, unit, target in (
        ("lean", n_events / lean / 1e3, rate, ""),
        ("coffea", n_events / coffea / 1e3, rate, ""),
        ("ratio", coffea / lean, "", f">= {setting.ratio_target:g}"),
        ("share of the limit", share, "", ">= 0.8"),
        ("bytes", _read_bytes(expected) / n_events, per_event, bound),
        (f"ratio{WITH_INDEX}", coffea / statistics.median(indexed_s), "", ""),
        (f"bytes{WITH_INDEX}", _read_bytes(indexed) / n_events, per_event, ""),
    ):
        yield Figure(what, value, unit, target, setting.label)


def _read_bytes(result: ChunkResult) -> int:
    return sum(record.read_bytes for record in result.records.values())


@contextmanager
def _caches_in(folder: str) -> Iterator[None]:
    """Keep indices, which are found by name, apart from the user's."""
    before = os.environ.get("FOURLEP_CACHE_DIR")
    os.environ["FOURLEP_CACHE_DIR"] = folder
    try:
        yield
    finally:
        del os.environ["FOURLEP_CACHE_DIR"]
        if before is not None:
            os.environ["FOURLEP_CACHE_DIR"] = before


def _index(path: Path, analysis: Analysis) -> None:
    """Write the index of a file, under all names that it is read by."""
    with LeanFile(str(path)) as file:
        columns = (*analysis.columns(needs_weights=file.is_simulation), *analysis.optional)
        table = file.indexed((*columns, *analysis.cascade.columns))
    names = [_name(path, number) for number in range(_BATCH_FILES)]
    write_shard(shard_path(index_dir(), _INDEXED), dict.fromkeys(names, table))
    read_shard.cache_clear()


def _share_of_the_limit(path: Path, analysis: Analysis, rounds: int) -> float:
    """How much of reading survivors is inflating, opening left out."""
    blocks = Blocks()
    _survivors(path, analysis, blocks.watch)
    shares = [blocks.inflate_s() / _survivors(path, analysis) for _ in range(5 * rounds)]
    return statistics.median(shares)


def _opening(path: Path, rounds: int) -> Iterator[Figure]:
    took = [_cpu(lambda: LeanFile(str(path)).close()) for _ in range(5 * rounds)]
    yield Figure("opening a file", 1e3 * statistics.median(took), "ms CPU", "<= 15")


def _processes(path: Path) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="fourlep-kernels-") as cache:
        cold_s, _ = _in_a_new_process(path, cache)
        warm_s, rss_bytes = _in_a_new_process(path, cache)
    yield Figure("first file of a cold process", cold_s, "s CPU", "<= 20")
    yield Figure("first file of a warm process", warm_s, "s CPU", "<= 2")
    yield Figure("peak memory, eight files in flight", rss_bytes / 1e9, "GB", "<= 1")


#: Reads one file and tells the CPU time since the interpreter began, imports included,
#: then reads eight at a time and tells the memory.
_SCRIPT = r"""
import re, sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from fourlep.benchmark.figures import WITH_INDEX, Figure
from fourlep.benchmark.files import cascade
from fourlep.io import open_events
def read(_):
    columns = ["event.number", "event.generator_weight", "electron.pt", "muon.d0"]
    with open_events(sys.argv[1], reader="lean") as file:
        return sum(map(len, file.survivors(cascade(), columns)))
read(0)
print(time.process_time())
with ThreadPoolExecutor(8) as pool:
    list(pool.map(read, range(16)))
# Not getrusage: its maximum begins with that of the process that started this one.
peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
print(int(peak[1]) * 1024)
"""


def _in_a_new_process(path: Path, cache: str) -> tuple[float, float]:
    answer = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(path)],
        env={**os.environ, "NUMBA_CACHE_DIR": cache},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, memory = answer.stdout.split()
    return float(seconds), float(memory)


def _cpu(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def _lean(path: Path, analysis: Analysis, n_files: int, dataset: str = _MADE) -> ChunkResult:
    """One file as so many: the same bytes under other names."""
    work = ChunkWork(analysis)
    chunks = [Chunk(dataset, _name(path, number)) for number in range(n_files)]
    return work.finish([work(chunk, str(path)) for chunk in chunks])


def _name(path: Path, number: int) -> str:
    return f"{path}#{number}"


def _survivors(path: Path, analysis: Analysis, inflator: Inflator = inflate) -> float:
    """Read what survives; CPU seconds, without those of opening the file."""
    with LeanFile(str(path), inflator=inflator) as file:
        begun = time.process_time()
        needs_weights = file.is_simulation
        for _ in file.surviving_parts(
            analysis.cascade,
            analysis.columns(needs_weights=needs_weights),
            optional=analysis.optional,
            early=analysis.early(needs_weights=needs_weights),
        ):
            pass
        return time.process_time() - begun


def _coffea(path: Path, analysis: Analysis) -> ChunkResult:
    from coffea.nanoevents import NanoEventsFactory, PHYSLITESchema

    from fourlep.processor import FourLeptonProcessor

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # coffea's own, about its dependencies
        events = NanoEventsFactory.from_root(
            {str(path): "CollectionTree"},
            schemaclass=PHYSLITESchema,
            mode="virtual",
            metadata={"dataset": _MADE, "filename": str(path)},
        ).events()
        result: ChunkResult = FourLeptonProcessor(analysis).process(events)
    return result
