"""Clusters as processes of this machine, on 127.0.0.1 only."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dask_gateway_server.backends.local import UnsafeLocalBackend

from fourlep.config.mark import carries
from fourlep.config.settings import secret, text
from fourlep.facility.gateway.limits import Limits, PerUserLimits
from fourlep.facility.gateway.options import cluster_options


class LoopbackBackend(PerUserLimits, UnsafeLocalBackend):  # type: ignore[misc]  # untyped base
    """Local processes of one account, none of which listens beyond 127.0.0.1.

    The scheduler already binds there; workers would listen on every interface. Process ids
    that the database kept over a crash or a reboot are other programs', which the Gateway
    would end: a process is one of ours where it carries the mark of this run.
    """

    def get_worker_command(self, cluster: Any, worker_name: str, **kwargs: Any) -> list[str]:
        """Add the host to the worker's command."""
        command: list[str] = super().get_worker_command(cluster, worker_name, **kwargs)
        return [*command, "--host", self.default_host]

    async def stop_process(self, pid: int) -> None:
        """End a process of ours."""
        if _is_ours(pid):
            await super().stop_process(pid)

    def _check_status(self, o: Any) -> bool:
        return _is_ours(o.state.get("pid") or 0)


def _is_ours(pid: int) -> bool:
    return carries(pid, text("FOURLEP_FACILITY_ID"))


def configure_local(c: Any, prefix: str, limits: Limits) -> None:
    """Run clusters with the `LoopbackBackend`, behind the Gateway's own proxy."""
    c.DaskGateway.backend_class = LoopbackBackend
    c.LoopbackBackend.limits = limits
    c.Backend.cluster_options = cluster_options(limits)
    c.Proxy.address = urlsplit(text("FOURLEP_GATEWAY_URL")).netloc
    c.Proxy.tcp_address = urlsplit(text("FOURLEP_GATEWAY_SCHEDULERS")).netloc
    c.Proxy.prefix = prefix
    c.Proxy.api_token = secret("gateway-proxy-token")
    c.Proxy.proxy_status_period = 2
    # Clusters outlive a restart of the server; their secrets are encrypted on disk.
    c.LoopbackBackend.db_url = text("FOURLEP_GATEWAY_DATABASE")
    c.LoopbackBackend.db_encrypt_keys = [secret("gateway-database-key")]
    c.LoopbackBackend.stop_clusters_on_shutdown = False
    c.LoopbackBackend.clusters_directory = text("FOURLEP_GATEWAY_WORK")
    c.LoopbackBackend.inherited_environment = [
        "PATH",
        "LANG",
        "LC_ALL",
        "VIRTUAL_ENV",
        "FOURLEP_FACILITY_ID",
    ]
    dask = str(Path(sys.executable).parent / "dask")
    c.ClusterConfig.scheduler_cmd = [dask, *c.ClusterConfig.scheduler_cmd[1:]]
    c.ClusterConfig.worker_cmd = [dask, *c.ClusterConfig.worker_cmd[1:]]
