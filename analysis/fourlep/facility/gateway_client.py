"""Lets a plain ``Client("gateway://...")`` reach a cluster of the user.

JupyterLab's Dask panel writes such a line into notebooks. Dask Gateway's own connections
want the cluster's credentials besides the address: they are asked of the Gateway here,
which tells them to the cluster's owner only.

The hub has every client of a user's server import this first
(``distributed.client.preload``).
"""

from __future__ import annotations

from typing import Any

from aiohttp import ClientResponseError
from dask_gateway import Gateway
from dask_gateway.comm import GatewayBackend, GatewayConnector, parse_gateway_address
from distributed.comm.registry import backends

#: What the Gateway answers for the cluster of somebody else, or of nobody.
_NOT_THEIRS = (403, 404)


class CredentialedConnector(GatewayConnector):  # type: ignore[misc]  # dask_gateway is untyped
    """Connects with the cluster's credentials where the caller has none.

    Raises
    ------
    ValueError
        If the Gateway knows no such cluster of this user.
    OSError
        If the cluster is not up.
    """

    def __init__(self) -> None:
        self._contexts: dict[str, Any] = {}

    async def connect(self, address: str, deserialize: bool = True, **arguments: Any) -> Any:
        """Connect to the scheduler at ``address``."""
        if arguments.get("ssl_context") is None:
            arguments["ssl_context"] = await self._context(address)
        return await super().connect(address, deserialize, **arguments)

    async def _context(self, address: str) -> Any:
        _, _, name = parse_gateway_address(address)
        if name not in self._contexts:
            async with Gateway(asynchronous=True) as gateway:
                try:
                    security = (await gateway.get_cluster(name)).security
                except ClientResponseError as error:
                    if error.status not in _NOT_THEIRS:
                        raise
                    raise ValueError(f"you have no cluster {name}") from error
            if security is None:
                raise OSError(f"cluster {name} is not up")  # distributed tries again
            self._contexts[name] = security.get_connection_args("client")["ssl_context"]
        return self._contexts[name]


class CredentialedBackend(GatewayBackend):  # type: ignore[misc]  # dask_gateway is untyped
    """Dask Gateway's connections, with `CredentialedConnector`."""

    def __init__(self) -> None:
        self._connector = CredentialedConnector()

    def get_connector(self) -> CredentialedConnector:
        """Connects; always the same one, which remembers credentials."""
        return self._connector


backends["gateway"] = CredentialedBackend()
