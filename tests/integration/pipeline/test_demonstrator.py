"""The public demonstrator: real data of 2020, simulation of a stand-in, to the last figure."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uproot
from click.testing import CliRunner, Result

from fourlep.cli import cli
from fourlep.synth import Options, make_release

# One worker: the run is made once.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demonstrator")]

SCRIPT = Path(__file__).parents[3] / "analysis" / "scripts" / "demonstrator_fileset.py"
FIGURES = {
    "cutflow",
    "lepton_eta_4l",
    "lepton_pt_4l",
    *(f"m4l_{channel}" for channel in ("4e", "4mu", "2e2mu", "4l")),
    "fit_pulls",
    "fit_correlation",
    "fit_impacts",
    "fit_scan_mu",
    "fit_m4l_signal_region_prefit",
    "fit_m4l_signal_region_postfit",
}


def _fourlep(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(item) for item in arguments], standalone_mode=False)


@dataclass(frozen=True)
class Chain:
    """A run of the demonstrator, and its fits before and after unblinding."""

    directory: Path
    blinded: dict[str, Any]
    unblinded: dict[str, Any]
    blinded_page: str


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("demonstrator") / "stand-in"
    options = Options(
        seed=4,
        events=30_000,
        file_format="ntuple2020",
        luminosity_ifb=10.0,
        processes=("ggF", "ttH", "ZZ", "Zjets", "ttbar", "VVV"),
    )
    make_release(directory, options, workers=1)
    return directory


@pytest.fixture(scope="module")
def chain(standin: Path, shared_data: Path) -> Chain:
    answer = subprocess.run(
        [sys.executable, SCRIPT, standin, shared_data / "ntuple2020"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    fileset, out = standin.parent / "demonstrator.json", standin.parent / "run"
    fileset.write_text(answer.stdout)
    options = ("--selection", "demonstrator2020", "--cluster", "inline", "--output", out)
    ran = _fourlep("run", fileset, *options, "--fit")
    assert ran.exception is None, ran.stderr
    assert "events (simulation: synthetic) in" in ran.stdout
    blinded = json.loads((out / "fit.json").read_bytes())
    page = (out / "report.html").read_text()
    assert _fourlep("fit", out, "--unblind").exception is None
    return Chain(out, blinded, json.loads((out / "fit.json").read_bytes()), page)


def test_fileset_has_real_data_and_the_three_samples(chain: Chain) -> None:
    record = json.loads((chain.directory / "run.json").read_bytes())
    assert record["complete"]
    assert record["observed"]
    assert record["synthetic"]
    assert record["luminosity_ifb"] == 10.0
    roles = {name: process["role"] for name, process in record["processes"].items()}
    assert roles == {
        "data": "data",
        "Signal": "signal",
        "ZZ": "background",
        "Zttbar": "background",
    }
    flow = json.loads((chain.directory / "cutflow.json").read_bytes())
    assert flow["data"][0]["raw"]["total"] == 832


def test_model_is_that_of_the_demonstrator(chain: Chain) -> None:
    workspace = json.loads((chain.directory / "workspace.json").read_bytes())
    (channel,) = workspace["channels"]
    kinds: dict[str, set[tuple[str, str]]] = {}
    for sample in channel["samples"]:
        assert len(sample["data"]) == 34
        kinds[sample["name"]] = {(m["name"], m["type"]) for m in sample["modifiers"]}
    assert set(kinds) == {"Signal", "ZZ", "Zttbar"}
    assert ("mu", "normfactor") in kinds["Signal"]
    assert ("norm_ZZ", "normsys") in kinds["ZZ"]
    for sample in kinds.values():
        assert ("scaleFactor", "normsys") in sample
        assert {("m4l", "normsys"), ("m4l", "histosys")} <= sample


def test_data_is_fitted_only_when_told(chain: Chain) -> None:
    assert chain.blinded["blinded"]
    assert chain.blinded["strengths"]["mu"]["value"] == pytest.approx(1.0, abs=1e-3)
    assert chain.blinded["regions"][0]["data"] is None
    assert not chain.unblinded["blinded"]
    with uproot.open(chain.directory / "histograms.root") as file:
        observed = file["4l/all/m4l/data"].values()
    assert chain.unblinded["regions"][0]["data"] == observed.tolist()
    assert chain.unblinded["strengths"]["mu"]["significance"]["observed"]["z"] > 2.0


def test_every_figure_is_made(chain: Chain) -> None:
    made = {path.stem for path in (chain.directory / "plots").glob("*.png")}
    assert made >= FIGURES


def test_page_says_what_is_real_and_what_is_not(chain: Chain) -> None:
    assert "The data is ATLAS open data" in chain.blinded_page
    assert "hidden until --unblind" in chain.blinded_page
    assert "hidden until --unblind" not in (chain.directory / "report.html").read_text()


def test_directory_without_the_data_is_refused(standin: Path, tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, SCRIPT, standin, tmp_path],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert answer.returncode == 1
    assert "4 of 4 files of 'demo2020' are not in" in answer.stderr
