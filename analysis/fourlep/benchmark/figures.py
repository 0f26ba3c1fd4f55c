"""What a benchmark tells: a number, and what it should be."""

from __future__ import annotations

from dataclasses import dataclass

#: Ends the names of figures that were taken with an index of baskets.
WITH_INDEX = " with an index"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure.

    Parameters
    ----------
    what, unit
        What was measured.
    value
        The figure.
    target
        What it should be: ``">= 25"``; "" for none.
    setting
        `Setting.label` of the file and the selection; "" for what belongs to none.
    """

    what: str
    value: float
    unit: str
    target: str = ""
    setting: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met, None without one."""
        if not self.target:
            return None
        relation, _, bound = self.target.partition(" ")
        return self.value >= float(bound) if relation == ">=" else self.value <= float(bound)
