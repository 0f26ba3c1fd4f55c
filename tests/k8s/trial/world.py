"""Where the trial's Kubernetes lives, and how its programs are started, awaited and ended.

The directory is the first word of the command line.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[3]
PLACE = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
BIN = PLACE / "bin"
TOOLS = PLACE / "tools"
RUN = PLACE / "run"
KEYS = RUN / "keys"
NODE_IP = "10.252.0.1"
POD_RANGE = "10.251.0.0/16"
SERVICE_RANGE = "10.250.0.0/24"
API_IP = "10.250.0.1"
DNS_IP = "10.250.0.10"
SERVER = f"https://{NODE_IP}:6443"
NODE = "trial"


def call(*command: str | Path, given: str | None = None, inside: bool = False) -> str:
    words = [str(each) for each in command]
    done = subprocess.run(
        [*enter(), *words] if inside else words, input=given, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(words[:6])}: {done.stderr.strip()}")
    return done.stdout


def enter() -> list[str]:
    holder = RUN / "holder.pid"
    if not holder.exists():
        raise SystemExit(f"nothing runs in {PLACE}")
    target = f"--target={holder.read_text().strip()}"
    return ["nsenter", target, "--net", "--mount", "--"]


def start(name: str, *command: str | Path, umask: int = 0o022) -> None:
    path = f"{TOOLS}/usr/bin:{TOOLS}/usr/sbin:{BIN}:{os.environ['PATH']}"
    log = (RUN / f"{name}.log").open("wb")
    program = subprocess.Popen(
        [*enter(), *map(str, command)],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        umask=umask,
        env={"PATH": path, "HOME": str(RUN), "PYTHONPATH": str(REPOSITORY / "tests")},
    )
    (RUN / f"{name}.pid").write_text(str(program.pid))


def until(what: str, *command: str | Path, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if subprocess.run([*enter(), *map(str, command)], capture_output=True).returncode == 0:
            return
        time.sleep(0.5)
    raise SystemExit(f"{what} does not come up; see {RUN}")


def end(name: str) -> None:
    file = RUN / f"{name}.pid"
    if not file.exists():
        return
    number = int(file.read_text())
    with suppress(ProcessLookupError):
        os.kill(number, signal.SIGTERM)
        for _ in range(100):
            os.kill(number, 0)
            time.sleep(0.1)
        os.kill(number, signal.SIGKILL)
    file.unlink()


def create(objects: list[dict[str, Any]]) -> None:
    whole = {"apiVersion": "v1", "kind": "List", "items": objects}
    call(
        *kubectl("create", "--validate=false", "--filename=-"), given=json.dumps(whole), inside=True
    )


def kubectl(*arguments: str, user: str = "admin") -> list[str]:
    return ["kubectl", f"--kubeconfig={KEYS / user}.kubeconfig", *arguments]
