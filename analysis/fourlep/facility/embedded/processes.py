"""Processes of one run of the facility, found by the mark in their environment.

Servers of users, schedulers and workers are children of parts, not of the supervisor, and
some outlive their parent. The mark finds them all, and nothing that is not ours: a process id
alone may be another program's since, and when a process started depends on a clock that is set.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import psutil

_MARK = "FOURLEP_FACILITY_ID"
_PATIENCE_S = 5.0


def mark(facility_id: str) -> dict[str, str]:
    """What a process of the run ``facility_id`` has in its environment."""
    return {_MARK: facility_id}


def marked(facility_id: str) -> list[psutil.Process]:
    """Find the processes (but this one) that carry ``facility_id``.

    Those of other users whose environment cannot be read are not found; XRootD's are ours
    to read where the facility runs as root, and its own user's otherwise.
    """
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        if carries(int(entry.name), facility_id):
            with contextlib.suppress(psutil.NoSuchProcess):
                found.append(psutil.Process(int(entry.name)))
    return found


def carries(pid: int, facility_id: str) -> bool:
    """Whether ``pid`` lives and carries ``facility_id``, as far as the caller may see."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    return f"{_MARK}={facility_id}".encode() in environment.split(b"\0")


def end_marked(facility_id: str) -> int:
    """End the processes that carry ``facility_id``, patiently at first.

    Returns
    -------
    int
        How many there were.
    """
    total = 0
    for ask in (psutil.Process.terminate, psutil.Process.kill):
        alive = marked(facility_id)
        total = total or len(alive)
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                ask(process)
        psutil.wait_procs(alive, timeout=_PATIENCE_S)
    return total
