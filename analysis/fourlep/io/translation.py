"""Errors of interpreting a file, translated once.

The transports translate their own. What uproot or a codec raises over bytes that did
arrive means that the bytes are not what the format promises.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fourlep.errors import CorruptFileError, FourlepError


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Leave only errors of fourlep out of the block; ``url`` is what is being read.

    Raises
    ------
    CorruptFileError
        For whatever is raised inside that is not an error of fourlep.
    """
    try:
        yield
    except FourlepError:
        raise
    except MemoryError as error:
        raise CorruptFileError(
            f"{url}: reading it asks for more memory than there is",
            url=url,
            remedy="the file claims impossible sizes, or the worker needs more memory",
        ) from error
    # Damage surfaces as any exception at all out of uproot's generated code (KeyError,
    # IndexError, AttributeError, AssertionError, struct.error, zlib.error ...).
    except Exception as error:  # reason above
        raise CorruptFileError(
            f"{url}: damaged, or no file of the format that it claims: {told(error)}",
            url=url,
            remedy="compare its size and checksum with the catalogue's and fetch it again",
        ) from error


def told(error: BaseException) -> str:
    """Type and first line of a foreign error.

    Examples
    --------
    >>> told(KeyError("fBits"))
    "KeyError: 'fBits'"
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
