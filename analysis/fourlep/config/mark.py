"""The mark of the processes of one run of the facility, in their environment.

A process id alone may be another program's since, and when a process started depends on a
clock that is set.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

_MARK = "FOURLEP_FACILITY_ID"
#: How long a program that has just been started may take to have its environment.
_PATIENCE_S = 0.5


def mark(facility_id: str) -> dict[str, str]:
    """What a process of the run ``facility_id`` has in its environment."""
    return {_MARK: facility_id}


def carries(pid: int, facility_id: str) -> bool:
    """Whether ``pid`` lives and carries ``facility_id``, as far as the caller may see."""
    return f"{_MARK}={facility_id}".encode() in _environment(pid).split(b"\0")


def _environment(pid: int) -> bytes:
    """Read the environment of ``pid``; empty where it has none, or it is not ours to read.

    The kernel shows an empty one from when it has given a process the memory of a new program
    to when it has written the environment there. Whoever started it may be told before that.
    """
    deadline = time.monotonic() + _PATIENCE_S
    environment = b""
    with contextlib.suppress(OSError):
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        while not environment and time.monotonic() < deadline:
            Path(f"/proc/{pid}/exe").readlink()  # neither the dead nor kernel threads have one
            time.sleep(0.001)
            environment = Path(f"/proc/{pid}/environ").read_bytes()
    return environment
