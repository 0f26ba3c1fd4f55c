"""A Dask Gateway for tests: local processes on 127.0.0.1, any user name, no hub."""

import os
import sys
from pathlib import Path

from dask_gateway_server.backends.local import UnsafeLocalBackend


class LoopbackBackend(UnsafeLocalBackend):
    """Workers listen on every interface unless they are told not to."""

    def get_worker_command(self, cluster, worker_name, **kwargs):
        return [*super().get_worker_command(cluster, worker_name, **kwargs), "--host", "127.0.0.1"]


c = get_config()  # noqa: F821  # traitlets puts it there
dask = str(Path(sys.executable).parent / "dask")
c.DaskGateway.address = os.environ["TEST_GATEWAY_API"]
c.DaskGateway.authenticator_class = "dask_gateway_server.auth.SimpleAuthenticator"
c.DaskGateway.backend_class = LoopbackBackend
c.Proxy.address = os.environ["TEST_GATEWAY_HTTP"]
c.Proxy.tcp_address = os.environ["TEST_GATEWAY_TCP"]
c.Proxy.proxy_status_period = 2
c.LoopbackBackend.clusters_directory = os.environ["TEST_GATEWAY_WORK"]
c.LoopbackBackend.inherited_environment = ["PATH", "LANG", "VIRTUAL_ENV", "PYTHONPATH"]
c.ClusterConfig.scheduler_cmd = [dask, "scheduler"]
c.ClusterConfig.worker_cmd = [dask, "worker"]
# A lost scheduler is noticed soon.
c.LoopbackBackend.cluster_heartbeat_period = 1
c.LoopbackBackend.cluster_heartbeat_timeout = 3
c.LoopbackBackend.cluster_status_period = 1
