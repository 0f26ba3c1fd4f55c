"""The hub's spawner, configured as the manifests say, starts and stops a user's server."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from fourlep.facility.embedded.secrets import make_secrets
from k8s.api_server import StandIn
from k8s.conftest import REPOSITORY
from k8s.policies import VERBS, Object
from k8s.test_gateway import VERB_OF, kubeconfig, resource_of, serving, until
from k8s.test_pods import environment_of


@pytest.mark.servers
def test_a_server_and_its_home_are_made_and_a_home_that_was_deleted_is_made_anew(
    local: tuple[Object, ...], tmp_path: Path
) -> None:
    asyncio.run(_spawn(local, tmp_path))


async def _spawn(local: tuple[Object, ...], folder: Path) -> None:
    make_secrets(folder)
    stand_in = StandIn()
    async with serving(stand_in) as server:
        settings = {
            **os.environ,
            **environment_of(local, "hub"),
            "FOURLEP_SECRETS": str(folder),
            "KUBECONFIG": str(kubeconfig(folder, server)),
        }
        program = await asyncio.create_subprocess_exec(
            sys.executable,
            str(Path(__file__).with_name("spawn.py")),
            str(REPOSITORY / "images" / "hub" / "jupyterhub_config.py"),
            env=settings,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            first = await _run_a_pod(stand_in, "")
            (home,) = stand_in.listed("/persistentvolumeclaims")
            assert home["spec"]["storageClassName"] == "standard"
            await until(lambda: not stand_in.listed("/pods"), "the server was not stopped")
            assert stand_in.listed("/persistentvolumeclaims") == [home]
            # As an administrator deletes it, or the smoke test's end.
            stand_in.remove("/persistentvolumeclaims", home["metadata"]["name"])
            assert program.stdin
            program.stdin.write(b"again\n")
            program.stdin.close()
            await _run_a_pod(stand_in, first)
            told, _ = await asyncio.wait_for(program.communicate(), 90)
        finally:
            if program.returncode is None:
                program.terminate()
                await program.wait()
    assert program.returncode == 0, told.decode()
    assert told.decode().count("http://10.0.0.7:8888") == 2
    assert told.decode().count("poll None") == 2
    assert not stand_in.listed("/pods")
    (again,) = stand_in.listed("/persistentvolumeclaims")
    assert again["metadata"]["name"] == home["metadata"]["name"]
    for method, path in stand_in.requests:
        verb = "list" if method == "GET" else VERB_OF[method]
        assert verb in VERBS[("hub", resource_of(path))], f"{method} {path}"


async def _run_a_pod(stand_in: StandIn, other_than: str) -> str:
    """Play the kubelet for the pod that is asked for; returns its uid."""
    (pod,) = await until(
        lambda: [p for p in stand_in.listed("/pods") if p["metadata"]["uid"] != other_than],
        "no pod was made",
    )
    ready = {
        "name": "notebook",
        "image": pod["spec"]["containers"][0]["image"],
        "imageID": "x",
        "restartCount": 0,
        "ready": True,
        "state": {"running": {}},
    }
    running = {"phase": "Running", "podIP": "10.0.0.7", "containerStatuses": [ready]}
    stand_in.set_status("/pods", pod["metadata"]["name"], running)
    return str(pod["metadata"]["uid"])
