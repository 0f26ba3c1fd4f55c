"""What the supervisor says of the parts, in a file that ``status`` reads."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

Condition = Literal["waiting", "starting", "up", "unhealthy", "restarting", "stopped"]


@dataclass(frozen=True, slots=True)
class PartReport:
    """One part.

    Parameters
    ----------
    name, title
        As in `Part`.
    condition
        "up" is well; everything else is not, or not yet.
    pid
        Process id, -1 where there is none.
    restarts
        How often it was started again.
    note
        Why it last ended or what is wrong, "" for nothing.
    """

    name: str
    title: str
    condition: Condition
    pid: int = -1
    restarts: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class FacilityReport:
    """The supervisor and its parts.

    Parameters
    ----------
    facility_id
        Of the run.
    pid
        The supervisor's process.
    parts
        One report each.
    """

    facility_id: str
    pid: int
    parts: tuple[PartReport, ...]

    @property
    def is_well(self) -> bool:
        """Whether every part is up."""
        return bool(self.parts) and all(part.condition == "up" for part in self.parts)


def write_report(path: Path, report: FacilityReport) -> None:
    """Replace the file at ``path`` in one step."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(asdict(report), indent=1), encoding="utf-8")
    new.replace(path)


def read_report(path: Path) -> FacilityReport | None:
    """Read what was last written; None where there is nothing, or nothing legible."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        parts = tuple(PartReport(**part) for part in found.pop("parts"))
        return FacilityReport(parts=parts, **found)
    except (OSError, ValueError, KeyError, TypeError):
        return None
