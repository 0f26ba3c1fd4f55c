"""Keeps the parts of the embedded facility running: ``python -m ... DIRECTORY``.

Each part is started when those before it are healthy, asked how it is, and started again
when it ended or stopped answering. SIGTERM ends everything, in reverse order.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from fourlep.config.environment import cache_dir
from fourlep.facility.embedded import launch
from fourlep.facility.embedded.layout import Layout, repository
from fourlep.facility.embedded.logs import shorten
from fourlep.facility.embedded.node_proxy import install_proxy
from fourlep.facility.embedded.parts import Part, Surroundings, build_parts
from fourlep.facility.embedded.processes import end_marked
from fourlep.facility.embedded.requirements import xrootd_user
from fourlep.facility.embedded.state import Condition, FacilityReport, PartReport, write_report

#: Seconds between questions, while starting and later.
_START_PERIOD_S = 0.25
_PERIOD_S = 2.0
#: Unanswered questions in a row after which a running part is ended and started again.
_UNANSWERED = 8
#: Pauses before a part that keeps ending is started again: doubled up to the last.
_FIRST_PAUSE_S = 0.5
_LAST_PAUSE_S = 20.0
#: A part that was up for this long starts over with the first pause.
_SETTLED_S = 30.0
#: How often logs are looked at, and a report is tried again that could not be written.
_HOUSE_PERIOD_S = 10.0


class Supervisor:
    """Starts, watches and ends the parts.

    Parameters
    ----------
    parts
        In an order that respects ``after``.
    layout, facility_id
        Where to write the state and logs, and the run's mark.
    """

    def __init__(self, parts: Sequence[Part], layout: Layout, facility_id: str) -> None:
        self._parts = parts
        self._layout = layout
        self._id = facility_id
        self._reports = {part.name: PartReport(part.name, part.title, "waiting") for part in parts}
        self._up = {part.name: asyncio.Event() for part in parts}
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._is_written = False

    async def run(self) -> None:
        """Supervise until SIGTERM or SIGINT, then end everything."""
        asked_to_end = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, asked_to_end.set)
        self._write()
        watchers = [asyncio.create_task(self._keep(part)) for part in self._parts]
        watchers.append(asyncio.create_task(self._keep_house()))
        await asked_to_end.wait()
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)
        await self._end_all()

    async def _keep(self, part: Part) -> None:
        for name in part.after:
            await self._up[name].wait()
        pause = _FIRST_PAUSE_S
        while True:
            born = asyncio.get_running_loop().time()
            note = await self._live(part)
            self._up[part.name].clear()
            if asyncio.get_running_loop().time() - born > _SETTLED_S:
                pause = _FIRST_PAUSE_S
            restarts = self._reports[part.name].restarts + 1
            self._report(part, "restarting", pid=-1, note=note, restarts=restarts)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LAST_PAUSE_S)

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(_HOUSE_PERIOD_S)
            if not self._is_written:
                self._write()
            for log in self._layout.logs.glob("*.log"):
                await asyncio.to_thread(shorten, log)

    async def _live(self, part: Part) -> str:
        """Run ``part`` once; return why it ended."""
        try:
            process = await self._start(part)
        except OSError as error:
            return f"could not be started: {error}"
        self._processes[part.name] = process
        self._report(part, "starting", pid=process.pid)
        watch = asyncio.create_task(self._watch(part))
        ended = asyncio.create_task(process.wait())
        try:
            await asyncio.wait((watch, ended), return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                await _end(process, part.stop_s)
                return "did not answer and was ended"
            return f"ended with {_cause(ended.result())}"
        finally:
            watch.cancel()
            ended.cancel()

    async def _start(self, part: Part) -> asyncio.subprocess.Process:
        with _listener(part.socket_port) as descriptor, _log(self._layout.log(part.name)) as log:
            handed = () if descriptor < 0 else (descriptor,)
            return await asyncio.create_subprocess_exec(
                sys.executable,
                launch.__file__,
                f"--socket={descriptor}",
                f"--user={part.user}",
                f"--parent={os.getpid()}",
                "--",
                *part.command,
                env=dict(part.environment),
                cwd=part.folder,
                pass_fds=handed,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def _watch(self, part: Part) -> None:
        """Ask ``part`` how it is; return when it has not answered for too long."""
        unanswered = 0
        while unanswered < _UNANSWERED:
            is_up = self._up[part.name].is_set()
            if await asyncio.to_thread(part.is_healthy):
                unanswered = 0
                if not is_up or self._reports[part.name].condition != "up":
                    self._up[part.name].set()
                    self._report(part, "up")
            elif is_up:
                unanswered += 1
                self._report(part, "unhealthy", note=f"no answer, {unanswered} times in a row")
            await asyncio.sleep(_PERIOD_S if is_up else _START_PERIOD_S)

    async def _end_all(self) -> None:
        for part in reversed(self._parts):
            process = self._processes.get(part.name)
            if process is not None and process.returncode is None:
                await _end(process, part.stop_s)
            self._report(part, "stopped", pid=-1)
        await asyncio.to_thread(end_marked, self._id)

    def _report(
        self, part: Part, condition: Condition, *, pid: int | None = None,
        note: str | None = None, restarts: int | None = None,
    ) -> None:  # fmt: skip
        old = self._reports[part.name]
        self._reports[part.name] = replace(
            old,
            condition=condition,
            pid=old.pid if pid is None else pid,
            note=old.note if note is None else note,
            restarts=old.restarts if restarts is None else restarts,
        )
        self._write()

    def _write(self) -> None:
        report = FacilityReport(
            facility_id=self._id,
            pid=os.getpid(),
            parts=tuple(self._reports.values()),
        )
        try:
            write_report(self._layout.state, report)
            self._is_written = True
        except OSError:  # a full disk: what runs is kept running, and told later
            self._is_written = False


@contextlib.contextmanager
def _listener(port: int) -> Iterator[int]:
    """Open a listening socket of 127.0.0.1 to hand over; -1 for ``port`` -1."""
    if port < 0:
        yield -1
        return
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(256)
        yield listener.fileno()


@contextlib.contextmanager
def _log(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


async def _end(process: asyncio.subprocess.Process, patience_s: float) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), patience_s)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _cause(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def main(directory: Path) -> None:
    """Supervise the facility whose choices are in ``directory``."""
    os.umask(0o077)
    layout = Layout(directory)
    run = layout.read_run()
    if run is None:
        raise SystemExit(f"{layout.run} is missing or broken")
    root = repository()
    around = Surroundings(
        layout=layout,
        run=run,
        repository=root,
        proxy_program=install_proxy(root / "images" / "proxy", cache_dir()),
        user=xrootd_user(),
    )
    asyncio.run(Supervisor(build_parts(around), layout, run.facility_id).run())


def detach() -> None:
    """Go on as a process that nobody waits for; its id is written to standard output."""
    pid = os.fork()
    if pid:
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        os._exit(0)
    os.setsid()
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)


if __name__ == "__main__":
    detach()
    main(Path(sys.argv[1]))
