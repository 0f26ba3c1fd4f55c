"""``synthetic``, wherever a command takes a FILESET."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fourlep.pipeline import embedded
from fourlep.synth import Options
from integration.pipeline.conftest import Command


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Make little of it, in a cache of its own."""
    monkeypatch.setattr(embedded, "_RECIPE", Options(seed=125, events=500))
    monkeypatch.setenv("FOURLEP_CACHE_DIR", str(tmp_path / "cache"))


def test_every_command_that_takes_a_fileset_takes_it(fourlep: Command, tmp_path: Path) -> None:
    shown = fourlep("datasets", "show", "synthetic", "--json")
    assert shown.status == 0, shown.err
    assert "making the synthetic release, once" in shown.err
    content = json.loads(shown.out)
    assert content["sources"]
    again = fourlep("datasets", "fileset", "synthetic")
    assert "making" not in again.err
    assert set(json.loads(again.out)) == {each["name"] for each in content["datasets"]}
    planned = fourlep("plan", "synthetic", "--workers", "2", "--bandwidth", "1", "--json")
    assert planned.status == 0, planned.err
    assert json.loads(planned.out)["n_events"] > 0
    built = fourlep("index", "build", "synthetic", "--output", tmp_path / "index")
    assert built.status == 0, built.err
    assert len(list((tmp_path / "index").iterdir())) == len(content["datasets"])


def test_a_fileset_that_is_none_is_told_with_those_that_are(fourlep: Command) -> None:
    answer = fourlep("datasets", "show", "synthetik")
    assert answer.status == 1
    assert "synthetic" in answer.err
