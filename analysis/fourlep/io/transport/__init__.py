"""Bytes of a file by ranges: local paths, ``root://`` and ``http(s)://``.

`open_source` is the entry; `source.ByteSource` says what it returns. Formats, routes and
retries are left to others: a transport opens one place, reads ranges of it within a
deadline, counts them, and translates its library's errors into the tree of
`fourlep.errors`.
"""

from fourlep.io.transport.open import open_source
from fourlep.io.transport.source import ByteSource, Range, read_range

__all__ = ["ByteSource", "Range", "open_source", "read_range"]
