"""The one place that knows what files call things.

For each format a table: canonical column, and the branches or the rule that make it
(`physlite`, `ntuples`, `triggers`); `rule` says what a table is.
"""

from fourlep.io.branches.ntuples import NTUPLE2020, NTUPLE2025
from fourlep.io.branches.physlite import RNTUPLE, TTREE
from fourlep.io.branches.rule import Format, Rule, Source

#: Every format, by name.
FORMATS = {known.name: known for known in (NTUPLE2020, NTUPLE2025, TTREE, RNTUPLE)}

__all__ = ["FORMATS", "NTUPLE2020", "NTUPLE2025", "RNTUPLE", "TTREE", "Format", "Rule", "Source"]
