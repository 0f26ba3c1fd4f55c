"""Every environment variable that fourlep reads, in one place.

Nothing else in the package looks into ``os.environ`` for a setting.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from fourlep.errors import ConfigError


def cache_dir() -> Path:
    """Where fourlep keeps what it can make again (``FOURLEP_CACHE_DIR``).

    Default: ``$XDG_CACHE_HOME/fourlep``, else ``~/.cache/fourlep``.

    Raises
    ------
    ConfigError
        If neither is set and the user has no home directory.
    """
    chosen = os.environ.get("FOURLEP_CACHE_DIR")
    if chosen:
        return Path(chosen)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fourlep"
    except RuntimeError as error:
        raise ConfigError(
            "there is no home directory to keep in what can be made again",
            remedy="set FOURLEP_CACHE_DIR to a directory that you may write to",
        ) from error


def index_dir() -> Path:
    """Where ``fourlep index build`` keeps tables of baskets, within `cache_dir`.

    Raises
    ------
    ConfigError
        As `cache_dir`.
    """
    return cache_dir() / "index"


def cache_endpoints() -> tuple[str, ...]:
    """XCache endpoints in front of the origin (``FOURLEP_CACHES``), comma-separated.

    Each is ``root://host:port`` (fixed origin) or ``root://host:port//`` (prefix style).

    Raises
    ------
    ConfigError
        If an endpoint is no ``root://`` or ``http(s)://`` URL.
    """
    endpoints = tuple(
        part.strip() for part in os.environ.get("FOURLEP_CACHES", "").split(",") if part.strip()
    )
    for endpoint in endpoints:
        if not endpoint.startswith(("root://", "roots://", "http://", "https://")):
            raise ConfigError(
                f"FOURLEP_CACHES: {endpoint!r} is no endpoint",
                remedy="write it as root://host:port",
            )
    return endpoints


def cache_metrics_port() -> int:
    """Port at which each cache's host offers its statistics (``FOURLEP_CACHE_METRICS_PORT``).

    0 where the variable is not set or empty: then no cache is asked.

    Raises
    ------
    ConfigError
        If it is no port.
    """
    text = os.environ.get("FOURLEP_CACHE_METRICS_PORT", "")
    if not text:
        return 0
    if not text.isdigit() or not 0 < int(text) < 65_536:
        raise ConfigError(
            f"FOURLEP_CACHE_METRICS_PORT: {text!r} is no port",
            remedy="give the port of the collectors beside the caches, 9931 say",
        )
    return int(text)


#: Settings of the XRootD client under which a dead or stopped server is an error within
#: seconds; by default an open hangs for minutes. The client reads them when it loads.
_XROOTD_CLIENT = {
    "XRD_CONNECTIONWINDOW": "3",
    "XRD_CONNECTIONRETRY": "1",
    "XRD_REQUESTTIMEOUT": "10",
    "XRD_STREAMTIMEOUT": "10",
    "XRD_STREAMERRORWINDOW": "0",
    "XRD_TIMEOUTRESOLUTION": "1",
}


def prepare_xrootd_client() -> None:
    """Bound the XRootD client's waiting; call before ``XRootD`` is first imported.

    What the user's environment sets already (``XRD_...``) is kept.
    """
    for name, value in _XROOTD_CLIENT.items():
        os.environ.setdefault(name, value)


def cache_origin(default: str) -> str:
    """Read the one origin that caches serve (``FOURLEP_CACHE_ORIGIN``), as ``root://host``."""
    return os.environ.get("FOURLEP_CACHE_ORIGIN") or default


def child_environment() -> dict[str, str]:
    """Environment of a process that fourlep starts: same modules, one thread a library.

    Workers are processes already; libraries that start a thread for each core on top of
    that would only get in each other's way.
    """
    prepare_xrootd_client()
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    path = os.pathsep.join(part for part in sys.path if part)
    return {**single, **os.environ, "PYTHONPATH": path}
