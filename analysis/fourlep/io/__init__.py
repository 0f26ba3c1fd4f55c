"""Files to events: formats, branch names, readers and transports.

`open_events` opens any of the formats; what it returns is described in `source`. It is
loaded at its first use: routes and transports do not need the readers and their kernels.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fourlep.io.opening import open_events
    from fourlep.io.source import EventFile, Reader, ReaderChoice

__all__ = ["EventFile", "Reader", "ReaderChoice", "open_events"]


def __getattr__(name: str) -> Any:
    if name not in __all__:  # a submodule that is being imported asks here, too
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "opening" if name == "open_events" else "source"
    return getattr(importlib.import_module(f"{__name__}.{module}"), name)
