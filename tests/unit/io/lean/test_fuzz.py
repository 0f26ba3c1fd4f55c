"""`make fuzz`, for a short while: the kernels check every index, which they else do not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

N_EXAMPLES = 400
SCRIPT = Path(__file__).parents[4] / "analysis" / "benchmarks" / "fuzz_reader.py"


@pytest.mark.slow
def test_hostile_files_give_named_errors_or_numbers(tmp_path: Path) -> None:
    command = [sys.executable, SCRIPT, "--examples", str(N_EXAMPLES), "--output", tmp_path]
    found = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert found.returncode == 0, found.stderr[-3000:]
    record = json.loads((tmp_path / "fuzz.json").read_text())
    assert record["faults"] == []
    outcomes = record["outcomes"]
    assert sum(outcomes.values()) == N_EXAMPLES
    # What reaches the parsers is refused, what does not matter is read.
    assert outcomes["CorruptFileError"] > N_EXAMPLES / 10
    assert outcomes["read"] > N_EXAMPLES / 20
