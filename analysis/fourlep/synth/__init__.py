"""The synthetic stand-in release: files that nothing can mistake for ATLAS data.

====================  =====================================================================
`make_release`        simulated datasets, data and catalogue in a directory
`make_file`           one file with a chosen share of four-lepton events
`physlite`            PHYSLITE trees from arrays
`rootfile`            ROOT files byte by byte
====================  =====================================================================

Inside, events pass from `truth` (generators) through `detector`, `conditions` and `trigger`
to `columns`; `plan` says what a release holds, `data` draws its data, and every number is in
``parameters.toml``.
"""

from fourlep.synth.plan import Options
from fourlep.synth.release import make_release
from fourlep.synth.rootfile.codec import CODECS, Compression
from fourlep.synth.survivors import make_file

__all__ = ["CODECS", "Compression", "Options", "make_file", "make_release"]
