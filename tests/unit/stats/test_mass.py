"""Mass and strength together: templates of another mass, recovered shifts, refusals."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from fourlep.cli import cli
from fourlep.errors import FitError
from fourlep.stats.candidates import CandidateTable, read_candidates
from fourlep.stats.config import FitConfig, FitRegion, Normalisation
from fourlep.stats.likelihood import likelihood
from fourlep.stats.mass import MassFit, fit_mass
from fourlep.stats.mass_templates import SIMULATED, MassTemplates, mass_templates
from fourlep.stats.preparation import Preparation, prepare
from fourlep.stats.run_directory import Run, open_histograms, read_run
from fourlep.stats.workspace import Workspace, build_workspace
from unit.stats.conftest import EDGES, write_histograms, write_record

N_SIMULATED = 20_000
WIDTH = 2.0
RATES = {"ggF": 25.0, "ZZ": 40.0}
SCALE = "EG_SCALE_ALL"
CONFIG = FitConfig(
    regions=(FitRegion("4mu", "4mu", low=105.0, high=160.0),),
    normalisations=(Normalisation("norm_ZZ", ("ZZ",), 0.1),),
)


def _m4l(process: str, n: int, rng: np.random.Generator) -> np.ndarray:
    return rng.normal(SIMULATED, WIDTH, n) if process == "ggF" else rng.uniform(80.0, 250.0, n)


def _counts(m4l: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.histogram(m4l, bins=EDGES, weights=weight**power)[0] for power in (1, 2))


def _write_run(directory: Path, data: np.ndarray, **record: object) -> Path:
    """A run of one channel: a Gaussian peak on a flat background, with an energy scale."""
    directory.mkdir()
    rng = np.random.default_rng(5)
    tables, contents = [], {"4mu/all/m4l/data": _counts(data, np.ones(len(data)))}
    for process, rate in RATES.items():
        m4l = _m4l(process, N_SIMULATED, rng)
        weight = np.full(N_SIMULATED, rate / N_SIMULATED)
        numbers = np.arange(N_SIMULATED)
        tables.append(
            pa.table(
                {
                    "dataset": pa.array([process] * N_SIMULATED),
                    "process": pa.array([process] * N_SIMULATED),
                    "channel": pa.array(["4mu"] * N_SIMULATED),
                    "event": numbers,
                    "entry": numbers,
                    "weight": weight,
                    "m4l": m4l,
                }
            )
        )
        contents[f"4mu/all/m4l/{process}"] = _counts(m4l, weight)
        for side, factor in (("up", 1.004), ("down", 0.996)):
            varied = m4l * factor if process == "ggF" else m4l
            contents[f"4mu/all/m4l/{process}_{SCALE}__1{side}"] = _counts(varied, weight)
    pq.write_table(pa.concat_tables(tables), directory / "candidates.parquet")
    write_histograms(directory / "histograms.root", contents)
    variations = [f"{SCALE}__1up", f"{SCALE}__1down"]
    write_record(directory, **{"variations": variations, **record})
    return directory


def _data(seed: int, mass: float = SIMULATED) -> np.ndarray:
    rng = np.random.default_rng(seed)
    peak = _m4l("ggF", rng.poisson(RATES["ggF"]), rng) * (mass / SIMULATED)
    return np.concatenate([peak, _m4l("ZZ", rng.poisson(RATES["ZZ"]), rng)])


@dataclass(frozen=True)
class Prepared:
    """What mass templates are made of."""

    run: Run
    preparation: Preparation
    workspace: Workspace
    table: CandidateTable

    def templates(self, table: CandidateTable | None = None) -> MassTemplates:
        chosen = self.table if table is None else table
        return mass_templates(self.run, self.preparation, self.workspace, chosen)


def _prepared(directory: Path, config: FitConfig = CONFIG) -> Prepared:
    run = read_run(directory)
    with open_histograms(run) as histograms:
        preparation = prepare(run, histograms, config)
    workspace = build_workspace(run, config, preparation)
    return Prepared(run, preparation, workspace, read_candidates(run, with_data=False, features=()))


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _write_run(tmp_path_factory.mktemp("mass") / "run", _data(11))


@pytest.fixture(scope="module")
def prepared(directory: Path) -> Prepared:
    return _prepared(directory)


@pytest.fixture(scope="module")
def fitted(prepared: Prepared) -> MassFit:
    return fit_mass(prepared.templates(), "mu")


def _signal(workspace: Workspace) -> dict:
    samples = workspace["channels"][0]["samples"]
    return next(sample for sample in samples if sample["name"] == "ggF")


def _shape(workspace: Workspace, side: str) -> np.ndarray:
    modifiers = _signal(workspace)["modifiers"]
    return np.array(next(m["data"][side] for m in modifiers if m["type"] == "histosys"))


def _mean(values: np.ndarray) -> float:
    edges = EDGES[(EDGES >= 105.0) & (EDGES <= 160.0)]
    return float(np.average(0.5 * (edges[1:] + edges[:-1]), weights=values))


def test_workspace_at_the_simulated_mass_is_the_one_that_was_built(prepared: Prepared) -> None:
    moved = prepared.templates().at(SIMULATED)
    ours, theirs = _signal(moved), _signal(prepared.workspace)
    assert ours["data"] == pytest.approx(theirs["data"])
    for side in ("hi_data", "lo_data"):
        assert _shape(moved, side) == pytest.approx(_shape(prepared.workspace, side))


def test_every_candidate_moves_by_the_ratio_of_the_masses(prepared: Prepared) -> None:
    # Scaled by 126/125: 124.9 -> 125.9 crosses the edge at 125, 126.0 -> 127.0 stays below
    # 127.5, 159.5 -> 160.8 leaves the range.
    table = CandidateTable(
        process=np.array(["ggF"] * 3),
        channel=np.array(["4mu"] * 3),
        weight=np.array([2.0, 3.0, 5.0]),
        m4l=np.array([124.9, 126.0, 159.5]),
        features=np.zeros((3, 0)),
        identity=np.arange(3),
    )
    templates = replace(prepared.templates(), table=table)
    edges = prepared.preparation.regions[0].edges
    found = dict(zip(edges[:-1].tolist(), _signal(templates.at(126.0))["data"], strict=True))
    assert {edge: value for edge, value in found.items() if value} == {125.0: 5.0}
    here = dict(zip(edges[:-1].tolist(), _signal(templates.at(125.0))["data"], strict=True))
    assert {edge: value for edge, value in here.items() if value} == {
        122.5: 2.0,
        125.0: 3.0,
        157.5: 5.0,
    }


def test_background_and_rates_do_not_move(prepared: Prepared) -> None:
    moved = prepared.templates().at(127.0)
    samples = {s["name"]: s for s in moved["channels"][0]["samples"]}
    before = {s["name"]: s for s in prepared.workspace["channels"][0]["samples"]}
    assert samples["ZZ"] == before["ZZ"]
    assert sum(samples["ggF"]["data"]) == pytest.approx(sum(before["ggF"]["data"]), rel=1e-3)


def test_shapes_of_variations_move_with_the_peak(prepared: Prepared) -> None:
    moved = prepared.templates().at(128.0)
    nominal = _mean(np.array(_signal(moved)["data"]))
    assert nominal == pytest.approx(128.0, abs=0.05)
    # The energy scale moves the peak by 0.4 % wherever it is, to the width of the bins.
    assert _mean(_shape(moved, "hi_data")) - nominal == pytest.approx(0.5, abs=0.1)
    assert _mean(_shape(moved, "lo_data")) - nominal == pytest.approx(-0.5, abs=0.1)


@pytest.mark.parametrize("mass", [123.8, 126.3])
def test_mass_and_strength_of_an_expected_data_set_are_found_again(
    prepared: Prepared, mass: float
) -> None:
    templates = prepared.templates()
    model, _ = likelihood(templates.at(mass))
    parameters = model.nominal()
    parameters[model.index("mu")] = 1.4
    found = fit_mass(templates, "mu", model.expected(parameters))
    assert found.mass == pytest.approx(mass, abs=0.05)
    assert found.value == pytest.approx(1.4, abs=0.02)


def test_expectation_is_fitted_at_the_simulated_mass_while_blinded(prepared: Prepared) -> None:
    found = fit_mass(prepared.templates(), "mu", is_blinded=True)
    assert found.mass == pytest.approx(SIMULATED, abs=0.05)
    assert found.value == pytest.approx(1.0, abs=0.01)


def test_error_of_the_mass_is_that_of_a_mean_where_the_peak_stands_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # N events of a Gaussian: its mean is known to width / sqrt(N), and the bins of 2.5 GeV
    # add their own width, 2.5 / sqrt(12), in quadrature.
    monkeypatch.setitem(RATES, "ZZ", 1.0)
    directory = _write_run(tmp_path / "alone", np.array([125.0]), variations=[])
    config = replace(CONFIG, mc_statistics=False)
    found = fit_mass(_prepared(directory, config).templates(), "mu", is_blinded=True)
    expected = np.hypot(WIDTH, 2.5 / np.sqrt(12)) / np.sqrt(RATES["ggF"])
    assert found.high == pytest.approx(expected, rel=0.06)
    assert found.low == pytest.approx(-expected, rel=0.06)


def test_mass_of_a_data_set_agrees_with_the_true_one(fitted: MassFit) -> None:
    assert fitted.low is not None
    assert fitted.high is not None
    assert fitted.mass + 2 * fitted.low < SIMULATED < fitted.mass + 2 * fitted.high
    assert 0.5 < fitted.high < 1.0


def test_surface_and_profile_have_the_same_minimum(fitted: MassFit) -> None:
    assert fitted.surface.shape == (len(fitted.masses), len(fitted.strengths))
    lowest = np.unravel_index(np.argmin(fitted.surface), fitted.surface.shape)
    assert fitted.strengths[lowest[1]] == pytest.approx(fitted.value, abs=fitted.error / 2)
    # Held strengths cannot do better than a free one.
    assert np.all(fitted.surface >= fitted.profile[:, np.newaxis] - 1e-4)
    assert fitted.surface.min(axis=1) == pytest.approx(fitted.profile, abs=0.3)


def test_curves_for_drawing_go_through_what_was_fitted(fitted: MassFit) -> None:
    masses, curve = fitted.smooth(13)
    assert masses == pytest.approx(fitted.masses)
    assert curve == pytest.approx(fitted.profile, abs=0.5)
    surface = fitted.smooth_surface(13)[2]
    assert surface == pytest.approx(fitted.surface, abs=0.8)


def test_candidates_of_another_run_are_refused(prepared: Prepared) -> None:
    other = replace(prepared.table, weight=prepared.table.weight * 1.01)
    with pytest.raises(FitError, match="do not add up to its histogram in region 4mu"):
        prepared.templates(other)


def test_region_without_the_mass_is_refused(prepared: Prepared) -> None:
    region = replace(prepared.preparation.regions[0], region=FitRegion("a", "4mu", "signal"))
    spoiled = replace(prepared, preparation=replace(prepared.preparation, regions=(region,)))
    with pytest.raises(FitError, match="knows no mass"):
        spoiled.templates()


def test_peak_beyond_the_masses_that_scaling_describes_is_refused(tmp_path: Path) -> None:
    directory = _write_run(tmp_path / "far", _data(3, mass=131.5))
    with pytest.raises(FitError, match="likelihood still rises towards 130 GeV"):
        fit_mass(_prepared(directory).templates(), "mu")


def test_data_without_a_peak_have_no_mass(prepared: Prepared) -> None:
    templates = prepared.templates()
    model, _ = likelihood(templates.workspace)
    parameters = model.nominal()
    parameters[model.index("mu")] = -0.02
    with pytest.raises(FitError, match="no peak to take a mass from"):
        fit_mass(templates, "mu", model.expected(parameters))


def _command(directory: Path, *options: str):
    config = directory.parent / "fit.toml"
    config.write_text(
        '[fit]\n[[fit.normalisations]]\nname = "norm_ZZ"\nprocesses = ["ZZ"]\n'
        'uncertainty = 0.1\n[[fit.regions]]\nname = "4mu"\nchannel = "4mu"\n'
    )
    arguments = ["fit", str(directory), "--config", str(config), "--mass", *options]
    return CliRunner().invoke(cli, arguments, standalone_mode=False)


@pytest.mark.usefixtures("reported")
def test_command_writes_mass_and_figures(directory: Path, fitted: MassFit) -> None:
    result = _command(directory)
    assert result.exception is None
    assert f"m_H = {fitted.mass:.2f} +{fitted.high:.2f}" in result.stdout
    content = json.loads((directory / "fit.json").read_text())["mass"]
    assert content["mass"] == pytest.approx(fitted.mass)
    assert content["simulated"] == SIMULATED
    assert np.array(content["surface"]).shape == (13, 13)
    figures = {path.name for path in (directory / "plots").iterdir()}
    assert {"fit_scan_mass.png", "fit_mass_contours.pdf"} <= figures


@pytest.mark.usefixtures("reported")
def test_mass_of_observed_data_stays_blinded(tmp_path: Path) -> None:
    directory = _write_run(
        tmp_path / "observed", _data(11, mass=127.0), observed=True, synthetic=False
    )
    assert _command(directory).exception is None
    content = json.loads((directory / "fit.json").read_text())
    assert content["blinded"]
    assert content["mass"]["mass"] == pytest.approx(SIMULATED, abs=0.05)


@pytest.mark.usefixtures("reported")
def test_run_without_candidates_is_refused(directory: Path, tmp_path: Path) -> None:
    other = tmp_path / "run"
    other.mkdir()
    for name in ("run.json", "histograms.root"):
        (other / name).write_bytes((directory / name).read_bytes())
    result = _command(other)
    assert isinstance(result.exception, FitError)
    assert "candidates.parquet is absent" in str(result.exception)
    assert "--candidates" in result.exception.remedy
    assert not (other / "fit.json").exists()
