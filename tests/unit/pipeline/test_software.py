"""Whether a run notices that it would go on with other software."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import fourlep
from fourlep.datasets.model import Fileset
from fourlep.pipeline import software
from fourlep.pipeline.run import fingerprint_of

EMPTY = Fileset("empty", (), 10.0, "made up")


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The package's modules, to be edited."""
    package = Path(fourlep.__file__).parent
    return Path(
        shutil.copytree(package, tmp_path / "fourlep", ignore=shutil.ignore_patterns("__pycache__"))
    )


@pytest.mark.parametrize("edited", ["physics/scipy2024.py", "io/lean/scan.py", "exact.py"])
def test_an_edited_module_that_decides_a_sum_is_other_software(copied: Path, edited: str) -> None:
    with (copied / edited).open("a") as file:
        file.write("# edited")
    assert software.digest(copied) != software.deciding_software()["text"]


@pytest.mark.parametrize("edited", ["plots/style.py", "cli/run.py", "execution/run.py"])
def test_an_edited_module_that_decides_none_is_the_same(copied: Path, edited: str) -> None:
    with (copied / edited).open("a") as file:
        file.write("# edited")
    assert software.digest(copied) == software.deciding_software()["text"]


def test_another_version_of_a_package_is_another_run(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint_of(EMPTY, {})
    assert fingerprint_of(EMPTY, {}) == before
    plain = software.metadata.version
    monkeypatch.setattr(
        "fourlep.pipeline.software.metadata.version",
        lambda name: "1.0" if name == "awkward" else plain(name),
    )
    assert fingerprint_of(EMPTY, {}) != before
