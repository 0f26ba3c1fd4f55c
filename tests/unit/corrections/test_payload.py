"""Payloads: what they offer, and what is refused."""

from __future__ import annotations

import gzip
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fourlep.corrections.payload import CONTRACT, Payload, read_payload
from fourlep.errors import ConfigError
from unit.corrections.payloads import content, correction, flat_payload, payload

_BINNED: Any = {
    "nodetype": "multibinning",
    "inputs": ["pt"],
    "edges": [[0.0, 10.0]],
    "content": [1.0],
    "flow": "clamp",
}


def test_variations_are_the_categories_of_the_payload() -> None:
    numbers = flat_payload()
    assert numbers.systematics("muon_isolation") == ("ISO__1up", "ISO__1down")
    assert numbers.systematics("muon_reconstruction") == ()
    assert not numbers.has("muon_reconstruction")


def test_value_is_that_of_the_variation() -> None:
    pt = {"pt": np.array([10.0, 20.0])}
    assert flat_payload().evaluate("electron_scale", "E__1up", pt).tolist() == [1.02, 1.02]


def test_payload_travels_with_its_content_and_shows_only_its_checksum() -> None:
    numbers = flat_payload()
    again = pickle.loads(pickle.dumps(numbers))
    assert again == numbers
    assert hash(again) == hash(numbers)
    assert str(again) == f"hand-made (sha256 {numbers.sha256[:16]})"


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (b"no json", "no correctionlib payload"),
        (b"[]", "no correctionlib payload"),
        (content({"name": "electron_scale"}), "no correctionlib payload"),
        (content(correction("electron_colour", {"nominal": 1})), "unknown correction"),
        (
            content(correction("pileup", {"nominal": 1}, inputs=[{"name": "pt", "type": "real"}])),
            "pileup has the inputs pt",
        ),
        (
            content(
                correction(
                    "pileup",
                    {"nominal": 1},
                    inputs=[{"name": "sys", "type": "string"}, {"name": "mass", "type": "real"}],
                )
            ),
            "pileup has the inputs sys, mass",
        ),
        (
            content(correction("pileup", {}, data={"nodetype": "category", "input": "pt"})),
            "does not begin with a category of 'sys'",
        ),
        (content(correction("pileup", {"P__1up": 1.0})), "has no nominal value"),
        (content(correction("pileup", {}, data=1.0)), "does not begin with a category of 'sys'"),
        (b"[" * 100_000, "no correctionlib payload"),
        (
            # correctionlib ends the process over it
            content(correction("electron_scale", {"nominal": {**_BINNED, "inputs": []}})),
            "no correctionlib payload",
        ),
        (
            content(correction("electron_scale", {"nominal": 1}, version="one")),
            "no correctionlib payload",
        ),
    ],
)
def test_broken_payload_is_refused_with_what_to_do(broken: bytes, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        Payload("broken", broken)
    assert message in str(error.value)
    assert error.value.remedy


def test_default_serves_as_nominal() -> None:
    entry = correction("electron_scale", {"E__1up": 1.02})
    entry["data"]["default"] = 1.0
    numbers = payload(entry)
    assert numbers.evaluate("electron_scale", "nominal", {"pt": np.ones(1)}).tolist() == [1.0]


def test_value_outside_the_bins_is_refused_by_name() -> None:
    binned = {
        "nodetype": "binning",
        "input": "pt",
        "edges": [0.0, 10.0],
        "content": [1.0],
        "flow": "error",
    }
    entry = correction("electron_scale", {})
    entry["data"]["content"] = [{"key": "nominal", "value": binned}]
    with pytest.raises(ConfigError, match=r"electron_scale \(nominal\) cannot be evaluated"):
        payload(entry).evaluate("electron_scale", "nominal", {"pt": np.array([50.0])})


def test_gzipped_payload_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.json.gz"
    path.write_bytes(gzip.compress(content(correction("pileup", {"nominal": 1.0}))))
    assert read_payload(path).has("pileup")


@pytest.mark.parametrize("name", ["absent.json", "bad.json.gz", "cut.json.gz", "other.json.gz"])
def test_unreadable_payload_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "bad.json.gz").write_bytes(b"not gzip")
    whole = gzip.compress(content(correction("pileup", {"nominal": 1.0})))
    (tmp_path / "cut.json.gz").write_bytes(whole[:-20])
    (tmp_path / "other.json.gz").write_bytes(whole[:12] + b"\xff" * 20 + whole[32:])
    with pytest.raises(ConfigError, match="cannot be read"):
        read_payload(tmp_path / name)


def test_illustrative_set_has_every_correction_and_a_neutral_nominal() -> None:
    numbers = read_payload()
    grid = np.meshgrid(np.linspace(-3, 3, 13), np.geomspace(1, 2000, 15), indexing="ij")
    eta, pt = (axis.ravel() for axis in grid)
    inputs = {"eta": eta, "abs_eta": abs(eta), "pt": pt, "pileup": pt / 20.0}
    for name in CONTRACT:
        neutral = 0.0 if name.endswith("resolution") else 1.0
        assert set(numbers.evaluate(name, "nominal", inputs)) == {neutral}
        assert numbers.systematics(name)


def test_illustrative_variations_come_in_pairs_but_for_resolutions() -> None:
    numbers = read_payload()
    for name in CONTRACT:
        found = set(numbers.systematics(name))
        ups = {sys for sys in found if sys.endswith("__1up")}
        downs = {sys.removesuffix("up") + "down" for sys in ups}
        assert found == (ups if name.endswith("resolution") else ups | downs)


def test_illustrative_set_is_what_its_script_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).resolve().parents[3]
    monkeypatch.syspath_prepend(str(root / "analysis" / "scripts"))
    import build_corrections

    made = build_corrections.illustrative().model_dump_json(exclude_unset=True)
    assert json.loads(made) == json.loads(read_payload().content)
