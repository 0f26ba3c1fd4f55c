"""A stand-in for the Kubernetes API server, for the calls that our programs make.

It keeps objects by path, selects by labels, numbers every change, and streams changes to
those who watch, from the resource version that they name. It runs nothing: a test says what
became of a pod with `set_status`.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import json
import uuid
from typing import Any

from aiohttp import web

Object = dict[str, Any]

_STATUS_PATH = "status"


class StandIn:
    """The objects, and the requests that were answered."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Object] = {}
        self.requests: list[tuple[str, str]] = []
        self._versions = itertools.count(1)
        self._changes: list[tuple[int, str, str, Object]] = []
        self._changed = asyncio.Event()

    def listed(self, collection: str) -> list[Object]:
        """Objects of a collection, by its path after the namespace: ``pods``."""
        return [each for (path, _), each in self.objects.items() if path.endswith(collection)]

    def set_status(self, collection: str, name: str, status: Object) -> None:
        """Say what became of an object."""
        for (path, key), each in list(self.objects.items()):
            if path.endswith(collection) and key == name:
                self._record("MODIFIED", path, {**each, "status": status})

    def remove(self, collection: str, name: str) -> None:
        """Delete an object, as somebody else would."""
        for path, key in list(self.objects):
            if path.endswith(collection) and key == name:
                self._record("DELETED", path, self.objects[path, key])

    def add(self, path: str, thing: Object) -> Object:
        """Keep a new object below ``path``."""
        data = thing["metadata"]
        if "name" not in data:
            data["name"] = data["generateName"] + uuid.uuid4().hex[:5]
        now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        data |= {"namespace": "fourlep", "uid": uuid.uuid4().hex, "creationTimestamp": now}
        thing.setdefault("status", {"phase": "Pending"} if path.endswith("/pods") else {})
        return self._record("ADDED", path, thing)

    def _record(self, kind: str, path: str, thing: Object) -> Object:
        version = next(self._versions)
        thing["metadata"]["resourceVersion"] = str(version)
        key = (path, thing["metadata"]["name"])
        if kind == "DELETED":
            self.objects.pop(key)
        else:
            self.objects[key] = thing
        self._changes.append((version, kind, path, json.loads(json.dumps(thing))))
        self._changed.set()
        self._changed = asyncio.Event()
        return thing

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        path = request.path.rstrip("/")
        self.requests.append((request.method, path))
        if request.method == "POST":
            return self._create(path, await request.json())
        if request.method == "GET" and request.query.get("watch") in {"true", "True"}:
            return await self._watch(request, path)
        if request.method == "GET" and path.rpartition("/")[0] not in self._collections():
            return self._list(path, request.query.get("labelSelector", ""))
        return await self._single(request, path)

    def _collections(self) -> set[str]:
        return {path for path, _ in self.objects}

    def _create(self, path: str, thing: Object) -> web.Response:
        if (path, thing["metadata"].get("name", "")) in self.objects:
            return web.json_response({"kind": "Status", "code": 409}, status=409)
        return web.json_response(self.add(path, thing), status=201)

    def _list(self, path: str, selector: str) -> web.Response:
        found = [
            each
            for (collection, _), each in self.objects.items()
            if collection == path and _selects(selector, each)
        ]
        last = self._changes[-1][0] if self._changes else 0
        return web.json_response({"items": found, "metadata": {"resourceVersion": str(last)}})

    async def _watch(self, request: web.Request, path: str) -> web.StreamResponse:
        selector = request.query.get("labelSelector", "")
        seen = int(request.query.get("resourceVersion") or 0)
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        await answer.prepare(request)
        try:
            async with asyncio.timeout(float(request.query.get("timeoutSeconds", 10))):
                while True:
                    changed = self._changed
                    for version, kind, place, thing in self._changes:
                        if version > seen and place == path and _selects(selector, thing):
                            line = json.dumps({"type": kind, "object": thing}) + "\n"
                            await answer.write(line.encode())
                    seen = self._changes[-1][0] if self._changes else seen
                    await changed.wait()
        except TimeoutError:
            return answer

    async def _single(self, request: web.Request, path: str) -> web.Response:
        status = path.endswith(f"/{_STATUS_PATH}")
        collection, _, name = path.removesuffix(f"/{_STATUS_PATH}").rpartition("/")
        thing = self.objects.get((collection, name))
        if thing is None:
            return web.json_response({"kind": "Status", "code": 404}, status=404)
        if request.method == "DELETE":
            return web.json_response(self._record("DELETED", collection, thing))
        if request.method == "PATCH":
            changes = await request.json()
            assert status == any(each["path"].startswith("/status") for each in changes)
            thing = self._record("MODIFIED", collection, _patched(thing, changes))
        return web.json_response(thing)


def _selects(selector: str, thing: Object) -> bool:
    labels = thing["metadata"].get("labels", {})
    wanted = dict(part.split("=", 1) for part in selector.split(",") if part)
    return bool(wanted.items() <= labels.items())


def _patched(thing: Object, changes: list[Object]) -> Object:
    changed: Object = json.loads(json.dumps(thing))
    for change in changes:
        *parents, last = change["path"].strip("/").split("/")
        place = changed
        for parent in parents:
            place = place.setdefault(parent, {})
        if change["op"] == "remove":
            place.pop(last, None)
        else:
            place[last] = change["value"]
    return changed
