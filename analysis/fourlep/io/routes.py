"""From the origin URL of a file to the places where it can be read, in order.

Pure functions: caches by rendezvous hashing of the path, so that every file lives in one
cache and a further cache moves only its share; then the other caches; then the origin.

A cache keeps files by path and forgets which origin they came from: the same path on two
origins would silently give the first one's bytes. So all caches of a `Routes` serve one
origin, and files of any other origin are read directly.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from fourlep.errors import ConfigError

PlaceKind = Literal["cache", "origin", "local"]

#: Origin of the real release, served anonymously.
RELEASE_ORIGIN = "root://eospublic.cern.ch"

_DEFAULT_PORTS = {"root": 1094, "roots": 1094, "http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Place:
    """One place to read a file.

    Parameters
    ----------
    url
        What is opened.
    endpoint
        Server as ``scheme://host:port``, "local" for a file system: what fails together.
    kind
        "cache", "origin" or "local".
    """

    url: str
    endpoint: str
    kind: PlaceKind


@dataclass(frozen=True, slots=True)
class Cache:
    """One XCache.

    Parameters
    ----------
    endpoint
        ``root://host:port`` or ``http(s)://host:port``.
    is_prefix
        Whether the origin's URL is appended (``root://cache:1094//root://origin:1094//path``)
        instead of the path alone (fixed origin).
    """

    endpoint: str
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class Routes:
    """Caches in front of one origin.

    Parameters
    ----------
    caches
        None, one or many; their order means nothing.
    origin
        The only origin that the caches serve, as ``root://host[:port]``.

    Examples
    --------
    >>> routes = Routes((Cache("root://cache:1094"),), origin="root://origin")
    >>> [place.url for place in routes.places("root://origin//store/a.root")]
    ['root://cache:1094//store/a.root', 'root://origin//store/a.root']
    >>> [place.kind for place in routes.places("root://elsewhere//store/a.root")]
    ['origin']
    """

    caches: tuple[Cache, ...] = ()
    origin: str = RELEASE_ORIGIN

    @classmethod
    def parse(cls, endpoints: Sequence[str], origin: str = RELEASE_ORIGIN) -> Routes:
        """Routes from endpoints as written in a setting.

        Parameters
        ----------
        endpoints
            ``root://host:port`` for a cache with a fixed origin, ``root://host:port//`` for
            one that takes the origin's URL behind its own.
        origin
            As in `Routes`.

        Raises
        ------
        ConfigError
            If an endpoint or the origin is no server address.
        """
        _address(origin)
        return cls(tuple(_cache(endpoint) for endpoint in endpoints), origin)

    def places(self, url: str) -> tuple[Place, ...]:
        """Where to read the file whose origin is ``url``, best first; never empty."""
        if "://" not in url:
            return (Place(url, "local", "local"),)
        endpoint = _address(url)
        origin = Place(url, endpoint, "origin")
        if endpoint != _address(self.origin):
            return (origin,)
        path = _path(url)
        ranked = sorted(self.caches, key=lambda cache: _weight(cache.endpoint, path), reverse=True)
        return (*(_cached(cache, endpoint, path) for cache in ranked), origin)


def _cache(endpoint: str) -> Cache:
    address = _address(endpoint)
    parts = urlsplit(endpoint)
    if parts.path not in {"", "/", "//"}:
        raise ConfigError(
            f"{endpoint!r} is no cache endpoint: it has a path",
            remedy="write root://host:port, or root://host:port// for the prefix style",
        )
    return Cache(address, is_prefix=parts.path == "//")


def _address(url: str) -> str:
    """``scheme://host:port`` of a URL, with the port written out."""
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except (KeyError, ValueError) as error:
        raise ConfigError(
            f"{url!r} is no address of a file server",
            remedy=f"write it as SCHEME://host:port with {', '.join(_DEFAULT_PORTS)}",
        ) from error
    if not parts.hostname:
        raise ConfigError(f"{url!r} names no host", remedy="write it as root://host:port")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port}"


def _path(url: str) -> str:
    """Absolute path of a URL with one leading slash, query included.

    A ``#`` is a letter of the path: file servers know no fragments.
    """
    parts = urlsplit(url, allow_fragments=False)
    path = "/" + parts.path.lstrip("/")
    return f"{path}?{parts.query}" if parts.query else path


def _cached(cache: Cache, origin: str, path: str) -> Place:
    slash = "/" if cache.endpoint.startswith("root") else ""
    if cache.is_prefix:
        return Place(f"{cache.endpoint}//{origin}/{path}", cache.endpoint, "cache")
    return Place(f"{cache.endpoint}{slash}{path}", cache.endpoint, "cache")


def _weight(endpoint: str, path: str) -> bytes:
    """Rendezvous weight: the cache with the highest one keeps the file.

    D. G. Thaler, C. V. Ravishankar, IEEE/ACM Trans. Netw. 6 (1998) 1.
    """
    return hashlib.blake2b(f"{endpoint}\0{path}".encode(), digest_size=16).digest()
