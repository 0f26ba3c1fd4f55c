"""Serves ``policy/v1`` and ``discovery.k8s.io/v1`` from a Kubernetes that has their betas only.

An aggregated API: the API server has authenticated and authorised the caller before it passes
a request on; here the version is written over in path and body, and the request goes back as
that caller.
"""

from __future__ import annotations

import re
import ssl
from pathlib import Path

import aiohttp
from aiohttp import web

GROUPS = ("policy", "discovery.k8s.io")
_THERE = re.compile(rb"\b(policy|discovery\.k8s\.io)/v1(?=[\"'\s])")
_BACK = re.compile(rb"\b(policy|discovery\.k8s\.io)/v1beta1(?=[\"'\s])")
#: What the beta does not say of an endpoint.
_READY = re.compile(rb'"conditions":\{"ready":(true|false)\}')
_KEPT = ("Accept", "Content-Type", "User-Agent")


def rewritten(body: bytes) -> bytes:
    body = _BACK.sub(rb"\1/v1", body).replace(b'"version":"v1beta1"', b'"version":"v1"')
    return _READY.sub(rb'"conditions":{"ready":\1,"serving":\1,"terminating":false}', body)


class Newer:
    """Handler of the aggregated paths."""

    def __init__(self, server: str, keys: Path) -> None:
        self._server = server
        self._tls = ssl.create_default_context(cafile=str(keys / "ca.crt"))
        self._tls.load_cert_chain(keys / "admin.crt", keys / "admin.key")

    async def answer(self, request: web.Request) -> web.StreamResponse:
        headers = [(name, request.headers[name]) for name in _KEPT if name in request.headers]
        # Versions can be written over in JSON only.
        headers = [
            (name, "application/json" if "protobuf" in value else value) for name, value in headers
        ]
        if not any(name == "Content-Type" for name, _ in headers):
            headers.append(("Content-Type", "application/json"))
        headers.append(("Impersonate-User", request.headers["X-Remote-User"]))
        headers += [
            ("Impersonate-Group", each) for each in request.headers.getall("X-Remote-Group", [])
        ]
        path = re.sub(r"^/apis/([^/]+)/v1(?=/|$|\?)", r"/apis/\1/v1beta1", request.raw_path)
        body = _THERE.sub(rb"\1/v1beta1", await request.read())
        timeout = aiohttp.ClientTimeout(total=None)
        async with (
            aiohttp.ClientSession(timeout=timeout, auto_decompress=True) as session,
            session.request(
                request.method,
                self._server + path,
                data=body or None,
                headers=headers,
                ssl=self._tls,
            ) as reply,
        ):
            kind = reply.headers.get("Content-Type", "application/json")
            if "watch=" not in path:
                return web.Response(
                    status=reply.status,
                    body=rewritten(await reply.read()),
                    headers={"Content-Type": kind},
                )
            stream = web.StreamResponse(status=reply.status, headers={"Content-Type": kind})
            await stream.prepare(request)
            buffered = b""
            async for chunk in reply.content.iter_any():
                buffered += chunk
                whole, end, buffered = buffered.rpartition(b"\n")
                if end:
                    await stream.write(rewritten(whole) + b"\n")
            return stream
