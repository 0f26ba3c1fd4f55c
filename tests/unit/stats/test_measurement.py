"""The measurement of a whole run: recovery of the truth, blinding, pseudo-experiments."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fourlep.errors import FitError
from fourlep.stats.config import FitConfig, demonstrator_config, fourlepton_config
from fourlep.stats.measurement import Measurement, measure, measure_strength
from fourlep.stats.preparation import prepare
from fourlep.stats.run_directory import open_histograms, read_run
from fourlep.stats.workspace import build_workspace
from unit.stats.conftest import MakeRun


def _measured(
    make_run: MakeRun, config: FitConfig, *, is_blinded: bool = False, n_toys: int = 0, **options
) -> Measurement:
    run = read_run(make_run(**options))
    with open_histograms(run) as histograms:
        preparation = prepare(run, histograms, config, with_data=not is_blinded)
    workspace = build_workspace(run, config, preparation)
    return measure(workspace, config, preparation, is_blinded=is_blinded, n_toys=n_toys)


@pytest.fixture(scope="module")
def quick() -> FitConfig:
    """Two channels with 5 GeV bins and the control region, few nuisance parameters."""
    config = fourlepton_config()
    regions = tuple(
        replace(region, bin_width=5.0) if region.bin_width == 2.5 else region
        for region in config.regions
        if region.name != "4e"
    )
    rates = tuple(item for item in config.normalisations if item.name in ("norm_ZZ", "luminosity"))
    return replace(config, regions=regions, normalisations=rates)


def test_injected_strength_is_found_within_its_error(make_run: MakeRun, quick: FitConfig) -> None:
    found = _measured(make_run, quick, strength=2.0, seed=11).strengths[0]
    assert abs(found.value - 2.0) < 2.5 * found.error
    assert found.observed is not None
    assert found.observed.z > found.expected.z
    low, high = found.minos
    assert low is not None
    assert high is not None
    assert found.error == pytest.approx(0.5 * (high - low), rel=0.1)


def test_blinded_measurement_is_the_expectation_and_shows_no_data(
    make_run: MakeRun, quick: FitConfig
) -> None:
    found = _measured(make_run, quick, is_blinded=True)
    strength = found.strengths[0]
    assert strength.value == pytest.approx(1.0, abs=1e-4)
    assert strength.observed is None
    assert strength.expected_after is None
    assert strength.limit.observed is None
    assert found.goodness is None
    assert all(region.data is None for region in found.regions)


def test_regions_end_with_the_sum_of_the_channels(make_run: MakeRun, quick: FitConfig) -> None:
    found = _measured(make_run, quick).regions
    assert [region.name for region in found] == ["4mu", "2e2mu", "zz_control", "combined"]
    total = found[0].after.total + found[1].after.total
    assert found[-1].after.total == pytest.approx(total)
    assert np.array_equal(found[-1].data, found[0].data + found[1].data)


def test_control_region_data_reduces_the_uncertainty_of_zz(
    make_run: MakeRun, quick: FitConfig
) -> None:
    alone = replace(quick, regions=tuple(r for r in quick.regions if not r.is_control))
    with_control = _measured(lambda **k: make_run("with", **k), quick).best.error("norm_ZZ")
    without = _measured(lambda **k: make_run("without", **k), alone).best.error("norm_ZZ")
    assert with_control < 0.6 * without


def test_pulls_are_within_their_constraints(make_run: MakeRun, quick: FitConfig) -> None:
    found = _measured(make_run, quick)
    assert {"EG_SCALE_ALL", "MUON_EFF", "luminosity"} <= {pull.name for pull in found.pulls}
    assert all(abs(pull.pull) < 3.0 and pull.constraint < 1.05 for pull in found.pulls)


def test_toys_give_p_values_with_intervals(make_run: MakeRun) -> None:
    found = _measured(make_run, demonstrator_config(), n_toys=20, strength=0.3).toys
    assert found is not None
    assert found.discovery is not None
    assert found.discovery.n_toys == found.goodness.n_toys == 20
    assert 0.0 <= found.goodness.low <= found.goodness.p_value <= found.goodness.high <= 1.0


def test_demonstrator_configuration_gives_every_result(make_run: MakeRun) -> None:
    processes = {
        name: {"role": role}
        for name, role in (
            ("data", "data"),
            ("Signal", "signal"),
            ("ZZ", "background"),
            ("Other", "background"),
        )
    }

    def rename(contents) -> None:
        for name in list(contents):
            folder, _, leaf = name.rpartition("/")
            for old, new in (("ggF", "Signal"), ("Zjets", "Other")):
                if leaf.startswith(old):
                    contents[f"{folder}/{leaf.replace(old, new)}"] = contents[name]

    found = _measured(
        make_run,
        demonstrator_config(),
        change=rename,
        processes=processes,
        variations=("scaleFactorUP", "scaleFactorDOWN", "EG_SCALE_m4lUP", "EG_SCALE_m4lDOWN"),
    )
    assert set(found.parameters) == {"mu", "norm_ZZ", "scaleFactor", "EG_SCALE_m4l"}
    assert len(found.regions[0].edges) == 35
    assert found.goodness is not None


def test_measure_strength_gives_the_same_as_the_whole(make_run: MakeRun, quick: FitConfig) -> None:
    run = read_run(make_run())
    with open_histograms(run) as histograms:
        preparation = prepare(run, histograms, quick)
    workspace = build_workspace(run, quick, preparation)
    alone = measure_strength(workspace, "mu", is_blinded=False)
    whole = measure(workspace, quick, preparation, is_blinded=False).strengths[0]
    assert alone.value == pytest.approx(whole.value, abs=1e-6)
    assert alone.observed == whole.observed


def test_workspace_of_other_regions_is_refused(make_run: MakeRun, quick: FitConfig) -> None:
    run = read_run(make_run())
    with open_histograms(run) as histograms:
        preparation = prepare(run, histograms, quick)
        other = prepare(run, histograms, demonstrator_config())
    workspace = build_workspace(run, quick, preparation)
    with pytest.raises(FitError, match="the workspace has channels"):
        measure(workspace, quick, other, is_blinded=False)


def test_workspace_built_blinded_is_not_taken_for_data(make_run: MakeRun, quick: FitConfig) -> None:
    run = read_run(make_run())
    with open_histograms(run) as histograms:
        blinded = prepare(run, histograms, quick, with_data=False)
        preparation = prepare(run, histograms, quick)
    workspace = build_workspace(run, quick, blinded)
    with pytest.raises(FitError, match="does not hold the run's data"):
        measure(workspace, quick, preparation, is_blinded=False)
