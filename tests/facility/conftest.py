"""One facility on this machine for all tests of this folder, over a small stand-in release."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fourlep.errors import ConfigError
from fourlep.facility.embedded.control import Choices, Facility, start, stop
from fourlep.facility.embedded.processes import marked
from fourlep.facility.embedded.requirements import require_programs
from fourlep.synth.plan import Options
from fourlep.synth.release import make_release

REPOSITORY = Path(__file__).resolve().parents[2]
USERS = ("analyst", "second")

#: Short, so that tests see idle things end.
TIMES = {
    "FOURLEP_HUB_IDLE_S": "90",
    "FOURLEP_HUB_IDLE_CHECK_S": "10",
    "FOURLEP_CLUSTER_IDLE_S": "15",
}


@pytest.fixture(scope="session")
def stand_in() -> Iterator[Path]:
    """A small synthetic release."""
    folder = Path(tempfile.mkdtemp(prefix="fourlep-release-"))
    # Of processes whose weights are mostly positive: so few events of the others would not do.
    options = Options(events=10_000, filler=1_000, processes=("ggF", "ZZ", "Zjets"))
    make_release(folder / "release", options, workers=1)
    yield folder / "release"
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def facility(stand_in: Path) -> Iterator[Facility]:
    """The running facility; that it ends without a trace is part of every test."""
    try:
        require_programs(own_origin=True)
    except ConfigError as error:
        pytest.skip(f"the facility cannot run here: {error}")
    folder = Path(tempfile.mkdtemp(prefix="fourlep-facility-"))
    folder.chmod(0o755)  # the XRootD user must pass
    choices = Choices(port=0, release=stand_in, users=USERS, environment=TIMES)
    running = start(folder, choices, lambda _: None)
    yield running
    stop(folder)
    left = [process.pid for process in marked(running.run.facility_id)]
    shutil.rmtree(folder)
    assert not left, f"processes {left} outlived the facility"


@pytest.fixture(scope="session")
def shown() -> Path:
    """Folder for pictures that people may look at after the tests."""
    folder = REPOSITORY / "build" / "facility"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
