"""A user's session through the hub's API: server, kernel, code, notebooks.

What a browser does, without one: for the smoke test, and for tests of the notebooks.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from fourlep.errors import ClusterError

_POLL_S = 0.5
_START_S = 300.0


@dataclass(frozen=True, slots=True)
class CodeResult:
    """What a piece of code gave.

    Parameters
    ----------
    text
        What it printed, and the text of its results.
    images
        Its figures, as PNG.
    """

    text: str
    images: tuple[bytes, ...] = ()


class HubSession:
    """One user's server and kernel, ended when the ``async with`` block ends.

    Parameters
    ----------
    url
        Public address of the hub, without a path.
    token
        Of the hub's API; it must cover ``user``.
    user
        Made where the hub does not know it and the token allows it.
    options
        Of the spawn form, ``{"profile": "small"}`` say.

    Examples
    --------
    ::

        async with HubSession("http://127.0.0.1:8000", token, "smoke") as session:
            result = await session.run("print(6 * 7)")
    """

    def __init__(
        self, url: str, token: str, user: str, options: Mapping[str, str] | None = None
    ) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"token {token}"}
        self._user = user
        self._options = dict(options or {})
        self._opened: aiohttp.ClientSession | None = None
        self._kernel = ""

    async def __aenter__(self) -> Self:
        """Start the server and a kernel.

        Raises
        ------
        ClusterError
            If the hub refuses, or the server does not come up.
        """
        self._opened = aiohttp.ClientSession(headers=self._headers)
        try:
            await self._ask("POST", f"/hub/api/users/{self._user}", accept=(201, 403, 409))
            await self._start_server()
            reply = await self._ask(
                "POST", f"/user/{self._user}/api/kernels", json_body={"name": "python3"}
            )
            self._kernel = reply["id"]
        except BaseException:
            await self._leave()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End kernel and server."""
        await self._leave()

    @property
    def _http(self) -> aiohttp.ClientSession:
        if self._opened is None:
            raise RuntimeError("use the session in an `async with` block")
        return self._opened

    async def run(self, code: str, *, timeout_s: float = 120.0) -> CodeResult:
        """Run ``code`` in the kernel.

        Raises
        ------
        ClusterError
            If it raises, with its traceback, or takes longer than ``timeout_s``.
        """
        try:
            async with asyncio.timeout(timeout_s):
                return await self._execute(code)
        except TimeoutError as error:
            raise ClusterError(
                f"the kernel took more than {timeout_s:g} s", remedy=f"the code was:\n{code[:400]}"
            ) from error

    async def run_notebook(
        self, notebook: Path, *, timeout_s: float = 120.0
    ) -> Sequence[CodeResult]:
        """Run the code cells of a notebook file, in order, ``timeout_s`` each."""
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        return [await self.run(source, timeout_s=timeout_s) for source in sources]

    async def _start_server(self) -> None:
        path = f"/hub/api/users/{self._user}"
        await self._ask("POST", f"{path}/server", json_body=self._options, accept=(201, 202, 400))
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            model = await self._ask("GET", path)
            server = model.get("servers", {}).get("", {})
            if server.get("ready"):
                return
            if not server.get("pending"):
                raise ClusterError(
                    f"the server of {self._user} did not start", remedy="see the hub's log"
                )
            await asyncio.sleep(_POLL_S)
        raise ClusterError(f"the server of {self._user} was not ready within {_START_S:g} s")

    async def _leave(self) -> None:
        try:
            accept = (202, 204, 400, 403, 404, 424, 500, 503)  # it may be gone already
            if self._kernel:
                await self._ask(
                    "DELETE", f"/user/{self._user}/api/kernels/{self._kernel}", accept=accept
                )
            await self._ask("DELETE", f"/hub/api/users/{self._user}/server", accept=accept)
        finally:
            await self._http.close()

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        json_body: Any = None,
        accept: tuple[int, ...] = (200, 201),
    ) -> Any:
        try:
            async with self._http.request(method, self._url + path, json=json_body) as reply:
                content = await reply.text()
                if reply.status not in accept:
                    raise ClusterError(
                        f"{method} {path} was answered with {reply.status}: {content[:300]}",
                        remedy="check the address and the token",
                    )
                return json.loads(content) if content.startswith(("{", "[")) else {}
        except aiohttp.ClientError as error:
            raise ClusterError(
                f"{self._url} does not answer: {error}", remedy="check that the facility runs"
            ) from error

    async def _execute(self, code: str) -> CodeResult:
        message = _execute_request(code)
        asked = message["header"]["msg_id"]
        address = f"{self._url}/user/{self._user}/api/kernels/{self._kernel}/channels"
        text: list[str] = []
        images: list[bytes] = []
        async with self._http.ws_connect(address, max_msg_size=0) as channel:
            await channel.send_json(message)
            async for frame in channel:
                reply = json.loads(frame.data)
                if reply["parent_header"].get("msg_id") != asked:
                    continue
                kind, content = reply["msg_type"], reply["content"]
                if kind == "error":
                    raise ClusterError("the code raised:\n" + "\n".join(content["traceback"]))
                if kind == "stream":
                    text.append(content["text"])
                elif kind in {"execute_result", "display_data"}:
                    text.append(content["data"].get("text/plain", ""))
                    images += _png(content["data"])
                elif kind == "status" and content["execution_state"] == "idle":
                    return CodeResult("".join(text), tuple(images))
        raise ClusterError("the connection to the kernel was lost")


def _png(data: Mapping[str, str]) -> list[bytes]:
    import base64

    return [base64.b64decode(data["image/png"])] if "image/png" in data else []


def _execute_request(code: str) -> dict[str, Any]:
    return {
        "header": {
            "msg_id": uuid.uuid4().hex,
            "msg_type": "execute_request",
            "username": "fourlep",
            "session": uuid.uuid4().hex,
            "version": "5.3",
        },
        "parent_header": {},
        "metadata": {},
        "content": {
            "code": code,
            "silent": False,
            "store_history": False,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        },
        "channel": "shell",
        "buffers": [],
    }
