"""Foreign errors of opening and reading, translated once.

`translated` is the boundary: what uproot, fsspec, XRootD, aiohttp, a codec or the
operating system raises inside it leaves as one of the errors of `fourlep.errors`.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

from fourlep.errors import (
    CorruptFileError,
    ForbiddenFileError,
    FourlepError,
    MissingFileError,
    ReadError,
    TransientReadError,
)

#: XRootD's server error codes (XProtocol: kXR_NotFound and so on), in its messages as
#: "[3011]".
_XROOTD_MISSING = {3011, 3017}  # no such file; is a directory
_XROOTD_FORBIDDEN = {3010, 3030, 3031}  # not authorised; authentication failed; no protocol

_XROOTD_CODE = re.compile(r"\[(3\d{3})\]")
_HTTP_MISSING, _HTTP_FORBIDDEN = {404, 410}, {401, 403}
_HTTP_STATUS = re.compile(r"\b(4\d\d|5\d\d)\b")

#: Words by which time-outs and lost connections are told in messages of clients that
#: raise plain OSError or RuntimeError.
_TRANSIENT_WORDS = re.compile(
    r"operation expired|timed? ?-?out|connection|socket|\[FATAL\]|redirect limit|"
    r"name or service|temporarily|unreachable|stream|server disconnected|invalid address",
    re.IGNORECASE,
)

_TRANSIENT_ERRNO = {
    errno.EIO,
    errno.EAGAIN,
    errno.ESTALE,
    errno.ENETDOWN,
    errno.ENETUNREACH,
    errno.EHOSTUNREACH,
    errno.ETIMEDOUT,
    errno.ECONNRESET,
    errno.ECONNREFUSED,
    errno.EMFILE,
    errno.ENFILE,
}


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Leave only errors of fourlep out of the block; ``url`` is what is being read."""
    try:
        yield
    except FourlepError:
        raise
    except MemoryError as error:
        raise CorruptFileError(
            f"{url}: reading asked for more memory than there is",
            url=url,
            remedy="the file claims impossible sizes, or the worker needs more memory",
        ) from error
    # Damage in a file surfaces as any exception at all out of uproot's generated code
    # (KeyError, IndexError, AttributeError, AssertionError ...): everything is translated.
    except Exception as error:
        raise translation(error, url) from error


def translation(error: BaseException, url: str) -> ReadError:
    """The error of fourlep that says what ``error`` means for the file at ``url``."""
    for test in (_transport, _operating_system):
        found = test(error, url)
        if found is not None:
            return found
    return CorruptFileError(
        f"{url}: damaged, or no file of the format that it claims: {_told(error)}",
        url=url,
        remedy="compare its size and checksum with the catalogue's and fetch it again",
    )


def transient(what: str, url: str) -> TransientReadError:
    """A failure that another try or another route may cure."""
    return TransientReadError(
        f"{url}: {what}", url=url, remedy="try again, or read it from another place"
    )


def missing(url: str) -> MissingFileError:
    """The server or file system says that there is no such file."""
    return MissingFileError(
        f"{url}: no such file", url=url, remedy="check the name, or take it out of the fileset"
    )


def forbidden(what: str, url: str) -> ForbiddenFileError:
    """Access is refused."""
    return ForbiddenFileError(
        f"{url}: access refused: {what}", url=url, remedy="check its permissions, or your login"
    )


def is_remote(url: str) -> bool:
    """Whether ``url`` names a server rather than a path.

    Examples
    --------
    >>> is_remote("root://host:1094//store/f.root"), is_remote("file:///data/f.root")
    (True, False)
    """
    return "://" in url and not url.startswith("file://")


def _transport(error: BaseException, url: str) -> ReadError | None:
    if not is_remote(url):
        return None
    told = _told(error)
    if url.startswith(("http://", "https://")):
        answered = _from_http(error, told, url)
    else:
        code = _XROOTD_CODE.search(told)
        answered = _from_xrootd(int(code[1]), told, url) if code else None
    if answered is not None:
        return answered
    # A dead XRootD origin reads as FileNotFoundError: without the server's own code it
    # is no answer about the file.
    if isinstance(error, OSError | TimeoutError) or _TRANSIENT_WORDS.search(told):
        return transient(told, url)
    return None


def _from_http(error: BaseException, told: str, url: str) -> ReadError | None:
    status = _HTTP_STATUS.search(told)
    number = int(status[1]) if status else 0
    if number in _HTTP_FORBIDDEN or isinstance(error, PermissionError):
        return forbidden(told, url)
    if number in _HTTP_MISSING or isinstance(error, FileNotFoundError):
        return missing(url)
    return transient(told, url) if number else None


def _from_xrootd(code: int, told: str, url: str) -> ReadError:
    if code in _XROOTD_MISSING:
        return missing(url)
    if code in _XROOTD_FORBIDDEN:
        return forbidden(told, url)
    return transient(told, url)


def _operating_system(error: BaseException, url: str) -> ReadError | None:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return missing(url)
    if isinstance(error, IsADirectoryError):
        return MissingFileError(
            f"{url}: is a directory, not a file", url=url, remedy="name a file in it"
        )
    if isinstance(error, PermissionError):
        return forbidden(_told(error), url)
    if isinstance(error, TimeoutError | ConnectionError):
        return transient(_told(error), url)
    if isinstance(error, OSError) and error.errno in _TRANSIENT_ERRNO:
        return transient(_told(error), url)
    return None


def _told(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
