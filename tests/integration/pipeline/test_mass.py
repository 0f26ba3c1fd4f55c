"""The mass that a stand-in was made with is found again, from files to contours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fourlep.synth import Options, make_release
from integration.pipeline.conftest import Command

pytestmark = pytest.mark.slow

TRUE_MASS = 125.0
CONFIG = """
[fit]
[[fit.regions]]
name = "all"
channel = "4l"
bin_width = 2.5
[[fit.normalisations]]
name = "norm_ZZ"
processes = ["ZZ"]
uncertainty = 0.1
"""


def test_mass_of_a_stand_in_is_found_again(fourlep: Command, tmp_path: Path) -> None:
    standin, out, config = tmp_path / "stand-in", tmp_path / "run", tmp_path / "fit.toml"
    options = Options(
        seed=21, events=60_000, file_format="ntuple2020", processes=("ggF", "ZZ"), mu=1.0
    )
    make_release(standin, options, workers=1)
    ran = fourlep(
        "run", standin, "--output", out, "--cluster", "inline", "--candidates", "--no-variations"
    )
    assert ran.status == 0, ran.err
    config.write_text(CONFIG)
    fitted = fourlep("fit", out, "--mass", "--config", config)
    assert fitted.status == 0, fitted.err
    assert "m_H = " in fitted.out
    found = json.loads((out / "fit.json").read_bytes())["mass"]
    assert found["mass"] + 2 * found["low"] < TRUE_MASS < found["mass"] + 2 * found["high"]
    assert 0.15 < found["high"] < 0.6
    assert abs(found["value"] - 1.0) < 3 * found["error"]
    page = (out / "report.html").read_text()
    assert "Higgs boson mass" in page
    assert "Mass and strength" in page
