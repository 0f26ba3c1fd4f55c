"""``fourlep facility`` and ``fourlep doctor``: messages and exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def fourlep(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fourlep", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_the_status_of_nothing_says_how_to_start(tmp_path: Path) -> None:
    answer = fourlep("facility", "status", "--directory", str(tmp_path))
    assert answer.returncode == 1
    assert "no facility runs in" in answer.stderr
    assert "fourlep facility up" in answer.stderr


def test_ending_nothing_is_no_error(tmp_path: Path) -> None:
    answer = fourlep("facility", "down", "--directory", str(tmp_path))
    assert (answer.returncode, answer.stderr) == (0, "Nothing was running.\n")


def test_another_hub_needs_its_token() -> None:
    answer = fourlep("facility", "smoke", "--hub", "http://hub")
    assert answer.returncode == 2
    assert "--hub and --token-file go together" in answer.stderr


def test_the_smoke_test_of_a_hub_that_is_not_there_fails(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("x")
    answer = fourlep("facility", "smoke", "--hub", "http://127.0.0.1:1", "--token-file", str(token))
    assert answer.returncode == 1
    assert "http://127.0.0.1:1 does not answer" in answer.stderr


def test_without_node_nothing_is_started(tmp_path: Path) -> None:
    answer = fourlep("facility", "up", "--directory", str(tmp_path / "f"), PATH=str(tmp_path))
    assert answer.returncode == 2
    assert "Node.js or npm is missing" in answer.stderr
    assert not (tmp_path / "f").exists()


def test_an_installation_without_the_configuration_files_says_so(tmp_path: Path) -> None:
    answer = fourlep(
        "facility", "up", "--directory", str(tmp_path / "f"), "--port", "0",
        FOURLEP_REPOSITORY=str(tmp_path),
    )  # fmt: skip
    assert answer.returncode == 2
    assert "holds no images/hub/jupyterhub_config.py" in answer.stderr


def test_the_collector_refuses_a_taken_address() -> None:
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        taken = f"127.0.0.1:{holder.getsockname()[1]}"
        answer = fourlep("facility", "collect", FOURLEP_METRICS_UDP=taken)
    assert answer.returncode == 1
    assert "cannot listen" in answer.stderr


@pytest.mark.parametrize("address", ["9930", "host:", "host:many"])
def test_the_collector_refuses_what_is_no_address(address: str) -> None:
    answer = fourlep("facility", "collect", FOURLEP_METRICS_UDP=address)
    assert answer.returncode == 2
    assert "is no address" in answer.stderr


def test_the_doctor_names_a_cache_that_does_not_answer() -> None:
    answer = fourlep("doctor", FOURLEP_CACHES="root://127.0.0.1:1", DASK_GATEWAY__ADDRESS="")
    assert answer.returncode == 1
    assert "problem  cache" in answer.stdout
    assert "-> runs go on from other caches" in answer.stdout
    assert "well     packages" in answer.stdout


def test_the_doctor_names_a_gateway_that_does_not_answer() -> None:
    answer = fourlep("doctor", DASK_GATEWAY__ADDRESS="http://127.0.0.1:1", FOURLEP_CACHES="")
    assert answer.returncode == 1
    assert "problem  gateway" in answer.stdout
