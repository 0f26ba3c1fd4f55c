from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest

from fourlep.benchmark.figures import Figure
from fourlep.benchmark.files import Content, cascade, write_file
from fourlep.benchmark.inflation import Blocks
from fourlep.benchmark.relay import DelayingRelay
from fourlep.io.lean.reader import LeanFile


@pytest.mark.parametrize(
    ("value", "target", "met"),
    [(25.0, ">= 25", True), (24.9, ">= 25", False), (15.1, "<= 15", False), (1.0, "", None)],
)
def test_a_figure_knows_whether_its_target_is_met(
    value: float, target: str, met: bool | None
) -> None:
    assert Figure("what", value, "", target).is_met is met


@pytest.mark.parametrize("is_data", [False, True])
def test_files_have_the_share_of_survivors_that_was_asked_for(
    tmp_path: Path, is_data: bool
) -> None:
    path = tmp_path / "file.root"
    write_file(path, Content(2000, 0.01, seed=4, is_data=is_data))
    blocks = Blocks()
    with LeanFile(str(path), inflator=blocks.watch) as file:
        assert file.is_simulation is not is_data
        assert sum(map(len, file.survivors(cascade(), ["event.number"]))) == 20
    assert blocks.records
    assert blocks.inflate_s() > 0.0


def test_a_relay_passes_everything_on_and_delays_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def echo() -> None:
            connection, _ = server.accept()
            with connection:
                while data := connection.recv(1024):
                    connection.sendall(data)

        thread = threading.Thread(target=echo)
        thread.start()
        with (
            DelayingRelay(port, 0.2) as relay,
            socket.create_connection(("127.0.0.1", relay.port)) as client,
        ):
            begun = time.monotonic()
            client.sendall(b"hello")
            assert client.recv(1024) == b"hello"
            assert time.monotonic() - begun >= 0.2
            client.shutdown(socket.SHUT_WR)
            assert client.recv(1024) == b""
        thread.join()
