"""Where batches run: processes of this machine, a scheduler's address, a Dask Gateway.

A `Launcher` gives clusters; when one is lost the run asks for the next.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, Protocol

from distributed import Client
from distributed.utils import LoopRunner

from fourlep.config.environment import child_environment
from fourlep.errors import ClusterError, ConfigError
from fourlep.execution.matching import require_matching

#: Seconds that a client waits for its scheduler.
CONNECT_TIMEOUT_S = 30.0

#: Likewise through a Gateway, whose proxy accepts although the scheduler behind it is gone.
GATEWAY_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Workers:
    """How many workers a run wants.

    Parameters
    ----------
    minimum, maximum
        Equal for a fixed number; otherwise the cluster adapts between them where it can.

    Examples
    --------
    >>> Workers.parse("2-64")
    Workers(minimum=2, maximum=64)
    """

    minimum: int
    maximum: int

    @classmethod
    def parse(cls, text: str) -> Workers:
        """From ``"8"`` or ``"2-64"``.

        Raises
        ------
        ConfigError
            If it is neither.
        """
        first, dash, last = text.partition("-")
        if first.isdecimal() and (last.isdecimal() or not dash):
            workers = cls(int(first), int(last or first))
            if 1 <= workers.minimum <= workers.maximum:
                return workers
        raise ConfigError(
            f"{text!r} is no number of workers", remedy="write 8, or 2-64 to adapt between them"
        )


class Cluster(Protocol):
    """A scheduler with workers."""

    @property
    def expected(self) -> int:
        """Workers that there will be, 0 where unknown."""
        ...

    def connect(self) -> Client:
        """Connect a client of the scheduler."""
        ...

    def is_alive(self) -> bool:
        """Whether the scheduler may still be there; workers are mended on the way."""
        ...

    def close(self) -> None:
        """End what was started; nothing else."""
        ...


#: Gives a fresh cluster each time.
Launcher = Callable[[], Cluster]


def launcher(cluster: str, workers: Workers, directory: Path) -> Launcher:
    """Find the launcher that a ``--cluster`` value means.

    Parameters
    ----------
    cluster
        ``local``, ``gateway``, ``gateway:NAME`` for a cluster that the user has there, or a
        scheduler's address (``tcp://`` or ``tls://``).
    workers
        Ignored for a scheduler's address, which has its own.
    directory
        For logs and scratch files of local processes.

    Raises
    ------
    ConfigError
        If it is none of them.
    """
    if cluster == "local":
        return lambda: LocalCluster(workers.maximum, directory)
    if cluster == "gateway":
        return lambda: GatewayCluster(workers)
    if cluster.startswith("gateway:"):
        return lambda: GatewayCluster(workers, cluster.removeprefix("gateway:"))
    if cluster.startswith(("tcp://", "tls://")):
        return lambda: GivenScheduler(cluster)
    raise ConfigError(
        f"{cluster!r} is no cluster",
        remedy="choose inline, local, gateway, gateway:NAME, or a scheduler's address such as"
        " tcp://host:8786 or tls://host:8786",
    )


class GivenScheduler:
    """A scheduler that somebody else runs.

    Parameters
    ----------
    address
        ``tcp://host:port``.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self.expected = 0

    def connect(self) -> Client:
        """Connect a client of the scheduler, which is given time to come back.

        Raises
        ------
        ClusterError
            If it cannot be reached, or runs other software than this process.
        """
        client = _client(self._address, self._address, CONNECT_TIMEOUT_S)
        return _matched(client, "start scheduler and workers in an environment like this one")

    def is_alive(self) -> bool:
        """Unknown here: the client's connection tells."""
        return True

    def close(self) -> None:
        """Leave it running."""


class LocalCluster:
    """Scheduler and workers as processes of this machine, on 127.0.0.1.

    Parameters
    ----------
    n_workers
        Worker processes; each has a reading process beside it.
    directory
        Where ``logs/`` and scratch files go.
    """

    def __init__(self, n_workers: int, directory: Path) -> None:
        self.expected = n_workers
        self._logs = directory / "logs"
        self._logs.mkdir(parents=True, exist_ok=True)
        self._scratch = directory / "scratch"
        self._workers: list[subprocess.Popen[bytes]] = []
        self._scheduler = self._start("scheduler", str(self._scratch), stdout=subprocess.PIPE)
        assert self._scheduler.stdout is not None  # noqa: S101  # it was asked for
        self._address = self._scheduler.stdout.readline().decode().strip()
        if not self._address:
            self.close()
            raise ClusterError(
                "the local scheduler did not start", remedy=f"see {self._logs / 'scheduler.log'}"
            )
        self._workers = [self._worker(number) for number in range(n_workers)]

    @property
    def process_ids(self) -> tuple[int, ...]:
        """Of the scheduler, then of the workers."""
        return (self._scheduler.pid, *(worker.pid for worker in self._workers))

    def connect(self) -> Client:
        """Connect a client of the scheduler."""
        return _client(self._address, "the local scheduler", CONNECT_TIMEOUT_S)

    def is_alive(self) -> bool:
        """Whether the scheduler lives; workers that died are replaced if it does."""
        if self._scheduler.poll() is not None:
            return False
        for number, worker in enumerate(self._workers):
            if worker.poll() is not None:
                _end(worker)
                self._workers[number] = self._worker(number)
        return True

    def close(self) -> None:
        """End the processes, which notice that their standard input closes, and tidy up."""
        for process in (*self._workers, self._scheduler):
            _end(process)
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _worker(self, number: int) -> subprocess.Popen[bytes]:
        return self._start(
            "worker", str(self._scratch), self._address, log=f"worker-{number}", stdout=None
        )

    def _start(
        self, *arguments: str, log: str = "scheduler", stdout: int | None
    ) -> subprocess.Popen[bytes]:
        with (self._logs / f"{log}.log").open("ab") as file:
            return subprocess.Popen(
                [sys.executable, "-m", "fourlep.execution.node", *arguments],
                stdin=subprocess.PIPE,
                stdout=file if stdout is None else stdout,
                stderr=file,
                env=child_environment(),
            )


#: Objects of dask-gateway, which must not be deleted: they then stop their event loop under
#: a lock of distributed's, and wait for ever where the garbage collector deletes them
#: while another client takes that lock.
_KEPT: list[object] = []


class GatewayCluster:
    """A cluster of a Dask Gateway, which the environment describes.

    Parameters
    ----------
    workers
        Fixed number, or bounds to adapt between; ignored for a cluster that is there.
    name
        A cluster that the user has there, used as it is and left running; "" for a new one.

    Raises
    ------
    ClusterError
        If the Gateway gives none.
    """

    def __init__(self, workers: Workers, name: str = "") -> None:
        self.expected = 0 if name else workers.maximum
        self._is_new = not name
        try:
            from dask_gateway import Gateway
        except ImportError as error:
            raise ClusterError(
                "dask-gateway is not installed", remedy="install fourlep[gateway]"
            ) from error
        # Objects of dask-gateway close themselves a second time when they are deleted, which
        # needs a running loop: this one runs until the process ends.
        loop = LoopRunner()
        loop.start()  # type: ignore[no-untyped-call]  # distributed
        self._gateway = Gateway(loop=loop.loop)
        _KEPT.append(self._gateway)
        try:
            if name:
                self._cluster = self._gateway.connect(name)
                _KEPT.append(self._cluster)
                return
            self._cluster = self._gateway.new_cluster(shutdown_on_close=True)
            _KEPT.append(self._cluster)
            if workers.minimum == workers.maximum:
                self._cluster.scale(workers.maximum)
            else:
                self._cluster.adapt(minimum=workers.minimum, maximum=workers.maximum)
        except Exception as error:  # aiohttp's, the Gateway's and OS errors: all mean no cluster
            _KEPT.append(error)  # its frames hold a cluster half made, with a gateway of its own
            self._gateway.close()
            raise ClusterError(
                f"the Dask Gateway gave no cluster: {error}",
                remedy="check DASK_GATEWAY__ADDRESS and the limits of the Gateway",
            ) from error

    def connect(self) -> Client:
        """Connect a client of the cluster's scheduler, through the Gateway's proxy.

        Raises
        ------
        ClusterError
            If it cannot be reached, or runs other software than this process.
        """
        client = _client(
            self._cluster,
            self._cluster.name,
            GATEWAY_TIMEOUT_S,
            security=self._cluster.security,
        )
        return _matched(
            client,
            "restart your server, so that it and new clusters get the same image; "
            "packages that you installed yourself are not on the cluster",
        )

    def is_alive(self) -> bool:
        """Whether the Gateway still lists the cluster; unknown counts as yes."""
        with contextlib.suppress(Exception):  # the Gateway itself may be restarting
            return self._cluster.name in {one.name for one in self._gateway.list_clusters()}
        return True

    def close(self) -> None:
        """Shut a new cluster down; leave one that was there."""
        with contextlib.suppress(Exception):  # lost clusters cannot be shut down
            self._cluster.close(shutdown=self._is_new)
        with contextlib.suppress(Exception):
            self._gateway.close()


def _matched(client: Client, remedy: str) -> Client:
    """Close a client whose cluster runs other software, and raise."""
    try:
        require_matching(client, remedy)
    except ClusterError:
        client.close()  # type: ignore[no-untyped-call]  # distributed
        raise
    return client


def _client(where: Any, name: str, timeout_s: float, **settings: Any) -> Client:
    """Connect a client, in a thread: distributed waits for ever for a handshake."""
    made: Future[Client] = Future()

    def connect() -> None:
        try:
            client = Client(  # type: ignore[no-untyped-call]  # distributed
                where, timeout=timeout_s, set_as_default=False, **settings
            )
        except Exception as error:  # noqa: BLE001  # raised where it is waited for
            if made.set_running_or_notify_cancel():
                made.set_exception(error)
            return
        if made.set_running_or_notify_cancel():
            made.set_result(client)
        else:
            client.close()  # type: ignore[no-untyped-call]  # distributed

    Thread(target=connect, name="connecting", daemon=True).start()
    try:
        return made.result(2.0 * timeout_s)
    except (OSError, TimeoutError) as error:
        made.cancel()
        raise ClusterError(
            f"no connection to {name}: {str(error) or 'it does not answer'}",
            remedy="check that the scheduler runs and can be reached; --resume continues the run",
        ) from error


def _end(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
    try:
        process.wait(timeout=2.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
