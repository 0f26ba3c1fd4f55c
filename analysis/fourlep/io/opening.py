"""Opens a file of events with the reader that suits it."""

from __future__ import annotations

from fourlep.errors import UnknownFormatError
from fourlep.io.lean.fallback import FallbackFile
from fourlep.io.lean.index import IndexedTable
from fourlep.io.lean.reader import LeanFile
from fourlep.io.lean.unsupported import UnsupportedError
from fourlep.io.source import EventFile, ReaderChoice
from fourlep.io.uproot_reader import UprootFile


def open_events(
    url: str,
    tree: str = "",
    *,
    reader: ReaderChoice = "auto",
    timeout_s: float = 60.0,
    index: IndexedTable | None = None,
) -> EventFile:
    """Open a file of events, of whatever format it is.

    Parameters
    ----------
    url
        Path, ``root://`` or ``http(s)://``.
    tree
        Tree or RNTuple that holds the events; "" to find it out.
    reader
        "lean" reads PHYSLITE trees only; "uproot" reads everything; "auto" takes the
        lean reader where it can and says in ``fallback`` why it cannot.
    timeout_s
        How long a remote server may take to answer.
    index
        Table of the file's baskets from an earlier reading, for the lean reader; one that
        is not of this file is not used.

    Raises
    ------
    MissingFileError, ForbiddenFileError, TransientReadError
        If the file cannot be had.
    CorruptFileError
        If it is no ROOT file, or damaged.
    UnknownFormatError
        If it holds no such tree, or none of a format that is known.

    Examples
    --------
    >>> with open_events("data_A.4lep.root") as file:  # doctest: +SKIP
    ...     events = file.read(["electron.pt", "muon.pt"])
    """

    def plain(reason: str) -> EventFile:
        return UprootFile(url, tree, timeout_s=timeout_s, fallback=reason)

    if reader == "uproot":
        return plain("")
    try:
        lean = LeanFile(url, tree, timeout_s=timeout_s, index=index)
    except UnsupportedError as unknown:
        if reader == "auto":
            return plain(str(unknown))
        raise UnknownFormatError(
            f"{url}: the lean reader does not know it: {unknown}",
            url=url,
            remedy="use reader 'auto', which reads it with uproot",
        ) from unknown
    return FallbackFile(lean, lambda: LeanFile(url, tree, timeout_s=timeout_s), plain)
