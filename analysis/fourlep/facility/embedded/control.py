"""Start, look at and end the embedded facility: what the command line calls."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from fourlep.config.environment import cache_dir
from fourlep.config.mark import carries, mark
from fourlep.datasets.fileset import load_fileset
from fourlep.errors import ClusterError, ConfigError
from fourlep.facility.embedded.layout import Layout, Ports, Run, repository
from fourlep.facility.embedded.logs import earlier
from fourlep.facility.embedded.node_proxy import install_proxy
from fourlep.facility.embedded.processes import end_marked, marked
from fourlep.facility.embedded.release import publish
from fourlep.facility.embedded.requirements import (
    free_ports,
    require_free,
    require_passage,
    require_programs,
    xrootd_user,
)
from fourlep.facility.embedded.secrets import make_secrets
from fourlep.facility.embedded.state import FacilityReport, PartReport, read_report
from fourlep.facility.published import STAND_IN
from fourlep.synth.release import make_release

_START_S = 120.0
_STOP_S = 60.0
_LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class Choices:
    """What an operator chooses.

    Parameters
    ----------
    port
        Of the hub's public address, 0 for any free one.
    origin
        ``host:port`` of an origin elsewhere; "" to serve the facility's own folder.
    export
        Path prefix of the data at the origin.
    fileset
        What the notebooks run over: a fileset's name or file.
    release
        Directory of a release (or fileset file) with local files, to be served by the
        facility's own origin; takes the place of ``fileset``. Where neither these nor an
        origin is chosen, a small stand-in release is made.
    users
        Who may log in.
    environment
        Further settings of the parts, by variable.
    """

    port: int = 8000
    origin: str = ""
    export: str = "/fourlep"
    fileset: str = ""
    release: Path | None = None
    users: tuple[str, ...] = ("analyst",)
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facility:
    """A running facility, as a caller meets it.

    Parameters
    ----------
    layout, run
        Where things are, and what was chosen.
    """

    layout: Layout
    run: Run

    @property
    def url(self) -> str:
        """Where to log in."""
        return f"http://127.0.0.1:{self.run.ports.public}"

    @property
    def password_file(self) -> Path:
        """The file that holds the password of all users."""
        return self.layout.secrets / "password"


def start(directory: Path, choices: Choices, say: Callable[[str], None]) -> Facility:
    """Start the facility in ``directory`` and wait until every part is healthy.

    Parameters
    ----------
    directory
        Kept from run to run: homes, secrets, cache, data.
    choices
        Of the operator.
    say
        Called with one line for each part that is up.

    Raises
    ------
    ConfigError
        If a program is missing, a folder cannot be used, or choices exclude each other.
    ClusterError
        If it runs already, a port is taken, processes of an earlier run are there, or a
        part does not become healthy in time; then nothing is left running.
    """
    if choices.origin and choices.release is not None:
        raise ConfigError(
            "a release is served by the facility's own origin",
            remedy="choose --release or --origin",
        )
    layout = Layout(directory.resolve())
    repository()
    require_programs(own_origin=not choices.origin)
    _refuse_running(layout)
    if choices.port:
        require_free(choices.port)
    require_passage(layout.data, xrootd_user())
    prepare(layout)
    run = _choose(_with_data(choices, layout, say), layout)
    layout.write_run(run)
    _install()
    supervisor = _start_supervisor(layout, run)
    try:
        _wait_until_well(layout, lambda: carries(supervisor, run.facility_id), say)
    except BaseException:
        stop(directory)
        raise
    return Facility(layout, run)


def running(directory: Path) -> Facility:
    """Find the facility that runs in ``directory``.

    Raises
    ------
    ClusterError
        If none does.
    """
    layout = Layout(directory.resolve())
    run, report = layout.read_run(), look(directory)
    if run is None or report is None:
        raise ClusterError(
            f"no facility runs in {layout.root}", remedy="start one: fourlep facility up"
        )
    return Facility(layout, run)


def look(directory: Path) -> FacilityReport | None:
    """Read the supervisor's report; None where no supervisor is alive."""
    report = read_report(Layout(directory.resolve()).state)
    if report is None or not carries(report.pid, report.facility_id):
        return None
    return report


def stop(directory: Path) -> int:
    """End the facility of ``directory`` and whatever of it is left.

    Returns
    -------
    int
        How many processes there were; 0 where nothing ran.
    """
    layout = Layout(directory.resolve())
    run, report = layout.read_run(), look(directory)
    count = len(marked(run.facility_id)) if run is not None else 0
    if report is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(report.pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_S
        while carries(report.pid, report.facility_id) and time.monotonic() < deadline:
            time.sleep(_LOOK_S)
    if run is not None:
        end_marked(run.facility_id)
    return count


def prepare(layout: Layout) -> None:
    """Make folders, secrets and what XRootD reads, for the user whom it runs as.

    Raises
    ------
    ConfigError, OutputError
        If a folder cannot be used or passed.
    """
    user = xrootd_user()
    layout.make()
    make_secrets(layout.secrets)
    shared = layout.work("xrootd")
    shutil.copytree(repository() / "images" / "xcache", shared, dirs_exist_ok=True)
    own = (layout.cache, layout.work("origin"), layout.work("cache"))
    for folder in own:
        folder.mkdir(parents=True, exist_ok=True)
    if user:
        entry = pwd.getpwnam(user)
        for folder in own:
            os.chown(folder, entry.pw_uid, entry.pw_gid)
    for folder in (layout.root, layout.data, shared, shared.parent):
        folder.chmod(0o755)
    for file in shared.iterdir():
        file.chmod(0o644)


def _refuse_running(layout: Layout) -> None:
    run = layout.read_run()
    if look(layout.root) is not None:
        raise ClusterError(
            f"a facility runs in {layout.root} already",
            remedy="fourlep facility status shows it, fourlep facility down ends it",
        )
    left = marked(run.facility_id) if run is not None else []
    if left:
        pids = ", ".join(str(process.pid) for process in left[:8])
        raise ClusterError(
            f"{len(left)} processes of an earlier run are alive (process {pids})",
            remedy="fourlep facility down ends them; then start again",
        )


def _with_data(choices: Choices, layout: Layout, say: Callable[[str], None]) -> Choices:
    """Take a small stand-in release, made once, where no data was chosen."""
    if choices.origin or choices.fileset or choices.release is not None:
        return choices
    if not layout.release.is_dir():
        say(f"making a small synthetic release ({STAND_IN.events:,} events), once")
        make_release(layout.release, STAND_IN)
    return replace(choices, release=layout.release)


def _choose(choices: Choices, layout: Layout) -> Run:
    numbers = free_ports(10)
    ports = Ports(choices.port or numbers[0], *numbers[1:])
    own = not choices.origin
    origin = f"127.0.0.1:{ports.origin}" if own else choices.origin
    fileset = choices.fileset
    if choices.release is not None:
        served = layout.data / choices.export.strip("/")
        fileset = str(layout.fileset)
        publish(
            load_fileset(choices.release),
            served,
            f"root://{origin}/{choices.export}",
            layout.fileset,
        )
    return Run(
        facility_id=secrets.token_hex(8),
        ports=ports,
        origin=origin,
        own_origin=own,
        export=choices.export,
        fileset=fileset,
        users=choices.users,
        environment=choices.environment,
    )


def _install() -> None:
    """Install the proxy now, where the caller sees what goes wrong."""
    install_proxy(repository() / "images" / "proxy", cache_dir())


def _start_supervisor(layout: Layout, run: Run) -> int:
    """Start the supervisor as a process that nobody waits for; return its id."""
    layout.state.unlink(missing_ok=True)
    for log in layout.logs.glob("*.log"):
        log.replace(earlier(log))
    handle = os.open(layout.log("supervisor"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "ab") as log_file:
        started = subprocess.run(
            [sys.executable, "-m", "fourlep.facility.embedded.supervisor", str(layout.root)],
            env={**os.environ, **mark(run.facility_id)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log_file,
            check=False,
        )
    if started.returncode or not started.stdout.strip().isdigit():
        raise ClusterError(
            f"the supervisor did not start:\n{_tail(layout.log('supervisor'))}",
            remedy=f"see {layout.log('supervisor')}",
        )
    return int(started.stdout)


def _wait_until_well(
    layout: Layout, is_alive: Callable[[], bool], say: Callable[[str], None]
) -> None:
    told: set[str] = set()
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        report = read_report(layout.state)
        for part in report.parts if report else ():
            if part.condition == "up" and part.name not in told:
                told.add(part.name)
                say(f"{part.title} is up")
            if part.restarts >= 3:
                raise _failed(layout, part)
        if report is not None and report.is_well:
            return
        if not is_alive():
            raise ClusterError(
                f"the supervisor ended:\n{_tail(layout.log('supervisor'))}",
                remedy=f"see {layout.log('supervisor')}",
            )
        time.sleep(_LOOK_S)
    late = [part for part in (report.parts if report else ()) if part.condition != "up"]
    raise _failed(layout, late[0]) if late else ClusterError("the facility did not start")


def _failed(layout: Layout, part: PartReport) -> ClusterError:
    log = layout.log(part.name)
    return ClusterError(
        f"{part.title} does not start ({part.note or 'no answer'}):\n{_tail(log)}",
        remedy=f"see {log}",
    )


def _tail(path: Path, lines: int = 12) -> str:
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(no log)"
