"""Writing ROOT files byte by byte, in the form that ATLAS's own software leaves.

uproot writes trees of `TBranch`; the release holds split `TBranchElement` with class
descriptions, which nothing in Python writes. This package does, and only that:

`buffer`     big-endian buffer with byte counts, class tags and object references
`codec`      ROOT's compression blocks
`container`  the file itself: header, directory, keys, free list; atomic
`streamers`  class descriptions (``StreamerInfo``)
`tree`       `TTree`, `TBranch`, `TBranchElement`, leaves and baskets

The layout of each record follows ROOT's documentation of its file format and the
``Streamer`` functions of ROOT 6; uproot's readers are the reference in the tests.
"""

from fourlep.synth.rootfile.codec import Compression
from fourlep.synth.rootfile.container import RootFile

__all__ = ["Compression", "RootFile"]
