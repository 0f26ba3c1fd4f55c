"""JupyterHub of the facility, on one machine and on Kubernetes.

``FOURLEP_HUB_SPAWNER`` chooses where users' servers run (``local`` or ``kubernetes``) and
``FOURLEP_HUB_LOGIN`` who may log in (``password`` or ``oidc``); every other setting is an
environment variable too, listed in ``docs/reference/facility-settings.md``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import urlsplit

from jupyterhub.app import JupyterHub

from fourlep.config.settings import number, one_of, pairs, present, secret, text
from fourlep.facility.hub import profiles
from fourlep.facility.hub.database import database_url
from fourlep.facility.hub.kubernetes import configure_kubernetes
from fourlep.facility.hub.local import configure_local
from fourlep.facility.hub.login import configure_login
from fourlep.facility.hub.state import FacilityState
from fourlep.facility.hub.tokens import forget_service_tokens

c = get_config()

# --- addresses: the proxy runs beside the hub and is not its child, so that either can be
# --- restarted without the other, and users' servers outlive both where they are pods.
c.JupyterHub.bind_url = text("FOURLEP_HUB_BIND_URL")
c.JupyterHub.hub_bind_url = text("FOURLEP_HUB_API_BIND_URL")
c.JupyterHub.hub_connect_url = text("FOURLEP_HUB_API_URL")
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = text("FOURLEP_PROXY_API_URL")
c.ConfigurableHTTPProxy.auth_token = secret("proxy-token")
# This round also puts back the routes of a proxy that was restarted.
c.JupyterHub.last_activity_interval = int(number("FOURLEP_HUB_ROUTES_S", 30))

# --- state
c.JupyterHub.db_url = database_url()
c.JupyterHub.upgrade_db = True
c.JupyterHub.cookie_secret = bytes.fromhex(secret("cookie-secret"))

# --- limits
c.JupyterHub.allow_named_servers = True
c.JupyterHub.named_server_limit_per_user = int(number("FOURLEP_HUB_NAMED_SERVERS", 1))
c.JupyterHub.active_server_limit = int(number("FOURLEP_HUB_MAX_SERVERS", 100))
c.JupyterHub.concurrent_spawn_limit = int(number("FOURLEP_HUB_MAX_SPAWNS", 20))

# --- pages
c.JupyterHub.default_url = "/hub/home"
c.JupyterHub.template_paths = [str(Path(__file__).resolve().parent / "templates")]
c.JupyterHub.template_vars = {
    "facility": FacilityState(pairs("FOURLEP_HUB_PARTS")),
    "facility_notice": text("FOURLEP_HUB_NOTICE", ""),
}

# --- who may do what. A user's token, and that of a user's server, may open the Gateway.
GATEWAY = "access:services!service=dask-gateway"
c.JupyterHub.services = [
    {
        "name": "dask-gateway",
        "url": text("FOURLEP_GATEWAY_URL"),
        "api_token": secret("gateway-token"),
        "display": False,
    },
    {
        "name": "idle-culler",
        "command": [
            sys.executable,
            "-m",
            "jupyterhub_idle_culler",
            f"--url=http://127.0.0.1:{urlsplit(text('FOURLEP_HUB_API_BIND_URL')).port}/hub/api",
            f"--timeout={number('FOURLEP_HUB_IDLE_S', 3600):.0f}",
            f"--cull-every={number('FOURLEP_HUB_IDLE_CHECK_S', 300):.0f}",
        ],
        "environment": present("FOURLEP_FACILITY_ID"),
    },
    {"name": "smoke", "api_token": secret("smoke-token")},
    {"name": "metrics", "api_token": secret("metrics-token")},
]
if JupyterHub.initialized():  # the hub reads this, not a tool or a test
    forget_service_tokens(c.JupyterHub.db_url, [each["name"] for each in c.JupyterHub.services])
c.JupyterHub.load_roles = [
    {"name": "user", "scopes": ["self", GATEWAY]},
    {"name": "server", "scopes": ["users:activity!user", "access:servers!server", GATEWAY]},
    {
        "name": "idle-culler",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["idle-culler"],
    },
    {
        # The smoke test has one user of its own and can touch no other.
        "name": "smoke-test",
        "scopes": [
            "admin:users!user=smoke",
            "admin:servers!user=smoke",
            "access:servers!user=smoke",
        ],
        "services": ["smoke"],
    },
    {"name": "metrics-reader", "scopes": ["read:metrics"], "services": ["metrics"]},
]

configure_login(c)

# --- users' servers
GATEWAY_PREFIX = "/services/dask-gateway"
OFFERED = profiles.offered(number("FOURLEP_HUB_PROFILE_MAX_CORES", 8))
# The line that JupyterLab's Dask panel writes into a notebook names no credentials. Users'
# own environments may lack fourlep, and have clients all the same.
CLIENT_PRELOAD = """
import contextlib
with contextlib.suppress(ImportError):
    import fourlep.facility.gateway_client
"""
c.Spawner.default_url = "/lab"
c.Spawner.start_timeout = 300
c.Spawner.http_timeout = 120
c.Spawner.environment = {
    # `dask_gateway.Gateway()` works without arguments.
    "DASK_GATEWAY__ADDRESS": text("FOURLEP_GATEWAY_URL").rstrip("/") + GATEWAY_PREFIX,
    "DASK_GATEWAY__PROXY_ADDRESS": text("FOURLEP_GATEWAY_SCHEDULERS"),
    "DASK_GATEWAY__AUTH__TYPE": "jupyterhub",
    # Dashboards come through the owner's own server, which knows the cluster's secret.
    "DASK_GATEWAY__PUBLIC_ADDRESS": lambda spawner: f"{spawner.server.base_url}proxy/dask-gateway",
    "DASK_LABEXTENSION__FACTORY__MODULE": "dask_gateway",
    "DASK_LABEXTENSION__FACTORY__CLASS": "GatewayCluster",
    "DASK_DISTRIBUTED__CLIENT__PRELOAD": repr([CLIENT_PRELOAD]),
    # Or every client would tell about that.
    "DASK_LOGGING": "{'distributed.preloading': 'warning', 'distributed.utils': 'warning'}",
    "FOURLEP_CACHES": text("FOURLEP_CACHES", ""),
    "FOURLEP_CACHE_ORIGIN": text("FOURLEP_CACHE_ORIGIN", ""),
    "FOURLEP_CACHE_METRICS_PORT": text("FOURLEP_CACHE_METRICS_PORT", ""),
    "FOURLEP_FILESET": text("FOURLEP_FILESET", ""),
}

if one_of("FOURLEP_HUB_SPAWNER", ("local", "kubernetes")) == "kubernetes":
    configure_kubernetes(c, OFFERED)
else:
    configure_local(c, OFFERED)
