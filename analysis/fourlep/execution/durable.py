"""Files that are there whole or not at all, and a directory that one process uses."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from fourlep.errors import OutputError

#: Ending of files that are being written; what carries it was left by a crash.
UNFINISHED = ".unfinished"

_LOCK_PATIENCE_S = 1.0


def write_whole(path: Path, content: bytes) -> str:
    """Write a file so that it is complete or absent after any crash.

    Returns
    -------
    str
        SHA-256 of the content.

    Raises
    ------
    OutputError
        If it cannot be written: a full disk, above all.
    """
    unfinished = path.with_name(path.name + UNFINISHED)
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        _sync_directory(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise output_error(path, error) from error
    return hashlib.sha256(content).hexdigest()


def read_whole(path: Path, sha256: str) -> bytes | None:
    """Content of a file, None where it is absent or not what was written."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == sha256 else None


def output_error(path: Path, error: OSError) -> OutputError:
    """Translate an error of the system to one of the output directory."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return OutputError(
            f"no space left to write {path}",
            remedy="free some space, then continue with --resume: nothing done is lost",
        )
    return OutputError(
        f"cannot write {path}: {error.strerror or error}",
        remedy="choose an output directory that you may write to",
    )


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file ``path``; the system frees it when the process ends, however.

    Raises
    ------
    OutputError
        If another process holds it.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise output_error(path, error) from error
    try:
        _lock(descriptor, path)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock file ``path``."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _lock(descriptor: int, path: Path) -> None:
    give_up = time.monotonic() + _LOCK_PATIENCE_S  # longer than a look by `is_held`
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if time.monotonic() > give_up:
                holder = path.read_text(encoding="utf-8").strip() or "unknown"
                raise OutputError(
                    f"{path.parent} is in use by another run (process {holder})",
                    remedy="wait for it, or choose another output directory",
                ) from error
            time.sleep(0.05)
        else:
            return


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
