"""Processes of one run of the facility, found by the mark in their environment.

Servers of users, schedulers and workers are children of parts, not of the supervisor, and
some outlive their parent. Their mark finds them all, and nothing that is not ours.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import psutil

from fourlep.config.mark import carries

_PATIENCE_S = 5.0


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
