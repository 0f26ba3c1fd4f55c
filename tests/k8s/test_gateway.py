"""The Gateway's server and controller, as the manifests configure them, make a cluster.

Both run as real programs against a stand-in for the API server; the test plays the kubelet.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from fourlep.facility.embedded.requirements import free_ports
from fourlep.facility.embedded.secrets import make_secrets
from k8s.api_server import StandIn
from k8s.conftest import REPOSITORY
from k8s.policies import VERBS, Object
from k8s.test_pods import environment_of

CORE = "/api/v1/namespaces/fourlep"
VERB_OF = {"POST": "create", "DELETE": "delete", "PATCH": "patch"}


async def hub_user(request: web.Request) -> web.Response:
    """What the hub answers when the Gateway asks whose a token is."""
    scopes = ["access:services!service=dask-gateway"]
    return web.json_response({"name": "ada", "kind": "user", "scopes": scopes})


@asynccontextmanager
async def serving(stand_in: StandIn) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/hub/api/{path:.*}", hub_user)
    app.router.add_route("*", "/{path:.*}", stand_in.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    (port,) = free_ports(1)
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


def kubeconfig(folder: Path, server: str) -> Path:
    path = folder / "kubeconfig"
    path.write_text(
        "{apiVersion: v1, kind: Config, current-context: x, users: [{name: x, user: {}}], "
        "contexts: [{name: x, context: {cluster: x, user: x, namespace: fourlep}}], "
        f"clusters: [{{name: x, cluster: {{server: '{server}'}}}}]}}"
    )
    return path


async def until(answer: Callable[[], Any], what: str) -> Any:
    for _ in range(900):
        if found := answer():
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(what)


@asynccontextmanager
async def gateway(
    objects: tuple[Object, ...], folder: Path, server: str
) -> AsyncIterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    api, control = free_ports(2)
    make_secrets(folder)
    file = REPOSITORY / "images" / "gateway" / "dask_gateway_config.py"
    programs = []
    for workload, arguments in (("gateway-api", []), ("gateway-controller", ["kube-controller"])):
        settings = {
            **os.environ,
            **environment_of(objects, workload),
            "FOURLEP_GATEWAY_API_BIND": f"127.0.0.1:{api}",
            "FOURLEP_GATEWAY_CONTROLLER_BIND": f"127.0.0.1:{control}",
            "FOURLEP_HUB_API_URL": server,
            "FOURLEP_SECRETS": str(folder),
            "KUBECONFIG": str(kubeconfig(folder, server)),
        }
        command = [sys.executable, "-m", "dask_gateway_server", *arguments, f"--config={file}"]
        programs.append(subprocess.Popen(command, env=settings))
    try:
        yield f"http://127.0.0.1:{api}", programs
    finally:
        for program in programs:
            program.terminate()
        for program in programs:
            program.wait(timeout=30)


def resource_of(path: str) -> str:
    """The resource in RBAC's words: ``daskclusters/status``."""
    found = re.fullmatch(r".*/namespaces/fourlep/(\w+)(?:/[^/]+(/status)?)?", path)
    assert found, f"{path} is outside the namespace"
    return found[1] + (found[2] or "")


def allowed(method: str, path: str, *, known: set[str]) -> bool:
    """Whether some role of the Gateway's two allows a request."""
    resource = resource_of(path)
    verbs = {
        verb
        for role in ("gateway-api", "gateway-controller")
        for verb in VERBS.get((role, resource), "").split()
    }
    if method != "GET":
        return VERB_OF[method] in verbs
    return ("get" if path.rpartition("/")[2] in known else "list") in verbs


@pytest.mark.servers
def test_a_cluster_is_made_routed_and_removed_within_our_rights(
    local: tuple[Object, ...], tmp_path: Path
) -> None:
    asyncio.run(_make_and_remove_a_cluster(local, tmp_path))


async def _make_and_remove_a_cluster(local: tuple[Object, ...], folder: Path) -> None:
    stand_in = StandIn()
    async with (
        serving(stand_in) as server,
        gateway(local, folder, server) as (address, programs),
        aiohttp.ClientSession(headers={"Authorization": "jupyterhub token"}) as client,
    ):
        reply = await _answer(client, f"{address}/api/health", programs)
        assert reply["status"] == "pass"
        asked = {"cluster_options": {"worker_cores": 1, "workers": 2}}
        async with client.post(f"{address}/api/v1/clusters/", json=asked) as answer:
            assert answer.status == 201, await answer.text()
            full_name = (await answer.json())["name"]
        namespace, _, cluster = full_name.partition(".")
        assert namespace == "fourlep"

        (pod,) = await until(lambda: stand_in.listed("/pods"), "no scheduler pod")
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
        running = [{"name": "dask-scheduler", "ready": True, "state": {"running": {}}}]
        stand_in.set_status(
            "/pods", pod["metadata"]["name"], {"phase": "Running", "containerStatuses": running}
        )
        (service,) = await until(lambda: stand_in.listed("/services"), "no service")
        stand_in.add(
            f"{CORE}/endpoints",
            {
                "metadata": {
                    "name": service["metadata"]["name"],
                    "labels": service["metadata"]["labels"],
                },
                "subsets": [{"addresses": [{"ip": "10.0.0.1"}]}],
            },
        )
        (route,) = await until(lambda: stand_in.listed("/ingressroutes"), "no route")
        rule = route["spec"]["routes"][0]
        assert rule["match"] == f"PathPrefix(`/services/dask-gateway/clusters/{full_name}/`)"
        assert rule["middlewares"] == [{"name": "gateway-dashboards"}]
        assert route["metadata"]["labels"]["gateway.dask.org/instance"] == "fourlep"
        await until(lambda: stand_in.listed("/ingressroutetcps"), "no TCP route")
        report = await _report(client, f"{address}/api/v1/clusters/{full_name}", "RUNNING")
        assert report["tls_key"].startswith("-----BEGIN")

        async with client.delete(f"{address}/api/v1/clusters/{full_name}") as answer:
            assert answer.status == 204
        await until(lambda: not stand_in.listed("/pods"), "the pod stays")
        await until(lambda: not stand_in.listed("/secrets"), "the credentials stay")
        known = {cluster, f"dask-credentials-{cluster}"}
        refused = {each for each in stand_in.requests if not allowed(*each, known=known)}
        assert not refused


async def _answer(
    client: aiohttp.ClientSession, url: str, programs: list[subprocess.Popen[bytes]]
) -> Any:
    async with asyncio.timeout(90):
        while True:
            assert all(program.poll() is None for program in programs), "a program ended"
            try:
                async with client.get(url) as answer:
                    return await answer.json()
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.2)


async def _report(client: aiohttp.ClientSession, url: str, status: str) -> Any:
    async with asyncio.timeout(60):
        while True:
            async with client.get(url) as answer:
                report = await answer.json()
            if report.get("status") == status:
                return report
            await asyncio.sleep(0.2)
