from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fourlep.errors import OutputError
from fourlep.execution.durable import exclusive, is_held, output_error, read_whole, write_whole

HOLD = """
import sys, pathlib
from fourlep.execution.durable import exclusive
with exclusive(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    sha256 = write_whole(tmp_path / "a", b"content")
    assert sha256 == hashlib.sha256(b"content").hexdigest()
    assert read_whole(tmp_path / "a", sha256) == b"content"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_changed_file_is_not_read(tmp_path: Path) -> None:
    sha256 = write_whole(tmp_path / "a", b"content")
    (tmp_path / "a").write_bytes(b"kontent")
    assert read_whole(tmp_path / "a", sha256) is None


def test_an_absent_file_is_not_read(tmp_path: Path) -> None:
    assert read_whole(tmp_path / "a", "0" * 64) is None


def test_a_full_disk_says_to_free_space_and_leaves_nothing(tmp_path: Path) -> None:
    # /dev/full is the one file of every Linux whose disk is always full.
    (tmp_path / "a.unfinished").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="no space left"):
        write_whole(tmp_path / "a", b"content")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_every_kind_of_full_disk_says_to_resume(number: int) -> None:
    assert "--resume" in str(output_error(Path("a"), OSError(number, "full")))


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot write .*nowhere"):
        write_whole(tmp_path / "nowhere" / "a", b"content")
    with (
        pytest.raises(OutputError, match=r"cannot write .*nowhere"),
        exclusive(tmp_path / "nowhere" / "lock"),
    ):
        pass


def test_content_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[tuple[str, bool]] = []

    def fsync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        flushed.append((path.name, (tmp_path / "a").exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    write_whole(tmp_path / "a", b"content")
    assert flushed == [("a.unfinished", False), (tmp_path.name, True)]


def test_a_lock_refuses_a_second_process_until_the_first_is_killed(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert is_held(lock)
        with pytest.raises(OutputError, match=f"process {holder.pid}"), exclusive(lock):
            pass
        holder.kill()
    assert not is_held(lock)
    with exclusive(lock):
        assert is_held(lock)


def test_a_lock_that_never_was_is_not_held(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "lock")
