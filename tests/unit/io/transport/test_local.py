from __future__ import annotations

import os
from pathlib import Path

import pytest

from fourlep.errors import CorruptFileError, ForbiddenFileError, MissingFileError
from fourlep.io.transport import open_source, read_range


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "some file.bin"
    path.write_bytes(bytes(range(256)))
    return path


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_ranges_come_back_in_the_order_asked_for(path: Path, scheme: str) -> None:
    source = open_source(scheme + str(path).replace(" ", "%20" if scheme else " "))
    assert source.size == 256
    assert source.read_ranges([(250, 6), (0, 2), (10, 0)]) == [bytes(range(250, 256)), b"\0\1", b""]
    assert source.read_bytes == 8
    source.close()
    source.close()


@pytest.mark.parametrize("wanted", [(250, 7), (-1, 2), (0, -1), (1 << 40, 1)])
def test_a_range_beyond_the_file_says_that_it_is_damaged(
    path: Path, wanted: tuple[int, int]
) -> None:
    source = open_source(str(path))
    with pytest.raises(CorruptFileError, match="are wanted of a file of 256 bytes"):
        source.read_ranges([wanted])
    source.close()


def test_a_file_that_shrinks_while_it_is_read(path: Path) -> None:
    source = open_source(str(path))
    path.write_bytes(b"short")
    with pytest.raises(CorruptFileError, match="3 bytes came back where 10 were asked for"):
        read_range(source, 2, 10)
    source.close()


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="no such file"):
        open_source(str(tmp_path / "none.root"))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="is a folder"):
        open_source(str(tmp_path))


@pytest.mark.parametrize("name", ["with\0zero", "n" * 300, "loop/a"])
def test_what_can_be_no_path_is_missing(tmp_path: Path, name: str) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(MissingFileError):
        open_source(str(tmp_path / name))


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.root")
    with pytest.raises(MissingFileError, match="is a pipe or a device"):
        open_source(str(tmp_path / "pipe.root"))


def test_a_device_is_no_file() -> None:
    with pytest.raises(MissingFileError, match="is a pipe or a device"):
        open_source("/dev/zero")


def test_a_file_that_may_not_be_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", refuse)  # root may read everything
    with pytest.raises(ForbiddenFileError, match="not permitted"):
        open_source(str(path))


@pytest.mark.parametrize("url", ["gopher://host/file.root", "gopher://[host"])
def test_a_scheme_that_nothing_reads(url: str) -> None:
    with pytest.raises(MissingFileError, match="nothing here reads gopher://"):
        open_source(url)
