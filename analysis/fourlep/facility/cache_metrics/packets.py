"""XRootD's monitoring packets as values.

XCache sends one UDP packet for several closed files: a line of JSON that names the sender,
then one line for each file. The daemon's own summary comes to the same port as XML. Nothing
here keeps state; what cannot be understood is an `UnreadablePacketError`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any


class UnreadablePacketError(ValueError):
    """The packet is none that XRootD sends."""


@dataclass(frozen=True, slots=True)
class Sender:
    """A daemon tells its name.

    Parameters
    ----------
    sid
        Its number, which the other packets carry.
    name
        ``all.sitename`` of its configuration, "" where it has none.
    """

    sid: int
    name: str


@dataclass(frozen=True, slots=True)
class ClosedFile:
    """A file of the cache was closed.

    Parameters
    ----------
    sid
        The sender's number.
    path
        The file's path.
    hit_bytes, miss_bytes, bypass_bytes
        Served from disk, fetched from the origin and kept, fetched and not kept.
    origins
        ``host:port`` that were asked; none where all was on disk.
    checksum_errors
        Blocks that failed their checksum.
    """

    sid: int
    path: str
    hit_bytes: int
    miss_bytes: int
    bypass_bytes: int
    origins: tuple[str, ...]
    checksum_errors: int


@dataclass(frozen=True, slots=True)
class Summary:
    """A daemon's summary.

    Parameters
    ----------
    name
        ``all.sitename`` of its configuration.
    open_files, connections
        Now.
    """

    name: str
    open_files: int
    connections: int


Message = Sender | ClosedFile | Summary


def parse(packet: bytes) -> list[Message]:
    """Read one packet.

    Raises
    ------
    UnreadablePacketError
        If it is no monitoring packet, or lacks what it should say.

    Examples
    --------
    >>> parse(b'{"code":"=","sid":7,"src":{"site":"embedded"}}')
    [Sender(sid=7, name='embedded')]
    """
    content = packet.rstrip(b"\0").decode("utf-8", errors="replace").strip()
    if content.startswith("<statistics"):
        return [_summary(content)]
    try:
        header, *lines = [json.loads(line) for line in content.splitlines()]
        if header["code"] == "=":
            return [Sender(int(header["sid"]), str(header["src"].get("site", "")))]
        sid = int(header["sid"])
        return [_closed(sid, line) for line in lines if line.get("event") == "file_close"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadablePacketError(f"{content[:80]!r}: {error}") from error


def _closed(sid: int, line: dict[str, Any]) -> ClosedFile:
    return ClosedFile(
        sid=sid,
        path=str(line["lfn"]),
        hit_bytes=int(line["b_hit"]),
        miss_bytes=int(line["b_miss"]),
        bypass_bytes=int(line["b_bypass"]),
        origins=tuple(str(origin) for origin in line.get("remotes", ())),
        checksum_errors=int(line.get("n_cks_errs", 0)),
    )


def _summary(content: str) -> Summary:
    # The XML is cut at the packet's end on long host names: take the numbers, not the tree.
    name = re.search(r'<statistics [^>]*\bsite="([^"]*)"', content)
    opened = re.search(r'<stats id="ofs">.*?<opr>(\d+)</opr>', content)
    connected = re.search(r'<stats id="link"><num>(\d+)</num>', content)
    if opened is None or connected is None:
        raise UnreadablePacketError(f"{content[:80]!r}: no open files or connections in it")
    return Summary(name[1] if name else "", int(opened[1]), int(connected[1]))
