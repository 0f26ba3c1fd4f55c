"""Processes of one run of the facility, found by the mark in their environment.

Servers of users, schedulers and workers are children of parts, not of the supervisor, and
some outlive their parent. The mark finds them all, and nothing that is not ours.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import psutil

_MARK = "FOURLEP_FACILITY_ID"
_PATIENCE_S = 5.0


def marked(facility_id: str) -> list[psutil.Process]:
    """Find the processes (but this one) that carry ``facility_id``.

    Those of other users whose environment cannot be read are not found; XRootD's are ours
    to read where the facility runs as root, and its own user's otherwise.
    """
    needle = f"{_MARK}={facility_id}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError, psutil.NoSuchProcess):
            if needle in (entry / "environ").read_bytes().split(b"\0"):
                found.append(psutil.Process(int(entry.name)))
    return found


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


def is_same(pid: int, started: float) -> bool:
    """Whether ``pid`` lives and is the process that started at ``started`` (s since epoch)."""
    try:
        process = psutil.Process(pid)
        ended = process.status() == psutil.STATUS_ZOMBIE
        return not ended and abs(process.create_time() - started) < 1.0
    except psutil.NoSuchProcess:
        return False


def started_at(pid: int) -> float:
    """When ``pid`` started (s since epoch), 0 where it is gone."""
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return 0.0
