"""The full H -> ZZ* -> 4l selection.

`config` has the thresholds, `leptons` and `quadruplets` what each must meet, `selection`
the order of it all.
"""

from fourlep.physics.fourlepton.config import FourleptonConfig
from fourlep.physics.fourlepton.selection import Fourlepton

__all__ = ["Fourlepton", "FourleptonConfig"]
