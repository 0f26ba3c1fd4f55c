"""Files to events: formats, branch names, readers and transports.

`open_events` opens any of the formats; what it returns is described in `source`.
"""

from fourlep.io.opening import open_events
from fourlep.io.source import EventFile, Reader, ReaderChoice

__all__ = ["EventFile", "Reader", "ReaderChoice", "open_events"]
