"""``fourlep synth`` on the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fourlep", "synth", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_small_release_is_made_and_said_where(tmp_path: Path) -> None:
    output = str(tmp_path / "new")
    done = run("--output", output, "--events", "50", "--files", "1", "--processes", "ggF,ZZ",
               "--luminosity", "0.1", "--filler", "20", "--compression", "zstd")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == output
    assert "synthetic events" in done.stderr
    assert (tmp_path / "new" / "catalogue.parquet").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--compression", "brotli"], "unknown compression 'brotli'"),
        (["--processes", "Hgg"], "unknown process 'Hgg'"),
        (["--format", "aod"], "unknown format 'aod'"),
        (["--events", "0"], "events is out of range"),
        (["--level", "11"], "compression level 11 is out of range"),
    ],
)
def test_wrong_values_are_usage_errors_and_leave_nothing(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    done = run("--output", str(tmp_path / "new"), *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_directory_in_use_fails_with_a_message(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    done = run("--output", str(tmp_path))
    assert done.returncode == 1
    assert "is not empty" in done.stderr
    assert "->" in done.stderr
