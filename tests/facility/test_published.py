"""Filesets that a facility publishes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fourlep.errors import ReadError
from fourlep.facility.published import facility_fileset, publish_stand_in

FILESET = {
    "Synthetic": {
        "files": {"root://origin:1094//fourlep/1/a.root": "CollectionTree"},
        "metadata": {"process": "data", "role": "data"},
    }
}


def test_a_fileset_is_read_by_its_address(tmp_path: Path) -> None:
    (tmp_path / "fileset.json").write_text(json.dumps(FILESET))
    fileset = facility_fileset((tmp_path / "fileset.json").as_uri())
    assert fileset.datasets[0].files[0].url == "root://origin:1094//fourlep/1/a.root"


def test_an_address_without_a_fileset_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ReadError):
        facility_fileset((tmp_path / "fileset.json").as_uri())


def test_a_release_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    (tmp_path / "fileset.json").write_text("{}")
    assert publish_stand_in(tmp_path, "root://origin:1094//fourlep", 10) == tmp_path / (
        "fileset.json"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["fileset.json"]
