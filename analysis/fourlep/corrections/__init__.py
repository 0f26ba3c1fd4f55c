"""Calibration of simulated events, and its systematic variations.

A tool is a callable in the manner of ATLAS's combined-performance tools:
``tool(electrons, sys="EG_SCALE_ALL__1up")`` gives corrected electrons, or their weights;
``tool.systematics`` lists what it offers. `payload` has the numbers (correctionlib JSON),
`momentum`, `efficiency` and `pileup` the tools, `theory` the generator's own weights,
`bindings` the adapter to the collaboration's tools, `calibration` all of them together,
`config` the settings.
"""

from fourlep.corrections.calibration import Calibration
from fourlep.corrections.config import CorrectionsConfig, make_corrections
from fourlep.corrections.payload import NOMINAL, Payload

__all__ = ["NOMINAL", "Calibration", "CorrectionsConfig", "Payload", "make_corrections"]
