"""The event model: what every input format is turned into, and what every selection reads.

`model` defines columns and `Events`; `cascade` defines the cheap counting requirement
that lets a reader skip events. Neither knows a file.
"""

from fourlep.events.cascade import Cascade, Cut
from fourlep.events.model import (
    COLUMNS,
    Column,
    Events,
    is_trigger_column,
    trigger_column,
)

__all__ = [
    "COLUMNS",
    "Cascade",
    "Column",
    "Cut",
    "Events",
    "is_trigger_column",
    "trigger_column",
]
