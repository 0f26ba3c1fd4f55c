"""Real XRootD daemons: an origin, and caches in front of it.

They run with the facility's own configuration files, on sockets of 127.0.0.1 that are
handed to them, as the user ``xrootd`` (Debian's package makes it) where the caller is root.
Each daemon is ended by its process id.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

CONFIGURATION = Path(__file__).resolve().parents[2] / "images" / "xcache"
_HANDOVER = Path(__file__).with_name("handover.py")
_USER = "xrootd"
EXPORT = "/store"


def missing_parts() -> str:
    """What is not installed, "" where everything is."""
    missing = [name for name in ("xrootd", "xrdfs") if shutil.which(name) is None]
    libraries = Path("/usr/lib")
    if not (any(libraries.glob("libXrdPfc*")) or any(libraries.glob("*/libXrdPfc*"))):
        missing.append("libXrdPfc (xrootd-server-plugins)")
    return ", ".join(missing)


class Daemon:
    """One XRootD process on one loopback port.

    Parameters
    ----------
    name
        Of its folder.
    configuration
        File for ``-c``.
    environment
        What the configuration file asks for.
    port
        0 for any free one.
    """

    def __init__(
        self, name: str, configuration: Path, environment: dict[str, str], port: int = 0
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"fourlep-{name}-"))
        self.work = self.folder / "work"
        self.work.mkdir()
        self._configuration = configuration
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self.port = port
        self.export = EXPORT

    @property
    def endpoint(self) -> str:
        return f"root://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def url(self, path: str) -> str:
        return f"{self.endpoint}/{self.export}/{path}"

    def start(self) -> Self:
        """Start, or start again on the same port, and wait until it answers."""
        _give(self.folder)
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", self.port))
            listener.listen(256)
            self.port = listener.getsockname()[1]
            listener.set_inheritable(True)
            with (self.folder / "log").open("ab") as log:
                self._process = subprocess.Popen(
                    [
                        sys.executable, "-S", "-E", str(_HANDOVER), str(listener.fileno()), _USER,
                        shutil.which("xrootd") or "", "-c", str(self._configuration),
                        "-p", str(self.port),
                    ],
                    pass_fds=[listener.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self.work,
                    env={
                        **os.environ,
                        **self._environment,
                        "FOURLEP_XROOTD_ACCESS": str(CONFIGURATION / "access.db"),
                        "FOURLEP_XROOTD_WORK": str(self.work),
                    },
                )  # fmt: skip
        answer = subprocess.run(
            ["timeout", "30", "xrdfs", f"127.0.0.1:{self.port}", "query", "config", "version"],
            capture_output=True, check=False,
        )  # fmt: skip
        if answer.returncode:
            self.kill()
            raise RuntimeError(f"xrootd does not answer:\n{self.log[-3000:]}")
        return self

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Stop it without closing anything (SIGSTOP), and wait until every thread stands."""
        os.kill(self.pid, signal.SIGSTOP)
        while not all(
            task.joinpath("stat").read_text().rpartition(")")[2].split()[0] == "T"
            for task in Path(f"/proc/{self.pid}/task").iterdir()
        ):
            time.sleep(0.001)

    def go_on(self) -> None:
        """Undo `pause`."""
        os.kill(self.pid, signal.SIGCONT)

    def remove(self) -> None:
        """End it and delete its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()


class Origin(Daemon):
    """Serves the files below ``store`` as ``root://127.0.0.1:PORT//EXPORT/...``."""

    def __init__(self, port: int = 0, export: str = EXPORT) -> None:
        super().__init__("origin", CONFIGURATION / "origin.cfg", {}, port)
        self.export = export
        self.store = self.folder / "data" / export.strip("/")
        self.store.mkdir(parents=True)
        self._environment = {
            "FOURLEP_ORIGIN_EXPORT": export,
            "FOURLEP_ORIGIN_ROOT": str(self.folder / "data"),
        }


class XCache(Daemon):
    """A cache of one origin; files appear under ``blocks`` as they are read.

    Keywords change settings of ``xcache.env``.
    """

    def __init__(self, origin: Daemon, port: int = 0, **settings: str) -> None:
        super().__init__("xcache", CONFIGURATION / "xcache.cfg", {}, port)
        self.export = origin.export
        self.blocks = self.folder / "blocks"
        self.blocks.mkdir()
        self._environment = {
            **_settings(CONFIGURATION / "xcache.env"),
            "FOURLEP_XCACHE_ORIGIN": f"127.0.0.1:{origin.port}",
            "FOURLEP_XCACHE_EXPORT": origin.export,
            "FOURLEP_XCACHE_DIR": str(self.blocks),
            "FOURLEP_XCACHE_MONITOR": "127.0.0.1:9",
            "FOURLEP_XCACHE_NAME": self.folder.name,
            **settings,
        }

    def cached(self, path: str) -> Path:
        """Where the blocks of ``/store/path`` are kept."""
        return self.blocks / self.export.strip("/") / path


def _settings(path: Path) -> dict[str, str]:
    lines = (line.strip() for line in path.read_text().splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def _give(folder: Path) -> None:
    """Let the daemon's user own its folder."""
    folder.chmod(0o755)
    if os.getuid() != 0:
        return
    entry = pwd.getpwnam(_USER)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)
