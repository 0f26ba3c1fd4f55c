"""What the facility adds to a user's Jupyter server.

- Dashboards of the user's own clusters, below ``proxy/dask-gateway/clusters/NAME/``. Jupyter
  asks who is there; the Gateway tells the cluster's key to its owner only; the key opens the
  dashboard (`fourlep.facility.dashboard_guard`).
- The notebooks, copied into the home where they are not there yet, never over a user's own.

Switched on by ``images/analysis/jupyter_server_config.py``.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from jupyter_server_proxy.handlers import ProxyHandler  # type: ignore[import-untyped]  # no stubs
from tornado import web

from fourlep.config.settings import text
from fourlep.facility.dashboard_guard import HEADER, dashboard_token

_ROUTE = "proxy/dask-gateway/clusters"

#: Never sent on: they would show the user's login to the cluster's processes.
_PRIVATE_HEADERS = ("Cookie", "Authorization", "X-Xsrftoken")


class DashboardHandler(ProxyHandler):  # type: ignore[misc]  # jupyter_server_proxy is untyped
    """Passes requests and websockets on to the dashboard of one of the user's clusters."""

    def initialize(self, gateway: str, tokens: dict[str, str]) -> None:
        """Keep the Gateway's address and the tokens known so far, by cluster."""
        self._gateway = urlsplit(gateway)
        self._tokens = tokens
        self._token = ""
        self.host_allowlist = [self._gateway.hostname]

    async def prepare(self, *args: Any, **kwargs: Any) -> None:
        """After Jupyter's own check of the user, learn the cluster's token."""
        await super().prepare(*args, **kwargs)
        cluster = self.path_args[0]
        self.proxy_base = f"{_ROUTE}/{cluster}"
        if cluster not in self._tokens:
            self._tokens[cluster] = await _fetch_token(cluster)
        self._token = self._tokens[cluster]

    def proxy_request_headers(self) -> Any:
        """Headers for the dashboard: the token, and nothing private of the user."""
        headers = super().proxy_request_headers()
        for name in _PRIVATE_HEADERS:
            headers.pop(name, None)
        headers[HEADER] = self._token
        return headers

    def get_client_uri(self, protocol: str, host: str, port: int, proxied_path: str) -> str:  # noqa: ARG002  # the base's signature
        """Address of ``proxied_path`` behind the Gateway's proxy."""
        secure = "s" if self._gateway.scheme == "https" else ""
        query = f"?{self.request.query}" if self.request.query else ""
        cluster = quote(self.path_args[0], safe=".")
        place = f"{self._gateway.path.rstrip('/')}/clusters/{cluster}/{proxied_path.lstrip('/')}"
        return f"{protocol}{secure}://{self._gateway.netloc}{place}{query}"

    async def http_get(self, cluster: str, path: str) -> None:  # noqa: ARG002  # routed arguments
        """Pass a GET on."""
        await self._forward(path)

    async def post(self, cluster: str, path: str) -> None:  # noqa: ARG002  # routed arguments
        """Pass a POST on."""
        await self._forward(path)

    async def open(self, cluster: str, path: str) -> None:  # noqa: ARG002  # routed arguments
        """Pass a websocket on."""
        await self.proxy_open(self._gateway.hostname, self._gateway.port or 80, path)

    async def _forward(self, path: str) -> None:
        await self.proxy(self._gateway.hostname, self._gateway.port or 80, path)


async def _fetch_token(cluster: str) -> str:
    from dask_gateway import Gateway

    try:
        async with Gateway(asynchronous=True) as gateway:
            report = await gateway.get_cluster(cluster)
    except ValueError as error:  # the Gateway's word for unknown, and for not yours
        raise web.HTTPError(404, f"you have no cluster {cluster}") from error
    if not report.tls_key:
        raise web.HTTPError(404, f"the cluster {cluster} is not running")
    return dashboard_token(report.tls_key)


def place_notebooks(source: Path, home: Path) -> list[Path]:
    """Copy the notebooks of ``source`` to ``home``/notebooks, where they are missing.

    Parameters
    ----------
    source
        Folder with ``*.ipynb``.
    home
        Root of the user's files.

    Returns
    -------
    list
        The copies made.
    """
    folder = home / "notebooks"
    folder.mkdir(parents=True, exist_ok=True)
    copied = []
    for notebook in sorted(source.glob("*.ipynb")):
        target = folder / notebook.name
        if not target.exists():
            shutil.copyfile(notebook, target)
            copied.append(target)
    return copied


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    notebooks = text("FOURLEP_NOTEBOOKS", "")
    if notebooks and Path(notebooks).is_dir():
        place_notebooks(Path(notebooks), Path(os.path.expanduser(server.root_dir)))  # noqa: PTH111  # may be "~"
    gateway = text("DASK_GATEWAY__ADDRESS", "")
    if not gateway:
        server.log.info("no Dask Gateway is configured: no dashboards")
        return
    route = server.web_app.settings["base_url"] + _ROUTE + r"/([A-Za-z0-9.-]+)/(.*)"
    options = {"gateway": gateway, "tokens": {}}
    server.web_app.add_handlers(".*$", [(route, DashboardHandler, options)])
