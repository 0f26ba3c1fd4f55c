from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from fourlep.benchmark.files import Content, cascade, write_file
from fourlep.errors import MissingFileError, TransientReadError
from fourlep.io.lean.reader import LeanFile
from fourlep.io.transport import open_source
from same_events import assert_same, joined
from servers.xrootd import Origin, missing_parts

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(bool(missing_parts()), reason=f"not installed: {missing_parts()}"),
]

_COLUMNS = ["event.number", "event.generator_weight", "electron.pt", "muon.d0"]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lean") / "file.root"
    write_file(path, Content(3000, 0.01, seed=2))
    return path


@pytest.fixture(scope="module")
def origin(local: Path) -> Iterator[Origin]:
    server = Origin()
    shutil.copy(local, server.store / "file.root")
    with server:
        yield server


def test_vector_reads_give_the_bytes_of_the_file(origin: Origin, local: Path) -> None:
    content = local.read_bytes()
    rng = np.random.default_rng(0)
    wanted = [(int(begin), 500) for begin in rng.integers(0, len(content) - 500, 2500)]
    wanted.append((100, 5_000_000))  # more than one range of a vector read may have
    source = open_source(origin.url("file.root"), 20.0)
    assert source.size == len(content)
    assert source.read_ranges(wanted) == [content[b : b + n] for b, n in wanted]
    assert source.requests == 1 + 3
    source.close()


def test_survivors_over_the_network_are_those_on_disk(origin: Origin, local: Path) -> None:
    with LeanFile(origin.url("file.root")) as remote, LeanFile(str(local)) as here:
        mine = joined(remote.survivors(cascade(), _COLUMNS))
        assert_same(mine, joined(here.survivors(cascade(), _COLUMNS)))
        assert remote.requests <= 8


def test_many_files_are_in_flight_in_one_process(origin: Origin) -> None:
    def survivors(_: int) -> int:
        with LeanFile(origin.url("file.root")) as file:
            return sum(len(events) for events in file.survivors(cascade(), _COLUMNS))

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(survivors, range(32))) == [30] * 32


def test_a_missing_file_is_named(origin: Origin) -> None:
    with pytest.raises(MissingFileError, match=r"none\.root"):
        open_source(origin.url("none.root"), 20.0)


def test_a_dead_server_is_told_within_seconds() -> None:
    begun = time.monotonic()
    with pytest.raises(TransientReadError):
        open_source("root://127.0.0.1:9//store/file.root", 20.0)
    assert time.monotonic() - begun < 20.0


def test_a_server_that_stops_answering_is_left_within_the_deadline(local: Path) -> None:
    server = Origin()
    shutil.copy(local, server.store / "file.root")
    with server:
        source = open_source(server.url("file.root"), 2.0)
        server.pause()
        begun = time.monotonic()
        with pytest.raises(TransientReadError):
            source.read_ranges([(0, 100), (1000, 100)])
        assert time.monotonic() - begun < 10.0
        server.go_on()
        source.close()
