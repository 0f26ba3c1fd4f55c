"""The cluster's name server: services and their endpoints, and nothing else.

Runs as a pod of the analysis image, which has Python. A name outside the cluster is answered
with SERVFAIL after two seconds, as a name server does that reaches none itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import struct
import sys
import urllib.request
from pathlib import Path

ZONE = "cluster.local"
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3
addresses: dict[str, list[str]] = {}


def fetch(path: str) -> list[dict]:
    token = Path(f"{ACCOUNT}/token").read_text()
    tls = ssl.create_default_context(cafile=f"{ACCOUNT}/ca.crt")
    host = os.environ["KUBERNETES_SERVICE_HOST"]
    asked = urllib.request.Request(
        f"https://{host}{path}", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(asked, context=tls, timeout=5) as reply:
        return json.load(reply)["items"]


def look() -> None:
    found: dict[str, list[str]] = {}
    endpoints = {}
    for each in fetch("/api/v1/endpoints"):
        place = (each["metadata"]["namespace"], each["metadata"]["name"])
        endpoints[place] = [a for s in each.get("subsets", []) for a in s.get("addresses", [])]
    for service in fetch("/api/v1/services"):
        space, name = service["metadata"]["namespace"], service["metadata"]["name"]
        full = f"{name}.{space}.svc.{ZONE}"
        if service["spec"].get("clusterIP") not in {None, "", "None"}:
            found[full] = [service["spec"]["clusterIP"]]
            continue
        ready = endpoints.get((space, name), [])
        found[full] = [each["ip"] for each in ready]
        for each in ready:
            if each.get("hostname"):
                found[f"{each['hostname']}.{full}"] = [each["ip"]]
    addresses.clear()
    addresses.update(found)


def question(query: bytes) -> tuple[str, int, int]:
    labels, place = [], 12
    while query[place]:
        labels.append(query[place + 1 : place + 1 + query[place]].decode(errors="replace"))
        place += 1 + query[place]
    (kind,) = struct.unpack("!H", query[place + 1 : place + 3])
    return ".".join(labels).lower(), kind, place + 5


async def answer(query: bytes) -> bytes:
    name, kind, end = question(query)
    records, status = [], NOERROR
    if name.endswith("." + ZONE) or name == ZONE:
        if name not in addresses:
            below = any(each.endswith("." + name) for each in addresses)
            status = NOERROR if below else NXDOMAIN
        elif kind in {1, 255}:
            records = addresses[name]
    else:
        sys.stderr.write(f"outside: {name} {kind}\n")
        sys.stderr.flush()
        await asyncio.sleep(2)
        status = SERVFAIL
    head = query[:2] + struct.pack("!HHHHH", 0x8580 | status, 1, len(records), 0, 0)
    body = b"".join(
        b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 5, 4) + socket.inet_aton(each) for each in records
    )
    return head + query[12:end] + body


class Packets(asyncio.DatagramProtocol):
    def __init__(self):
        self.replies = set()

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, source):
        task = asyncio.ensure_future(self.reply(data, source))
        self.replies.add(task)
        task.add_done_callback(self.replies.discard)

    async def reply(self, data, source):
        self.transport.sendto(await answer(data), source)


async def stream(reader, writer):
    try:
        while size := await reader.readexactly(2):
            query = await reader.readexactly(int.from_bytes(size, "big"))
            reply = await answer(query)
            writer.write(len(reply).to_bytes(2, "big") + reply)
            await writer.drain()
    except asyncio.IncompleteReadError:
        writer.close()


async def main() -> None:
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, look)
    await loop.create_datagram_endpoint(Packets, local_addr=("0.0.0.0", 53))
    await asyncio.start_server(stream, "0.0.0.0", 53)
    while True:
        await asyncio.sleep(0.5)
        try:
            await loop.run_in_executor(None, look)
        except OSError as error:  # the API server may be away for a while
            sys.stderr.write(f"{error}\n")


asyncio.run(main())
