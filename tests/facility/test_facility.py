"""The facility on this machine, through the hub's API, with real processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import requests

from fourlep.errors import ClusterError, FourlepError
from fourlep.facility.embedded.control import Choices, Facility, look, start, stop
from fourlep.facility.embedded.layout import Layout, Ports, Run
from fourlep.facility.embedded.processes import marked
from fourlep.facility.embedded.secrets import MAKERS
from fourlep.facility.embedded.state import PartReport
from fourlep.facility.hub_session import CodeResult, HubSession
from fourlep.facility.smoke import FRESH_FOLDER, smoke
from servers.hub_user import log_in, token_of

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.servers,
    pytest.mark.slow,
    pytest.mark.xdist_group("facility"),
]

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


def as_user(
    facility: Facility, user: str, *codes: str, timeout_s: float = 300.0
) -> list[CodeResult]:
    """Run pieces of code in one kernel of ``user``."""
    token = token_of(facility.url, user, facility.password_file)

    async def run() -> list[CodeResult]:
        async with HubSession(facility.url, token, user, {"profile": "small"}) as session:
            return [await session.run(code, timeout_s=timeout_s) for code in codes]

    return asyncio.run(run())


def part(facility: Facility, name: str) -> PartReport:
    report = look(facility.layout.root)
    assert report is not None
    return next(found for found in report.parts if found.name == name)


def is_well(facility: Facility) -> bool:
    report = look(facility.layout.root)
    return report is not None and report.is_well


def until(holds: Callable[[], bool], *, within_s: float) -> None:
    """Wait for what other processes are about to do."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {within_s:g} s"
        time.sleep(0.2)


def test_the_smoke_test_passes(facility: Facility, shown: Path) -> None:
    """It takes under two minutes on two quiet cores; here other tests run beside it."""
    token = (facility.layout.secrets / "smoke-token").read_text().strip()
    smoked = asyncio.run(smoke(facility.url, token, NOTEBOOKS, lambda _: None))
    for number, figure in enumerate(smoked.figures):
        (shown / f"smoke-{number}.png").write_bytes(figure)
    assert len(smoked.figures) >= 3


def test_the_smoke_test_leaves_no_files(facility: Facility) -> None:
    left = "from pathlib import Path; Path('report.html').touch(); print(Path.cwd())"
    _, told = as_user(facility, "analyst", FRESH_FOLDER, left)
    until(lambda: not Path(told.text.strip()).exists(), within_s=60)


def test_the_first_notebook_shows_objects_and_a_peak(facility: Facility, shown: Path) -> None:
    token = token_of(facility.url, "analyst", facility.password_file)

    async def run() -> list[CodeResult]:
        async with HubSession(facility.url, token, "analyst") as session:
            await session.run("import os; os.chdir('notebooks')")
            return list(await session.run_notebook(NOTEBOOKS / "01_first_look.ipynb"))

    results = asyncio.run(run())
    (peak,) = [image for result in results for image in result.images]
    (shown / "first-look.png").write_bytes(peak)
    assert "SYNTHETIC" in results[0].text


PLAIN = """
from dask.distributed import Client
from dask_gateway import Gateway
cluster = Gateway().new_cluster(shutdown_on_close=False)
with Client(cluster.scheduler_address) as client:
    print(cluster.name, client.scheduler.address, client.run_on_scheduler(lambda: 41 + 1))
"""

STRANGER = """
from dask.distributed import Client
try:
    Client({address!r}, timeout=20)
except ValueError as error:
    print(error)
"""

END = "from dask_gateway import Gateway; Gateway().stop_cluster({name!r})"


def test_a_plain_client_reaches_the_users_own_cluster_and_no_others(facility: Facility) -> None:
    """What JupyterLab's Dask panel writes into a notebook."""
    (own,) = as_user(facility, "analyst", PLAIN)
    assert len(own.text.split()) == 3, own.text
    name, address, answer = own.text.split()
    assert address.endswith(name)
    assert answer == "42"
    (refused,) = as_user(facility, "second", STRANGER.format(address=address))
    as_user(facility, "analyst", END.format(name=name))
    assert refused.text.strip() == f"you have no cluster {name}"


WITHOUT_FOURLEP = """
import sys
sys.modules["fourlep.facility.gateway_client"] = None
from dask.distributed import Client
with Client(n_workers=0, processes=False, dashboard_address=":0") as client:
    print("connected", client.status)
"""


def test_a_users_own_environment_without_fourlep_has_clients(facility: Facility) -> None:
    (answer,) = as_user(facility, "analyst", WITHOUT_FOURLEP)
    assert answer.text.strip() == "connected running"


AGAIN = """
from fourlep.facility import session
import tempfile
with tempfile.TemporaryDirectory() as folder:
    record = session.analyse(
        session.fileset(["ggF"]), folder, selection="scipy2024", cluster="inline", workers="1",
    )
print(record.complete, *[traffic.endpoint for traffic in record.metrics.traffic])
"""


@pytest.fixture(scope="module")
def read_once(facility: Facility) -> str:
    """What the first run over some files said; the cache holds them then."""
    (answer,) = as_user(facility, "analyst", AGAIN)
    return answer.text


def test_a_second_run_is_served_by_the_cache_with_the_origin_stopped(
    facility: Facility, read_once: str
) -> None:
    pid = part(facility, "origin").pid
    os.kill(pid, signal.SIGSTOP)
    try:
        (answer,) = as_user(facility, "analyst", AGAIN)
    finally:
        with contextlib.suppress(ProcessLookupError):  # given up and started again
            os.kill(pid, signal.SIGCONT)
    assert answer.text.endswith(f"True root://127.0.0.1:{facility.run.ports.cache}\n")


def test_the_collector_counts_what_the_cache_served(facility: Facility, read_once: str) -> None:
    address = f"http://127.0.0.1:{facility.run.ports.metrics}/metrics"

    def hits() -> bool:
        lines = requests.get(address, timeout=5).text.splitlines()
        found = [line for line in lines if line.startswith("fourlep_cache_miss_bytes_total{")]
        return bool(found) and float(found[0].rsplit(" ", 1)[1]) > 1e6

    until(hits, within_s=90)


LISTENING = """
import psutil
from fourlep.facility.embedded.processes import marked
def listening(mark):
    return [c.laddr.ip for p in [*marked(mark), psutil.Process()]
            for c in p.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
"""


def test_everything_listens_on_loopback_only(facility: Facility) -> None:
    cluster = "from dask_gateway import Gateway; c = Gateway().new_cluster(); c.scale(1)"
    ready = "c.get_client().wait_for_workers(1, timeout=60)"
    told = f"print(listening({facility.run.facility_id!r}))"
    *_, answer, _ = as_user(facility, "analyst", cluster, ready, LISTENING, told, "c.shutdown()")
    found = eval(answer.text, {})
    assert len(found) > 10
    assert {address for address in found if address not in {"127.0.0.1", "::1"}} == set()


def test_secrets_are_neither_readable_nor_logged(facility: Facility, read_once: str) -> None:
    logs = "".join(path.read_text(errors="replace") for path in facility.layout.logs.iterdir())
    assert "JupyterHub is now running" in logs
    for name in MAKERS:
        path = facility.layout.secrets / name
        assert path.stat().st_mode & 0o077 == 0
        assert path.read_text().strip() not in logs
        assert path.read_text().strip() not in facility.layout.run.read_text()


def test_a_wrong_password_and_a_name_that_is_not_allowed_are_refused(facility: Facility) -> None:
    password = facility.password_file.read_text().strip()
    for user, offered in (("analyst", "guess"), ("stranger", password)):
        with pytest.raises(PermissionError):
            log_in(facility.url, user, offered)


@pytest.mark.parametrize("name", ["../../etc", "..%2f..%2fetc", "analyst/../second", "/root"])
def test_a_user_name_cannot_leave_its_folder(facility: Facility, name: str) -> None:
    before = sorted(path.name for path in facility.layout.homes.iterdir())
    with pytest.raises(PermissionError):
        log_in(facility.url, name, facility.password_file.read_text().strip())
    assert sorted(path.name for path in facility.layout.homes.iterdir()) == before


def test_the_token_of_another_user_opens_nothing(facility: Facility) -> None:
    token = token_of(facility.url, "second", facility.password_file)
    headers = {"Authorization": f"token {token}"}
    for path in ("/hub/api/users/analyst", "/user/analyst/api/contents", "/hub/api/users"):
        answer = requests.get(facility.url + path, headers=headers, timeout=20)
        assert answer.status_code in {403, 404}, path
    ended = requests.delete(
        f"{facility.url}/hub/api/users/analyst/server", headers=headers, timeout=20
    )
    assert ended.status_code in {403, 404}


GREEDY = """
from dask_gateway import Gateway
try:
    Gateway().new_cluster(workers=1000)
except Exception as error:
    print("form:", error)
cluster = Gateway().new_cluster(workers=1, worker_memory_gib=1.0)
cluster.scale(1000)
client = cluster.get_client()
client.wait_for_workers(1, timeout=200)
"""
COUNTED = """
import time; time.sleep(4)
print("workers:", len(client.scheduler_info()["workers"]))
try:
    more = [Gateway().new_cluster(workers=1, worker_memory_gib=1.0) for _ in range(5)]
except Exception as error:
    print("limit:", error)
"""


def test_a_greedy_user_is_bounded_and_the_other_unharmed(
    facility: Facility, read_once: str
) -> None:
    tokens = {
        user: token_of(facility.url, user, facility.password_file) for user in ("analyst", "second")
    }

    async def both() -> tuple[CodeResult, CodeResult, CodeResult]:
        async with (
            HubSession(facility.url, tokens["second"], "second") as greedy,
            HubSession(facility.url, tokens["analyst"], "analyst") as modest,
        ):
            first = await greedy.run(GREEDY, timeout_s=300)
            counted, unharmed = await asyncio.gather(
                greedy.run(COUNTED, timeout_s=300), modest.run(AGAIN, timeout_s=300)
            )
            return first, counted, unharmed

    first, counted, unharmed = asyncio.run(both())
    assert "form: workers must be" in first.text
    assert "workers: 1\n" in counted.text
    assert "limit: you have 2 clusters and your limit is 2" in counted.text
    assert "True root://" in unharmed.text


def test_abandoned_clusters_end_by_themselves(facility: Facility) -> None:
    """The greedy user's kernel is gone and its clusters are idle."""
    as_user(facility, "second", "from dask_gateway import Gateway; Gateway().new_cluster()")

    def schedulers() -> list[psutil.Process]:
        return [
            process
            for process in marked(facility.run.facility_id)
            if "scheduler" in process.cmdline()
        ]

    until(lambda: not schedulers(), within_s=60)


@pytest.mark.parametrize("name", ["metrics", "cache", "proxy", "gateway", "hub"])
def test_a_part_that_dies_is_reported_and_started_again(facility: Facility, name: str) -> None:
    before = part(facility, name)
    os.kill(before.pid, signal.SIGKILL)
    until(lambda: part(facility, name).restarts == before.restarts + 1, within_s=10)
    assert "signal SIGKILL" in part(facility, name).note
    until(lambda: is_well(facility), within_s=60)
    assert part(facility, name).pid != before.pid
    # The hub may yet be asked once while the proxy learns its routes again.
    until(lambda: status(facility).returncode == 0, within_s=60)
    assert "started again" in status(facility).stdout


def status(facility: Facility) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fourlep", "facility", "status",
         "--directory", str(facility.layout.root)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_users_servers_outlive_hub_and_proxy(facility: Facility) -> None:
    token = token_of(facility.url, "analyst", facility.password_file)

    async def run() -> str:
        async with HubSession(facility.url, token, "analyst") as session:
            await session.run("kept = 42")
            # A part that does not answer is asked to end, first.
            for name, how in (
                ("hub", signal.SIGTERM),
                ("hub", signal.SIGKILL),
                ("proxy", signal.SIGKILL),
            ):
                before = part(facility, name)
                os.kill(before.pid, how)
                await asyncio.to_thread(
                    until,
                    lambda name=name, before=before: (
                        part(facility, name).restarts > before.restarts
                        and part(facility, name).condition == "up"
                    ),
                    within_s=40,
                )
            address = f"{facility.url}/user/analyst/api"
            headers = {"Authorization": f"token {token}"}
            await asyncio.to_thread(
                until,
                lambda: requests.get(address, headers=headers, timeout=5).status_code == 200,
                within_s=45,  # the hub puts the proxy's routes back
            )
            return (await session.run("print(kept)")).text

    assert asyncio.run(run()) == "42\n"


DOCTOR = """
import subprocess
asked = subprocess.run(["fourlep", "doctor"], capture_output=True, text=True)
print(asked.stdout, asked.stderr, "exit status", asked.returncode)
"""


def test_the_doctor_finds_the_facility_well_from_the_inside(facility: Facility) -> None:
    (answer,) = as_user(facility, "analyst", DOCTOR)
    assert "exit status 0" in answer.text
    for line in ("cache ", "origin ", "gateway ", "fileset "):
        assert f"well     {line}" in answer.text


def test_a_second_facility_in_the_same_folder_is_refused(facility: Facility) -> None:
    with pytest.raises(ClusterError, match=r"a facility runs in .* already"):
        start(facility.layout.root, Choices(port=0), lambda _: None)


def test_a_port_in_use_is_refused_before_anything_is_made(
    facility: Facility, tmp_path: Path
) -> None:
    with pytest.raises(ClusterError, match="is in use by node"):
        start(tmp_path / "new", Choices(port=facility.run.ports.public), lambda _: None)
    assert not (tmp_path / "new").exists()


def test_processes_of_an_earlier_run_are_named_and_ended(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.write_run(
        Run("stale-run", Ports(*range(10)), "127.0.0.1:7", True, "/x", "", ("ada",), {})
    )
    environment = {**os.environ, "FOURLEP_FACILITY_ID": "stale-run"}
    with subprocess.Popen(["sleep", "600"], env=environment) as stale:
        with pytest.raises(ClusterError, match=rf"earlier run are alive \(process {stale.pid}\)"):
            start(tmp_path, Choices(port=0), lambda _: None)
        assert stop(tmp_path) == 1
        stale.wait(timeout=10)


def test_release_and_origin_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(FourlepError, match="served by the facility's own origin"):
        start(tmp_path, Choices(origin="host:1094", release=tmp_path), lambda _: None)
