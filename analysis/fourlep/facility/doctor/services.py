"""What the session reaches: caches, origin, fileset, Gateway, its limits."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

from fourlep.config.environment import cache_endpoints, cache_origin
from fourlep.config.settings import text
from fourlep.errors import FourlepError
from fourlep.facility.doctor.finding import Finding
from fourlep.facility.hub.state import answers
from fourlep.io.routes import RELEASE_ORIGIN

_PATIENCE_S = 15

#: Run in a process of its own: a client that hangs in C code cannot be interrupted.
_ASK = """
import sys
from fourlep.config.environment import prepare_xrootd_client
prepare_xrootd_client()
from XRootD.client import FileSystem
from XRootD.client.flags import QueryCode
status, answer = FileSystem(sys.argv[1]).query(QueryCode.CONFIG, "version", timeout=5)
sys.stdout.write((answer or b"").decode().strip("\\0\\n ") if status.ok else "")
sys.exit(not status.ok)
"""


def caches() -> Iterator[Finding]:
    """Whether each cache answers."""
    endpoints = cache_endpoints()
    if not endpoints:
        yield Finding("caches", "note", "none is configured: files are read from the origin")
    for endpoint in endpoints:
        version = server_version(endpoint)
        if version is None:
            yield Finding(
                "cache",
                "problem",
                f"{endpoint} does not answer",
                "runs go on from other caches and the origin; tell the facility's operator",
            )
        else:
            yield Finding("cache", "well", f"{endpoint} answers (XRootD {version})")


def origin() -> Iterator[Finding]:
    """Whether the origin answers; behind a cache, what is cached is read without it."""
    address = cache_origin(RELEASE_ORIGIN)
    version = server_version(address)
    if version is not None:
        yield Finding("origin", "well", f"{address} answers (XRootD {version})")
    elif cache_endpoints():
        yield Finding(
            "origin",
            "note",
            f"{address} does not answer from here",
            "what the caches hold is read all the same, and they may reach it",
        )
    else:
        yield Finding(
            "origin",
            "problem",
            f"{address} does not answer and there is no cache",
            "check the network (port 1094), set FOURLEP_CACHES, or run over local files",
        )


def fileset() -> Iterator[Finding]:
    """Whether the facility's fileset can be loaded."""
    name = text("FOURLEP_FILESET", "")
    if not name:
        yield Finding("fileset", "note", "the facility names none (FOURLEP_FILESET)")
        return
    from fourlep.facility.published import facility_fileset

    try:
        found = facility_fileset(name)
    except FourlepError as error:
        yield Finding("fileset", "problem", error.message, error.remedy)
        return
    count = sum(len(dataset.files) for dataset in found.datasets)
    yield Finding("fileset", "well", f"{name}: {len(found.datasets)} datasets, {count} files")


def gateway() -> Iterator[Finding]:
    """Whether the Gateway answers, knows the session, and what it allows."""
    address = text("DASK_GATEWAY__ADDRESS", "")
    if not address:
        yield Finding("gateway", "note", "none is configured: runs use this machine's cores")
        return
    if not answers(f"{address.rstrip('/')}/api/health"):
        yield Finding(
            "gateway",
            "problem",
            f"{address} does not answer",
            "tell the facility's operator; --cluster local works meanwhile",
        )
        return
    from aiohttp import ClientError
    from dask_gateway import Gateway, GatewayServerError

    try:
        with Gateway() as connection:
            versions = connection.get_versions()
            active = connection.list_clusters()
            limits = connection.cluster_options()
    except (ClientError, GatewayServerError, OSError, RuntimeError, ValueError) as error:
        yield Finding(
            "gateway", "problem", f"it refuses this session: {error}", "log out and in again"
        )
        return
    client, server = versions["client"]["version"], versions["server"]["version"]
    if client != server:
        yield Finding(
            "gateway",
            "problem",
            f"client {client}, server {server}",
            "restart your server to get the facility's image",
        )
    else:
        yield Finding("gateway", "well", f"version {server}, {len(active)} clusters of yours")
    offered = ", ".join(f"{name}={value}" for name, value in limits.items())
    yield Finding("cluster defaults", "well", offered)


def server_version(endpoint: str) -> str | None:
    """Version of the XRootD server at ``endpoint``, None where it does not answer."""
    parts = urlsplit(endpoint)
    if not parts.hostname:
        return None
    try:
        answer = subprocess.run(
            [sys.executable, "-c", _ASK, f"root://{parts.netloc}"],
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    return answer.stdout.strip() or "unknown" if answer.returncode == 0 else None
