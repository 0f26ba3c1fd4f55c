"""Files to events: formats, branch names, readers and transports.

`open_events` opens any of the formats; what it returns is described in `source`. It is
loaded at its first use: routes and transports do not need the readers and their kernels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fourlep.io.opening import open_events
    from fourlep.io.source import EventFile, Reader, ReaderChoice

__all__ = ["EventFile", "Reader", "ReaderChoice", "open_events"]


def __getattr__(name: str) -> Any:
    from fourlep.io import opening, source

    for module in (opening, source):
        if name in __all__ and hasattr(module, name):
            return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
