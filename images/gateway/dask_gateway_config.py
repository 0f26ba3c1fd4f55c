"""Dask Gateway of the facility, on one machine and on Kubernetes.

``FOURLEP_GATEWAY_BACKEND`` chooses where clusters run (``local`` or ``kubernetes``), and
``FOURLEP_GATEWAY_PART`` which program reads this (``server`` or Kubernetes' ``controller``);
every other setting is an environment variable too, listed in
``docs/reference/facility-settings.md``.
"""

from __future__ import annotations

from fourlep.config.settings import number, one_of, secret, text
from fourlep.facility.gateway.limits import Limits

c = get_config()
limits = Limits.from_environment()
PREFIX = "/services/dask-gateway"
backend = one_of("FOURLEP_GATEWAY_BACKEND", ("local", "kubernetes"))

if one_of("FOURLEP_GATEWAY_PART", ("server", "controller"), "server") == "server":
    c.DaskGateway.address = text("FOURLEP_GATEWAY_API_BIND")
    c.DaskGateway.authenticator_class = "dask_gateway_server.auth.JupyterHubAuthenticator"
    hub_api = text("FOURLEP_HUB_API_URL").rstrip("/") + "/hub/api"
    c.JupyterHubAuthenticator.jupyterhub_api_url = hub_api
    c.JupyterHubAuthenticator.jupyterhub_api_token = secret("gateway-token")
    c.JupyterHubAuthenticator.jupyterhub_service_name = "dask-gateway"
    # A token that was revoked is refused within this time.
    c.JupyterHubAuthenticator.cache_max_age = 60

GUARD = "fourlep.facility.dashboard_guard"
c.ClusterConfig.scheduler_cmd = ["dask", "scheduler", "--preload", GUARD]
c.ClusterConfig.worker_cmd = ["dask", "worker", "--preload", GUARD]
c.ClusterConfig.idle_timeout = number("FOURLEP_CLUSTER_IDLE_S", 1800)
c.ClusterConfig.environment = {
    "FOURLEP_CACHES": text("FOURLEP_CACHES", ""),
    "FOURLEP_CACHE_ORIGIN": text("FOURLEP_CACHE_ORIGIN", ""),
    # One thread for each task that numba or BLAS serves: dask counts the cores.
    "NUMBA_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}

if backend == "kubernetes":
    from fourlep.facility.gateway.kubernetes import configure_kubernetes

    configure_kubernetes(c, PREFIX, limits)
else:
    from fourlep.facility.gateway.local import configure_local

    configure_local(c, PREFIX, limits)
