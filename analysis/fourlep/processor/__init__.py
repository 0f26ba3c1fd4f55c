"""The selections as a coffea processor, for analysts who run coffea's own machinery.

`FourLeptonProcessor` goes into `coffea.processor.Runner` with any executor; its result is
the same `ChunkResult` that ``fourlep run`` sums.
"""

from fourlep.processor.processor import FourLeptonProcessor

__all__ = ["FourLeptonProcessor"]
