"""Is there anybody to read from, and a name for each result? Asked before a run begins."""

from __future__ import annotations

import socket
from collections.abc import Collection
from urllib.parse import urlsplit

from fourlep.datasets.model import Fileset
from fourlep.errors import DatasetError, TransientReadError
from fourlep.io.routes import Routes

_TIMEOUT_S = 4.0
_PORTS = {"root": 1094, "roots": 1094, "xroot": 1094, "http": 80, "https": 443}


def check_reachable(fileset: Fileset, routes: Routes) -> None:
    """Check that for each server of the fileset one place to read it from answers.

    Raises
    ------
    TransientReadError
        If neither a cache nor the origin takes a connection within seconds.
    """
    samples = {_endpoint(file.url): file.url for d in fileset.datasets for file in d.files}
    for endpoint, url in samples.items():
        if endpoint is None:
            continue
        places = [_endpoint(place.url) for place in routes.places(url)]
        if not any(_answers(place) for place in places if place is not None):
            host, port = endpoint
            raise TransientReadError(
                f"{host}:{port}, which serves {fileset.name}, cannot be reached from here",
                url=url,
                remedy="check the network or FOURLEP_CACHES; "
                "`make run` without FILESET needs no network",
            )


def check_names(fileset: Fileset, variations: Collection[str]) -> None:
    """Check that every process and each of its variations can have a histogram of its own.

    Parameters
    ----------
    fileset
        Its processes.
    variations
        Names of all that are filled beside the nominal one.

    Raises
    ------
    DatasetError
        If the name of a process ends as ROOT's number of a version does, or is that of a
        variation of another process.
    """
    names = dict.fromkeys(dataset.process for dataset in fileset.datasets)
    for name in names:
        if ";" in name:
            raise DatasetError(
                f"the process {name!r} has a semicolon in its name, which histograms cannot have",
                remedy="rename it in the fileset",
            )
        for variation in variations:
            if (other := f"{name}_{variation}") in names:
                raise DatasetError(
                    f"the process {other!r} is named like variation {variation} of {name!r}",
                    remedy="rename it in the fileset",
                )


def _endpoint(url: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # no address of anything: who asks for its routes is told so
        return None
    if parts.scheme not in _PORTS or not parts.hostname:
        return None
    return parts.hostname, port or _PORTS[parts.scheme]


def _answers(endpoint: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(endpoint, timeout=_TIMEOUT_S):
            return True
    except OSError:
        return False
