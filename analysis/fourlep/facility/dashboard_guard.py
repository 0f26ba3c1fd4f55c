"""Closes a cluster's dashboards to everybody who does not know the cluster's secret.

Dask serves dashboards without asking who wants them, and the Gateway's proxy passes them on
to anybody who can name the cluster. Loaded as ``--preload`` into schedulers and workers, this
module lets only requests through that carry a token made from the cluster's private TLS key,
which the Gateway's server gives to the cluster's owner and to nobody else.
`fourlep.facility.jupyter_extension` sends it, from the owner's own server.
"""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import Any

import dask
from tornado import web

#: The request header with the token.
HEADER = "X-Fourlep-Dashboard"

#: Says that the process lives and nothing else; probes ask it.
_OPEN_PATHS = frozenset({"/health"})


def dashboard_token(tls_key: str | bytes) -> str:
    """Token for the dashboards of the cluster with the private key ``tls_key`` (PEM).

    Examples
    --------
    >>> dashboard_token("secret") == dashboard_token(b"secret")
    True
    """
    key = tls_key.encode() if isinstance(tls_key, str) else tls_key
    return hmac.new(key.strip(), b"fourlep dashboard", hashlib.sha256).hexdigest()


class _Refused(web.RequestHandler):
    """Answers 403 to whatever is asked."""

    def prepare(self) -> None:
        raise web.HTTPError(403, "open the dashboard through your own Jupyter server")


def guard(application: Any, token: str) -> None:
    """Let ``application`` answer only requests with ``token`` in `HEADER`.

    Parameters
    ----------
    application
        A tornado application; handlers added later are guarded too.
    token
        As `dashboard_token` makes it.
    """
    find_handler = application.find_handler

    def guarded(request: Any, **options: Any) -> Any:
        offered = request.headers.get(HEADER, "")
        if request.path in _OPEN_PATHS or hmac.compare_digest(offered.encode(), token.encode()):
            return find_handler(request, **options)
        return application.get_handler_delegate(request, _Refused)

    application.find_handler = guarded


def dask_setup(server: Any) -> None:
    """Guard the HTTP server of a scheduler or worker; dask calls it at start.

    Dask only logs a preload that fails, so without a readable key the HTTP server is
    stopped: closed rather than open.
    """
    role = "scheduler" if hasattr(server, "workers") else "worker"
    try:
        key = Path(dask.config.get(f"distributed.comm.tls.{role}.key")).read_bytes()
    except (OSError, TypeError, KeyError):
        server.http_server.stop()
        raise
    guard(server.http_application, dashboard_token(key))
