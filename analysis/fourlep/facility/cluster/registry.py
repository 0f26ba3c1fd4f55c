"""Asks container registries whether they have an image, as a node would: without a login.

Of the registries' HTTP API (version 2) this is one question, ``HEAD /v2/NAME/manifests/TAG``,
and the anonymous token that a registry may send for first.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from typing import Literal, Self
from urllib.parse import urlencode

Answer = Literal["there", "absent", "refused", "unreachable"]

_PATIENCE_S = 5.0
_LOCAL = re.compile(r"(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?")
_KINDS = ", ".join(
    f"application/vnd.{kind}+json"
    for kind in (
        "oci.image.index.v1",
        "oci.image.manifest.v1",
        "docker.distribution.manifest.list.v2",
        "docker.distribution.manifest.v2",
    )
)


@dataclass(frozen=True, slots=True)
class Reference:
    """An image's name, in its parts.

    Parameters
    ----------
    registry
        ``host`` or ``host:port``.
    name
        Repository within the registry.
    version
        Tag or digest.
    """

    registry: str
    name: str
    version: str

    @classmethod
    def parse(cls, image: str) -> Self:
        """Read a reference as Kubernetes does: without a registry it is Docker Hub's.

        Examples
        --------
        >>> Reference.parse("fourlep/hub:0.1.0")
        Reference(registry='docker.io', name='fourlep/hub', version='0.1.0')
        >>> Reference.parse("localhost:5000/g/fourlep/hub@sha256:12").version
        'sha256:12'
        """
        first, _, rest = image.partition("/")
        is_host = bool(rest) and ("." in first or ":" in first or first == "localhost")
        registry, path = (first, rest) if is_host else ("docker.io", image)
        name, _, digest = path.partition("@")
        if digest:
            version = digest
        else:
            name, _, version = path.partition(":")
        if registry == "docker.io" and "/" not in name:
            name = f"library/{name}"
        return cls(registry, name, version or "latest")

    def __str__(self) -> str:
        """Write the whole name, as nodes list it."""
        separator = "@" if ":" in self.version else ":"
        return f"{self.registry}/{self.name}{separator}{self.version}"

    @property
    def url(self) -> str:
        """Where its manifest is; a registry of this machine speaks plain HTTP."""
        scheme = "http" if _LOCAL.fullmatch(self.registry) else "https"
        host = "registry-1.docker.io" if self.registry == "docker.io" else self.registry
        return f"{scheme}://{host}/v2/{self.name}/manifests/{self.version}"


def ask(reference: Reference) -> Answer:
    """Ask an image's registry for it, without a login.

    Returns
    -------
    Answer
        "refused" where it wants a login, "unreachable" where it does not answer sensibly.
    """
    try:
        status, challenge = _head(reference.url, token="")
        if status == 401 and challenge:
            status, _ = _head(reference.url, token=_anonymous_token(challenge))
    except urllib.error.HTTPError as error:  # the token's server
        status = error.code
    except (OSError, HTTPException, ValueError):
        return "unreachable"
    if status == 200:
        return "there"
    if status == 404:
        return "absent"
    return "refused" if status in {401, 403} else "unreachable"


def _head(url: str, *, token: str) -> tuple[int, str]:
    headers = {"Accept": _KINDS, **({"Authorization": f"Bearer {token}"} if token else {})}
    # `Reference.url` writes http or https, and nothing else.
    request = urllib.request.Request(url, method="HEAD", headers=headers)  # noqa: S310  # see above
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE_S) as answer:  # noqa: S310  # the same
            return int(answer.status), ""
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("WWW-Authenticate", "")


def _anonymous_token(challenge: str) -> str:
    scheme, _, rest = challenge.partition(" ")
    asked = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    realm = asked.pop("realm", "")
    if scheme.lower() != "bearer" or not realm.startswith(("http://", "https://")):
        return ""
    address = f"{realm}?{urlencode(asked)}"
    with urllib.request.urlopen(address, timeout=_PATIENCE_S) as answer:  # noqa: S310  # checked above
        found = json.load(answer)
    return str(found.get("token") or found.get("access_token") or "")
