"""PHYSLITE, ATLAS's common analysis format, written from arrays.

`write_tree` is the entry; `Ragged` is what a vector branch takes.

======================================================  =====================================
``{"EventInfoAuxDyn.runNumber": array}``                one number an event
``{"AnalysisElectronsAuxDyn.pt": Ragged(counts, pt)}``  ``vector<float>``
``{...: Ragged(counts, Ragged(inner_counts, x))}``      ``vector<vector<float>>``
``{...: Ragged(counts, links(keys, indices))}``         ``vector<ElementLink<...>>``
======================================================  =====================================

Branches of the layout that are not given are filled with zeros and empty vectors of the
right lengths, so that opening a file costs what it costs in the release.
"""

from fourlep.synth.physlite.layout import Layout, layout
from fourlep.synth.physlite.ragged import Ragged, links
from fourlep.synth.physlite.write import Clusters, write_tree

__all__ = ["Clusters", "Layout", "Ragged", "layout", "links", "write_tree"]
