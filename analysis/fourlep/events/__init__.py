"""The event model: what every input format is turned into, and what every selection reads.

`model` defines columns and `Events`; `cascade` defines the cheap counting requirement
that lets a reader skip events, `pairs` what lets it read some of them in part. None
knows a file.
"""

from fourlep.events.cascade import Cascade, Cut
from fourlep.events.model import (
    COLUMNS,
    Column,
    Events,
    is_trigger_column,
    trigger_column,
)
from fourlep.events.pairs import PairCut

__all__ = [
    "COLUMNS",
    "Cascade",
    "Column",
    "Cut",
    "Events",
    "PairCut",
    "is_trigger_column",
    "trigger_column",
]
