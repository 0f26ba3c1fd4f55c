"""A real Dask Gateway with its proxy, on free loopback ports."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from fourlep.config.environment import child_environment


class DaskGateway:
    """The server, its proxy, and the clusters it starts, ended together.

    Parameters
    ----------
    work
        Folder for the log and the clusters.
    """

    def __init__(self, work: Path) -> None:
        self._work = work
        self._api, self._http, self._tcp = (f"127.0.0.1:{port}" for port in _free_ports(3))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> dict[str, str]:
        """What makes ``Gateway()`` find it, for ``dask.config.set``."""
        return {
            "gateway.address": f"http://{self._http}",
            "gateway.proxy-address": f"gateway://{self._tcp}",
            "gateway.auth.type": "basic",
        }

    @property
    def log(self) -> str:
        return (self._work / "gateway.log").read_text(errors="replace")

    def proxy(self) -> psutil.Process:
        """The Go program between clients and schedulers."""
        return self._descendant("dask-gateway-proxy")

    def scheduler(self) -> psutil.Process:
        """The scheduler of the (only) cluster."""
        return self._descendant("dask scheduler")

    def _descendant(self, *names: str) -> psutil.Process:
        for process in self._descendants():
            if any(name in " ".join(process.cmdline()) for name in names):
                return process
        raise LookupError(names)

    def _descendants(self) -> list[psutil.Process]:
        """Processes of the server, of its clusters too: they have sessions of their own."""
        assert self._process is not None
        children = psutil.Process(self._process.pid).children(recursive=True)
        work = str(self._work)
        others = [
            process
            for process in psutil.process_iter()
            if process.uids().real == os.getuid() and work in _environment(process)
        ]
        return [*children, *(process for process in others if process not in children)]

    def __enter__(self) -> Self:
        log = (self._work / "gateway.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [
                    sys.executable, "-m", "dask_gateway_server",
                    "-f", str(Path(__file__).with_name("gateway_config.py")),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={
                    **child_environment(),
                    "TEST_GATEWAY_API": self._api,
                    "TEST_GATEWAY_HTTP": self._http,
                    "TEST_GATEWAY_TCP": self._tcp,
                    "TEST_GATEWAY_WORK": str(self._work),
                },
            )  # fmt: skip
        self._wait()
        return self

    def _wait(self) -> None:
        """Wait until server and proxy know each other."""
        give_up = time.monotonic() + 60.0
        while time.monotonic() < give_up:
            try:
                with urllib.request.urlopen(f"http://{self._http}/api/health", timeout=5):
                    return
            except OSError:
                threading.Event().wait(0.2)
        raise RuntimeError(f"the Gateway does not answer:\n{self.log[-3000:]}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        left = self._descendants()
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for process in left:
            if process.is_running():
                process.kill()


def _environment(process: psutil.Process) -> str:
    try:
        return " ".join(process.environ().values())
    except psutil.Error:
        return ""


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
