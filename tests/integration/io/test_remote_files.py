"""The real files behind a real XRootD server read as they do from the disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import awkward as ak
import numpy as np
import pytest

from fourlep.errors import CorruptFileError, MissingFileError, TransientReadError
from fourlep.io import ReaderChoice, open_events
from servers.xrootd import Origin, missing_parts

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(bool(missing_parts()), reason=f"not installed: {missing_parts()}"),
]

FILES = (
    "ntuple2020/data_A.4lep.root",
    "physlite/PHYSLITE_example.root",
    "physlite/uproot-physlite-rntuple_v1-0-0-0.root",
)
COLUMNS = ("event.run", "event.number", "electron.pt", "electron.d0", "muon.pt", "muon.charge")


@pytest.fixture(scope="module")
def origin(shared_data: Path) -> Iterator[Origin]:
    server = Origin()
    for name in FILES:
        shutil.copy(shared_data / name, server.store)
    content = (shared_data / FILES[0]).read_bytes()
    (server.store / "cut.root").write_bytes(content[: len(content) // 2])
    with server:
        yield server


@pytest.mark.parametrize("reader", ["uproot", "auto"])
@pytest.mark.parametrize("name", FILES)
def test_a_remote_file_holds_what_the_local_one_holds(
    origin: Origin, shared_data: Path, name: str, reader: ReaderChoice
) -> None:
    with open_events(str(shared_data / name), reader=reader) as file:
        local = file.read(COLUMNS)
    with open_events(origin.url(Path(name).name), reader=reader, timeout_s=20.0) as file:
        remote = file.read(COLUMNS)
        assert file.url.startswith("root://127.0.0.1:")
        assert file.read_bytes > 0
    assert np.array_equal(remote.event["number"], local.event["number"])
    assert ak.array_equal(remote.electrons, local.electrons, equal_nan=True)
    assert ak.array_equal(remote.muons, local.muons, equal_nan=True)


@pytest.mark.parametrize("reader", ["uproot", "auto"])
def test_a_file_that_the_server_has_not_is_missing(origin: Origin, reader: ReaderChoice) -> None:
    with pytest.raises(MissingFileError):
        open_events(origin.url("absent.root"), reader=reader, timeout_s=10.0)


def test_a_file_that_is_cut_short_on_the_server_is_corrupt(origin: Origin) -> None:
    with pytest.raises(CorruptFileError, match="cut short"):
        open_events(origin.url("cut.root"), reader="uproot", timeout_s=10.0)


@pytest.mark.parametrize("reader", ["uproot", "auto"])
def test_a_dead_server_is_worth_another_try(shared_data: Path, reader: ReaderChoice) -> None:
    server = Origin()
    shutil.copy(shared_data / FILES[0], server.store)
    with server:
        url = server.url(Path(FILES[0]).name)
        server.kill()
        with pytest.raises(TransientReadError):
            open_events(url, reader=reader, timeout_s=8.0)


def test_a_server_that_hangs_while_it_is_read_is_given_up_in_time(shared_data: Path) -> None:
    server = Origin()
    shutil.copy(shared_data / FILES[1], server.store)
    with (
        server,
        open_events(server.url(Path(FILES[1]).name), reader="uproot", timeout_s=2.0) as file,
    ):
        server.pause()
        try:
            with pytest.raises(TransientReadError):
                file.read(["electron.pt"])
        finally:
            server.go_on()
