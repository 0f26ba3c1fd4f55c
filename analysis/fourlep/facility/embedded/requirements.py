"""What must be there before anything is started; each miss says what to do."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import subprocess
from pathlib import Path

import psutil

from fourlep.errors import ClusterError, ConfigError

#: configurable-http-proxy 5 asks for it.
_NODE_MAJOR = 18


def require_programs(*, own_origin: bool) -> None:
    """Refuse where Node.js, npm or XRootD with its cache plugin are missing.

    Raises
    ------
    ConfigError
        Naming what is missing and the Debian package that has it.
    """
    require_node()
    plugins = list(Path("/usr/lib").glob("**/libXrdPfc*.so")) or list(
        Path("/usr/lib64").glob("libXrdPfc*.so")
    )
    if shutil.which("xrootd") is None or shutil.which("xrdfs") is None or not plugins:
        what = "origin and cache" if own_origin else "cache"
        raise ConfigError(
            f"XRootD is missing, which is the {what} of the facility",
            remedy="apt-get install xrootd-server xrootd-server-plugins xrootd-client",
        )


def require_node() -> None:
    """Refuse where Node.js (18 or newer) or npm is missing."""
    remedy = "apt-get install nodejs npm"
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise ConfigError("Node.js or npm is missing, which the hub's proxy runs on", remedy=remedy)
    answer = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"v(\d+)", answer.stdout)
    if version is None or int(version[1]) < _NODE_MAJOR:
        raise ConfigError(
            f"Node.js {answer.stdout.strip()} is too old: {_NODE_MAJOR} or newer is needed",
            remedy=remedy,
        )


def xrootd_user() -> str:
    """User that XRootD runs as: "" for the caller, who is not root.

    Raises
    ------
    ConfigError
        If the caller is root and there is nobody to become.
    """
    if os.geteuid() != 0:
        return ""
    for name in ("xrootd", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise ConfigError(
        "XRootD refuses to run as root, and there is no user xrootd or nobody",
        remedy="adduser --system --group xrootd, or start the facility as an ordinary user",
    )


def require_passage(folder: Path, user: str) -> None:
    """Refuse a ``folder`` that ``user`` ("" for the caller) cannot reach.

    Raises
    ------
    ConfigError
        Naming the parent folder that is closed.
    """
    if not user:
        return
    entry = pwd.getpwnam(user)
    for parent in folder.resolve().parents:
        if not parent.exists():
            continue  # to be made, and opened
        found = parent.stat()
        shift = 6 if found.st_uid == entry.pw_uid else 3 if found.st_gid == entry.pw_gid else 0
        if not (found.st_mode >> shift) & 0o1:
            raise ConfigError(
                f"the user {user}, whom XRootD runs as, cannot pass {parent}",
                remedy=f"chmod o+x {parent}, or name another folder with --directory",
            )


def require_free(port: int) -> None:
    """Refuse a TCP port of 127.0.0.1 that somebody listens on.

    Raises
    ------
    ClusterError
        Naming the process where it can be seen.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ClusterError(
                f"port {port} is in use{_holder(port)}",
                remedy="end that program, or choose another port with --port (0: any free one)",
            ) from error


def free_ports(count: int) -> list[int]:
    """Find ``count`` TCP ports of 127.0.0.1 that nobody listens on, all different."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def _holder(port: int) -> str:
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return ""
    for connection in connections:
        listens = connection.status == psutil.CONN_LISTEN
        if listens and connection.laddr and connection.laddr.port == port and connection.pid:
            try:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
            except psutil.NoSuchProcess:
                return ""
    return ""
