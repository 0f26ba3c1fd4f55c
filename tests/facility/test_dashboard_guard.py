"""Dashboards answer those who know the cluster's key."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import dask
import pytest
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.web import Application, RequestHandler

from fourlep.facility.dashboard_guard import HEADER, dashboard_token, dask_setup, guard


class Page(RequestHandler):
    """Stands for a dashboard's page."""


def application() -> Application:
    return Application([("/status", Page), ("/health", Page)])


def handler_for(app: Application, path: str, token: str | None) -> type[RequestHandler]:
    headers = HTTPHeaders({"Host": "dashboard"} | ({HEADER: token} if token is not None else {}))
    connection = SimpleNamespace(set_close_callback=lambda _: None, context=None)
    line = RequestStartLine("GET", path, "HTTP/1.1")
    request = HTTPServerRequest(headers=headers, connection=connection, start_line=line)
    return app.find_handler(request).handler_class


@pytest.mark.parametrize("token", [None, "", "wrong", "wr\u00f6ng"])
def test_without_the_token_no_page_is_found(token: str | None) -> None:
    app = application()
    guard(app, "right")
    assert handler_for(app, "/status", token) is not Page


def test_with_the_token_the_page_is_found() -> None:
    app = application()
    guard(app, "right")
    assert handler_for(app, "/status", "right") is Page


def test_health_is_open_for_probes() -> None:
    app = application()
    guard(app, "right")
    assert handler_for(app, "/health", None) is Page


def test_pages_that_are_added_later_are_guarded_too() -> None:
    app = application()
    guard(app, "right")
    app.add_handlers(".*$", [("/later", Page)])
    assert handler_for(app, "/later", None) is not Page
    assert handler_for(app, "/later", "right") is Page


def test_the_token_depends_on_the_key_and_does_not_show_it() -> None:
    assert dashboard_token("key") != dashboard_token("other key")
    assert "key" not in dashboard_token("key")


def test_a_scheduler_is_guarded_with_its_own_key(tmp_path: Path) -> None:
    (tmp_path / "dask.pem").write_text("a private key\n")
    app = application()
    scheduler = SimpleNamespace(workers={}, http_application=app)
    with dask.config.set({"distributed.comm.tls.scheduler.key": str(tmp_path / "dask.pem")}):
        dask_setup(scheduler)
    assert handler_for(app, "/status", dashboard_token("a private key")) is Page
    assert handler_for(app, "/status", None) is not Page


def test_without_a_key_the_http_server_is_stopped_rather_than_open(tmp_path: Path) -> None:
    app = application()
    server = HTTPServer(app)
    stopped: list[bool] = []
    server.stop = lambda: stopped.append(True)
    worker = SimpleNamespace(http_application=app, http_server=server)
    absent = {"distributed.comm.tls.worker.key": str(tmp_path / "absent.pem")}
    with dask.config.set(absent), pytest.raises(FileNotFoundError):
        dask_setup(worker)
    assert stopped
