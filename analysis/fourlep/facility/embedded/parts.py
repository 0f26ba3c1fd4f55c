"""The parts of the embedded facility: command, environment, health, order."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fourlep.config.mark import mark
from fourlep.config.settings import present
from fourlep.facility.embedded.health import HttpHealth, XRootDHealth
from fourlep.facility.embedded.layout import Layout, Run

_LOOPBACK = "127.0.0.1"
#: Name of the cache in its statistics; the collector misses it by that name.
_CACHE = "embedded"


@dataclass(frozen=True, slots=True)
class Part:
    """One supervised process.

    Parameters
    ----------
    name, title
        For the machine and for people.
    command
        Program (absolute) and arguments.
    environment
        The whole environment of the process.
    folder
        Where it runs.
    is_healthy
        Answers whether it works; may take seconds.
    after
        Parts that must be healthy before this one is started.
    socket_port
        TCP port of 127.0.0.1 whose listening socket is handed over, -1 for none.
    user
        User to run as, "" for the caller.
    """

    name: str
    title: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    is_healthy: Callable[[], bool]
    after: tuple[str, ...] = ()
    socket_port: int = -1
    user: str = ""
    stop_s: float = field(default=10.0)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the parts need besides the run: programs, folders, secrets' values.

    Parameters
    ----------
    layout, run
        Where things are and what was chosen.
    repository
        Checkout with ``images/`` and ``notebooks/``.
    proxy_program
        configurable-http-proxy, installed.
    user
        Whom XRootD runs as, "" for the caller.
    """

    layout: Layout
    run: Run
    repository: Path
    proxy_program: Path
    user: str

    @property
    def images(self) -> Path:
        """The configuration files, those of the containers."""
        return self.repository / "images"

    def environment(self, **settings: str) -> dict[str, str]:
        """Environment of a part: little of the caller's, the run's mark, ``settings``."""
        binaries = str(Path(sys.executable).parent)
        inherited = present("LANG", "LC_ALL", "HOME", "TMPDIR", "VIRTUAL_ENV")
        return {
            **inherited,
            "PATH": os.pathsep.join([binaries, os.environ.get("PATH", os.defpath)]),
            **mark(self.run.facility_id),
            **settings,
        }


def build_parts(around: Surroundings) -> tuple[Part, ...]:
    """All parts, in an order that respects ``after``."""
    origin = (_origin(around),) if around.run.own_origin else ()
    return (
        *origin,
        _metrics(around),
        _cache(around),
        _proxy(around),
        _hub(around),
        _gateway(around),
    )


def _origin(around: Surroundings) -> Part:
    port, work = around.run.ports.origin, around.layout.work("origin")
    return Part(
        name="origin",
        title="XRootD origin",
        command=_xrootd(around, "origin.cfg", port),
        environment=_xrootd_environment(
            around,
            work,
            FOURLEP_ORIGIN_EXPORT=around.run.export,
            FOURLEP_ORIGIN_ROOT=str(around.layout.data),
        ),
        folder=work,
        is_healthy=XRootDHealth(port),
        socket_port=port,
        user=around.user,
    )


def _cache(around: Surroundings) -> Part:
    ports, work = around.run.ports, around.layout.work("cache")
    shared = read_settings(around.images / "xcache" / "xcache.env")
    return Part(
        name="cache",
        title="XCache",
        command=_xrootd(around, "xcache.cfg", ports.cache),
        environment=_xrootd_environment(
            around,
            work,
            **{
                **shared,
                **{name: value for name, value in around.run.environment.items() if name in shared},
            },
            FOURLEP_XCACHE_ORIGIN=around.run.origin,
            FOURLEP_XCACHE_EXPORT=around.run.export,
            FOURLEP_XCACHE_DIR=str(around.layout.cache),
            FOURLEP_XCACHE_MONITOR=f"{_LOOPBACK}:{ports.monitor}",
            FOURLEP_XCACHE_NAME=_CACHE,
        ),
        folder=work,
        is_healthy=XRootDHealth(ports.cache),
        # The cache looks the collector up once, at its start.
        after=("metrics",),
        socket_port=ports.cache,
        user=around.user,
    )


def _xrootd(around: Surroundings, configuration: str, port: int) -> tuple[str, ...]:
    program = shutil.which("xrootd") or "xrootd"
    return (program, "-c", str(around.layout.work("xrootd") / configuration), "-p", str(port))


def _xrootd_environment(around: Surroundings, work: Path, **settings: str) -> dict[str, str]:
    return around.environment(
        FOURLEP_XROOTD_ACCESS=str(around.layout.work("xrootd") / "access.db"),
        FOURLEP_XROOTD_WORK=str(work),
        **settings,
    )


def _metrics(around: Surroundings) -> Part:
    ports = around.run.ports
    return Part(
        name="metrics",
        title="Cache statistics",
        command=_fourlep("facility", "collect"),
        environment=around.environment(
            FOURLEP_METRICS_UDP=f"{_LOOPBACK}:{ports.monitor}",
            FOURLEP_METRICS_HTTP=f"{_LOOPBACK}:{ports.metrics}",
            FOURLEP_XCACHE_DIR=str(around.layout.cache),
            FOURLEP_XCACHE_NAME=_CACHE,
        ),
        folder=around.layout.root,
        is_healthy=HttpHealth(f"http://{_LOOPBACK}:{ports.metrics}/metrics"),
    )


def _proxy(around: Surroundings) -> Part:
    ports = around.run.ports
    token = (around.layout.secrets / "proxy-token").read_text(encoding="utf-8").strip()
    return Part(
        name="proxy",
        title="Hub's proxy",
        command=(
            shutil.which("node") or "node",
            str(around.proxy_program),
            f"--ip={_LOOPBACK}",
            f"--port={ports.public}",
            f"--api-ip={_LOOPBACK}",
            f"--api-port={ports.proxy_api}",
            f"--error-target=http://{_LOOPBACK}:{ports.hub}/hub/error",
            "--log-level=warn",
        ),
        environment=around.environment(CONFIGPROXY_AUTH_TOKEN=token),
        folder=around.layout.root,
        is_healthy=HttpHealth(f"http://{_LOOPBACK}:{ports.public}/_chp_healthz"),
    )


def _hub(around: Surroundings) -> Part:
    ports, layout, run = around.run.ports, around.layout, around.run
    gateway = f"http://{_LOOPBACK}:{ports.gateway}"
    states = {
        "Dask Gateway": f"{gateway}/services/dask-gateway/api/health",
        "Cache": f"http://{_LOOPBACK}:{ports.metrics}/metrics",
    }
    return Part(
        name="hub",
        title="JupyterHub",
        command=(
            sys.executable,
            "-m",
            "jupyterhub",
            f"--config={around.images / 'hub' / 'jupyterhub_config.py'}",
        ),
        environment=around.environment(
            **{
                **_shared(around),
                "FOURLEP_HUB_SPAWNER": "local",
                "FOURLEP_HUB_LOGIN": "password",
                "FOURLEP_HUB_USERS": ",".join(run.users),
                "FOURLEP_HUB_BIND_URL": f"http://{_LOOPBACK}:{ports.public}",
                "FOURLEP_HUB_API_BIND_URL": f"http://{_LOOPBACK}:{ports.hub}",
                "FOURLEP_PROXY_API_URL": f"http://{_LOOPBACK}:{ports.proxy_api}",
                "FOURLEP_HUB_PARTS": ",".join(f"{key}={url}" for key, url in states.items()),
                "FOURLEP_HUB_ROUTES_S": "5",
                "FOURLEP_HUB_HOMES": str(layout.homes),
                "FOURLEP_HUB_PROFILE_MAX_CORES": str(os.cpu_count() or 1),
                "FOURLEP_HUB_NOTICE": "A facility on one machine: everybody who logs in shares "
                "one account of it.",
                "FOURLEP_NOTEBOOKS": str(around.repository / "notebooks"),
                "JUPYTER_CONFIG_PATH": str(around.images / "analysis"),
                **run.environment,
            }
        ),
        folder=layout.work("hub"),
        is_healthy=HttpHealth(f"http://{_LOOPBACK}:{ports.public}/hub/health"),
        # A hub that does not find its proxy gives up.
        after=("proxy",),
        stop_s=20.0,
    )


def _gateway(around: Surroundings) -> Part:
    ports, work = around.run.ports, around.layout.work("gateway")
    base = f"http://{_LOOPBACK}:{ports.gateway}"
    return Part(
        name="gateway",
        title="Dask Gateway",
        command=(
            sys.executable,
            "-m",
            "dask_gateway_server",
            "--config",
            str(around.images / "gateway" / "dask_gateway_config.py"),
        ),
        environment=around.environment(
            **{
                **_shared(around),
                "FOURLEP_GATEWAY_BACKEND": "local",
                "FOURLEP_GATEWAY_API_BIND": f"{_LOOPBACK}:{ports.gateway_api}",
                "FOURLEP_GATEWAY_DATABASE": f"sqlite:///{work / 'gateway.sqlite'}",
                "FOURLEP_GATEWAY_WORK": str(work / "clusters"),
                **_machine_limits(),
                **around.run.environment,
            }
        ),
        folder=work,
        is_healthy=HttpHealth(f"{base}/services/dask-gateway/api/health"),
    )


def _shared(around: Surroundings) -> dict[str, str]:
    """Name the settings that hub and gateway must agree on."""
    ports = around.run.ports
    return {
        "FOURLEP_SECRETS": str(around.layout.secrets),
        "FOURLEP_HUB_API_URL": f"http://{_LOOPBACK}:{ports.hub}",
        "FOURLEP_GATEWAY_URL": f"http://{_LOOPBACK}:{ports.gateway}",
        "FOURLEP_GATEWAY_SCHEDULERS": f"gateway://{_LOOPBACK}:{ports.schedulers}",
        "FOURLEP_CACHES": f"root://{_LOOPBACK}:{ports.cache}",
        "FOURLEP_CACHE_ORIGIN": f"root://{around.run.origin}",
        "FOURLEP_CACHE_METRICS_PORT": str(ports.metrics),
        "FOURLEP_FILESET": around.run.fileset,
    }


def _machine_limits() -> dict[str, str]:
    """Limits that suit one machine: its cores, and 2 GiB for each."""
    cores = max(2, os.cpu_count() or 1)
    return {
        "FOURLEP_LIMIT_WORKER_CORES": str(cores),
        "FOURLEP_LIMIT_WORKER_MEMORY_GIB": "4",
        "FOURLEP_LIMIT_WORKERS": str(cores),
        "FOURLEP_LIMIT_USER_CLUSTERS": "2",
        "FOURLEP_LIMIT_USER_CORES": str(2 * cores),
        "FOURLEP_LIMIT_USER_MEMORY_GIB": str(4 * cores),
    }


def _fourlep(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "fourlep", *arguments)


def read_settings(path: Path) -> dict[str, str]:
    """``NAME=value`` lines of ``path``; comments and empty lines are passed over."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}
