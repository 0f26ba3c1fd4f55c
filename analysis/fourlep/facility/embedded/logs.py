"""Keeps the parts' logs from growing for as long as the facility runs."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

#: XRootD alone writes 5 MB a day, one line for every time that it is asked how it is.
LARGEST_BYTES = 32 * 2**20


def earlier(log: Path) -> Path:
    """Where what ``log`` held before is kept."""
    return log.with_suffix(".log.1")


def shorten(log: Path) -> None:
    """Move what ``log`` holds to `earlier` where it is too much, and let it start over.

    Whoever has it open goes on writing: to its end, as all parts do. On a full disk it is
    left as it is.
    """
    with contextlib.suppress(OSError):
        if log.stat().st_size > LARGEST_BYTES:
            shutil.copyfile(log, earlier(log))
            os.truncate(log, 0)
