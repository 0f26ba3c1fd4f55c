"""The mark of the processes of one run of the facility, in their environment.

A process id alone may be another program's since, and when a process started depends on a
clock that is set.
"""

from __future__ import annotations

from pathlib import Path

_MARK = "FOURLEP_FACILITY_ID"


def mark(facility_id: str) -> dict[str, str]:
    """What a process of the run ``facility_id`` has in its environment."""
    return {_MARK: facility_id}


def carries(pid: int, facility_id: str) -> bool:
    """Whether ``pid`` lives and carries ``facility_id``, as far as the caller may see."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    return f"{_MARK}={facility_id}".encode() in environment.split(b"\0")
