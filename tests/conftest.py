"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

# The same examples every time, whatever the load of the machine.
hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("fixed")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real ATLAS files; skips, saying so, where it is absent."""
    chosen = Path(os.environ.get("FOURLEP_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    if not chosen.is_dir():
        pytest.skip(f"real ATLAS files are absent: {chosen} is no folder (set FOURLEP_SHARED_DATA)")
    return chosen
