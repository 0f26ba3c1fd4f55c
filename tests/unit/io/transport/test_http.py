from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fourlep.errors import (
    CorruptFileError,
    ForbiddenFileError,
    MissingFileError,
    TransientReadError,
)
from fourlep.io.transport import open_source

_CONTENT = bytes(range(256)) * 40


class _Handler(BaseHTTPRequestHandler):
    """Answers ranges of one file, and misbehaves on request."""

    protocol_version = "HTTP/1.1"
    hold = threading.Event()

    def do_GET(self) -> None:
        name = self.path.strip("/")
        if name.isdigit():
            self._answer(int(name), b"")
            return
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["Range"])
        assert found is not None
        begin, last = int(found[1]), int(found[2])
        if name == "whole":
            self._answer(200, _CONTENT)
        elif name == "empty":
            self._answer(416, b"")
        elif name == "hangs" and begin > 0:
            self.hold.wait(30)
        elif name == "short" and begin > 0:
            self._answer(206, _CONTENT[begin : begin + 1], f"bytes {begin}-{last}/{len(_CONTENT)}")
        elif name == "other-range" and begin > 0:
            self._answer(
                206, _CONTENT[: last + 1 - begin], f"bytes 0-{last - begin}/{len(_CONTENT)}"
            )
        elif name == "other-file" and begin > 0:
            self._answer(206, _CONTENT[begin : last + 1], f"bytes {begin}-{last}/99999")
        elif name == "no-number":
            self._answer(206, b"x", "bytes 0-0/\u00b2")
        elif name == "trickles" and begin > 0:
            self._trickle(f"bytes {begin}-{last}/{len(_CONTENT)}", _CONTENT[begin : last + 1])
        else:
            self._answer(206, _CONTENT[begin : last + 1], f"bytes {begin}-{last}/{len(_CONTENT)}")

    def _answer(
        self, status: int, body: bytes, content_range: str = "", length: int | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        if content_range:
            self.send_header("Content-Range", content_range)
        self.end_headers()
        self.wfile.write(body)

    def _trickle(self, content_range: str, body: bytes) -> None:
        self._answer(206, b"", content_range, length=len(body))
        for byte in body:
            if self.hold.wait(0.05):
                return
            self.wfile.write(bytes([byte]))

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as running:
        running.daemon_threads = True
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        _Handler.hold.set()
        running.shutdown()
        thread.join()


def test_ranges_are_read_several_at_a_time_and_in_order(server: str) -> None:
    source = open_source(f"{server}/file")
    wanted = [(begin, 100) for begin in range(9000, 0, -300)]
    assert source.size == len(_CONTENT)
    assert source.read_ranges(wanted) == [_CONTENT[b : b + n] for b, n in wanted]
    assert (source.read_bytes, source.requests) == (3000, 31)
    source.close()


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, MissingFileError), (403, ForbiddenFileError), (503, TransientReadError)],
)
def test_refusals_have_names(server: str, status: int, error: type[Exception]) -> None:
    with pytest.raises(error, match=f"status {status}"):
        open_source(f"{server}/{status}")


def test_a_server_without_ranges_is_told(server: str) -> None:
    with pytest.raises(TransientReadError, match="answers no byte ranges"):
        open_source(f"{server}/whole")


def test_an_empty_file_has_no_bytes(server: str) -> None:
    assert open_source(f"{server}/empty").size == 0


def test_a_short_answer_is_damage(server: str) -> None:
    source = open_source(f"{server}/short")
    with pytest.raises(CorruptFileError, match="1 bytes came back where 10"):
        source.read_ranges([(10, 10)])


def test_a_server_that_hangs_is_left_within_the_deadline(server: str) -> None:
    source = open_source(f"{server}/hangs", timeout_s=0.5)
    with pytest.raises(TransientReadError, match=r"no answer|timed out"):
        source.read_ranges([(10, 10), (20, 10)])
    source.close()


@pytest.mark.parametrize("ranges", [[(10, 600)], [(10, 600), (20, 600)]], ids=["one", "two"])
def test_a_server_that_trickles_is_left_within_the_deadline(
    server: str, ranges: list[tuple[int, int]]
) -> None:
    source = open_source(f"{server}/trickles", timeout_s=0.5)
    begun = time.monotonic()
    with pytest.raises(TransientReadError, match=r"no answer|timed out"):
        source.read_ranges(ranges)
    source.close()
    while any(thread.name.startswith("http-range") for thread in threading.enumerate()):
        threading.Event().wait(0.05)  # a process ends only when they have
    assert time.monotonic() - begun < 10.0  # the server needs 30 s


@pytest.mark.parametrize("name", ["other-range", "other-file"])
def test_an_answer_to_another_question_is_damage(server: str, name: str) -> None:
    source = open_source(f"{server}/{name}")
    with pytest.raises(CorruptFileError, match="where bytes 10-19/10240 were asked for"):
        source.read_ranges([(10, 10)])


def test_a_length_that_is_no_number_is_told(server: str) -> None:
    with pytest.raises(TransientReadError, match="answers no byte ranges"):
        open_source(f"{server}/no-number")


def test_a_dead_server_is_a_transient_failure() -> None:
    with pytest.raises(TransientReadError):
        open_source("http://127.0.0.1:9/file")
