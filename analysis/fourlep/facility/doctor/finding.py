"""What an examination says about one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["well", "note", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Parameters
    ----------
    subject
        What was looked at.
    state
        "well"; "note" where something is worth knowing; "problem" where a run would suffer.
    detail
        What was found.
    remedy
        What to do, "" where nothing is to be done.
    """

    subject: str
    state: State
    detail: str
    remedy: str = ""
