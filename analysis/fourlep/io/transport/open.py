"""Which transport reads a URL."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from fourlep.errors import MissingFileError
from fourlep.io.transport.source import ByteSource

#: Seconds that opening, or one reading of ranges, may take.
DEFAULT_TIMEOUT_S = 60.0


def open_source(url: str, timeout_s: float = DEFAULT_TIMEOUT_S) -> ByteSource:
    """Open the bytes of a file.

    Parameters
    ----------
    url
        Local path, ``file://``, ``root://``, ``roots://``, ``http://`` or ``https://``.
    timeout_s
        Deadline in seconds of the opening and of each `ByteSource.read_ranges`.

    Raises
    ------
    MissingFileError, ForbiddenFileError
        If the place says so. A dead origin behind a cache says "missing", too.
    TransientReadError
        If the deadline passes or there is no connection.
    """
    scheme = url.partition("://")[0].lower() if "://" in url else ""
    match scheme:
        case "" | "file":
            from fourlep.io.transport.local import LocalSource

            path = url if not scheme else unquote(url.partition("://")[2])
            return LocalSource(Path(path), url=url)
        case "root" | "roots":
            from fourlep.io.transport.xrootd import XRootDSource

            return XRootDSource(url, timeout_s)
        case "http" | "https":
            from fourlep.io.transport.http import HttpSource

            return HttpSource(url, timeout_s)
        case _:
            raise MissingFileError(
                f"{url}: nothing here reads {scheme}://",
                url=url,
                remedy="use a local path, root://, http:// or https://",
            )
