"""The errors of fourlep, one tree.

::

    FourlepError                 anything a user can meet; carries what to do
    ├── ConfigError              configuration or command-line value is wrong
    ├── DatasetError             fileset, catalogue or normalisation is wrong or incomplete
    ├── ReadError                a file could not be read
    │   ├── TransientReadError   time-out, lost connection: worth another try
    │   ├── MissingFileError     the file is not there
    │   ├── ForbiddenFileError   the server or file system refuses access
    │   ├── CorruptFileError     the bytes are not what the format promises
    │   ├── UnknownFormatError   the file holds no tree of a known format, or not the one named
    │   └── MissingColumnError   the file lacks a column that the selection needs
    ├── OutputError              the output directory cannot be used
    ├── ClusterError             workers or scheduler could not be had, or were lost for good
    ├── IncompleteRunError       something of the fileset is missing from the result
    └── FitError                 the statistical model or its minimisation failed

Foreign exceptions are translated once, at the boundary, with ``raise ... from``.
The command line prints ``str(error)`` and exits with ``error.exit_code``.
"""

from __future__ import annotations


class FourlepError(Exception):
    """Anything that a user of fourlep can meet.

    Parameters
    ----------
    message
        What happened, naming the thing it happened to.
    remedy
        What to do about it.
    """

    exit_code = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n  -> {self.remedy}" if self.remedy else self.message


class ConfigError(FourlepError):
    """A configuration file or a command-line value is wrong."""

    exit_code = 2


class DatasetError(FourlepError):
    """A fileset, the catalogue or a normalisation is wrong or incomplete."""


class ReadError(FourlepError):
    """A file could not be read.

    Parameters
    ----------
    message, remedy
        As in `FourlepError`.
    url
        The place that was read.
    """

    def __init__(self, message: str, *, url: str = "", remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.url = url

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions travel from workers to the client: keep the keyword fields.
        return (_rebuild_read_error, (type(self), self.message, self.url, self.remedy))


def _rebuild_read_error(kind: type[ReadError], message: str, url: str, remedy: str) -> ReadError:
    return kind(message, url=url, remedy=remedy)


class TransientReadError(ReadError):
    """A time-out or a lost connection: another try, or another route, may succeed."""


class MissingFileError(ReadError):
    """The file is not there."""


class ForbiddenFileError(ReadError):
    """The server or the file system refuses access."""


class CorruptFileError(ReadError):
    """The bytes are not what the format promises."""


class UnknownFormatError(ReadError):
    """The file holds no tree of a known format, or not the one that was named."""


class MissingColumnError(ReadError):
    """The file lacks a column that the selection needs."""


class OutputError(FourlepError):
    """The output directory cannot be used."""


class ClusterError(FourlepError):
    """Workers or scheduler could not be had, or were lost for good."""


class IncompleteRunError(FourlepError):
    """Something of the fileset is missing from the result."""


class FitError(FourlepError):
    """The statistical model or its minimisation failed."""
