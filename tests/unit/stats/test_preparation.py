"""From histograms to templates: what is refused, what is mended, and that it is written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from fourlep.errors import FitError
from fourlep.stats.config import FitConfig, FitRegion, fourlepton_config
from fourlep.stats.preparation import Preparation, PreparedRegion, Sample, prepare
from fourlep.stats.run_directory import open_histograms, read_run
from unit.stats.conftest import CHANNELS, EDGES, MakeRun

ONE = FitConfig((FitRegion("4e", "4e", low=105.0, high=160.0),))
Bin = slice


def _prepare(
    make_run: MakeRun,
    config: FitConfig = ONE,
    change: Callable[..., None] | None = None,
    **options,
) -> Preparation:
    run = read_run(make_run(**({"change": change} if change else {})))
    with open_histograms(run) as histograms:
        return prepare(run, histograms, config, **options)


def _sample(region: PreparedRegion, process: str) -> Sample:
    return next(sample for sample in region.samples if sample.process == process)


def _bin(m4l: float) -> int:
    return int(np.searchsorted(EDGES, m4l, side="right")) - 1


def test_templates_are_the_histograms_in_the_range(make_run: MakeRun) -> None:
    region = _prepare(make_run).regions[0]
    assert region.edges.tolist() == np.linspace(105, 160, 23).tolist()
    assert [sample.process for sample in region.samples] == ["ggF", "VBF", "ZZ", "Zjets"]
    assert region.data is not None
    assert region.data.sum() > 0


def test_simulation_is_scaled_and_data_is_not(make_run: MakeRun) -> None:
    full = _prepare(make_run).regions[0]
    half = _prepare(lambda **k: make_run("half", **k), scale=0.5).regions[0]
    assert half.expected == pytest.approx(0.5 * full.expected)
    assert np.array_equal(half.data, full.data)


def test_without_data_nothing_observed_is_read(make_run: MakeRun) -> None:
    def forbid(contents) -> None:
        contents["4e/all/m4l/data"][0][:] = np.nan  # reading it would be an error

    assert _prepare(make_run, change=forbid, with_data=False).regions[0].data is None


def test_bins_are_merged_to_the_width_asked_for(make_run: MakeRun) -> None:
    config = FitConfig((replace(ONE.regions[0], bin_width=5.0),))
    assert np.diff(_prepare(make_run, config).regions[0].edges) == pytest.approx(5.0)


def test_bins_with_too_little_simulated_background_are_merged(make_run: MakeRun) -> None:
    # 22 bins of one background: 4 events of weight 1 in the first, 1 in each of the others.
    def poor(contents) -> None:
        for name in [name for name in contents if name.startswith("4e/all/m4l/Zjets")]:
            contents[name][0][:], contents[name][1][:] = 0.0, 0.0
        events = np.ones(len(EDGES) - 1)
        events[_bin(105.0)] = 4.0
        contents["4e/all/m4l/ZZ"] = (events, events)

    config = replace(ONE, largest_background_error=0.5)
    found = _prepare(make_run, config, poor)
    # 4 events are known to a half: the first bin stands alone, then four by four; the last,
    # of one more, takes what is left.
    assert found.regions[0].edges.tolist() == [105, 107.5, 117.5, 127.5, 137.5, 147.5, 160]
    assert any(item.kind == "merged bins" for item in found.treatments)
    assert len(_prepare(lambda **k: make_run("all", **k), ONE, poor).regions[0].edges) == 23


def test_a_bin_without_simulated_background_is_merged_and_not_taken_for_known(
    make_run: MakeRun,
) -> None:
    def poor(contents) -> None:
        for name in [name for name in contents if name.startswith("4e/all/m4l/Z")]:
            contents[name][0][:], contents[name][1][:] = 0.0, 0.0
            for m4l in (105.0, 140.0) if "/ZZ" in name else ():
                contents[name][0][_bin(m4l)] = contents[name][1][_bin(m4l)] = 4.0

    config = replace(ONE, largest_background_error=0.5)
    assert _prepare(make_run, config, poor).regions[0].edges.tolist() == [105, 107.5, 160]


def test_without_background_processes_nothing_is_merged_for_their_sake(make_run: MakeRun) -> None:
    peak = FitConfig((FitRegion("4e", "4e", low=115.0, high=135.0),), leave_out=("ZZ", "Zjets"))
    config = replace(peak, largest_background_error=0.5)
    assert len(_prepare(make_run, config).regions[0].edges) == 9


def test_negative_total_is_refused_with_what_to_do(make_run: MakeRun) -> None:
    def negative(contents) -> None:
        contents["4e/all/m4l/Zjets"][0][:] = -0.1

    with pytest.raises(FitError, match=r"Zjets has a negative total of -2\.2 events") as caught:
        _prepare(make_run, change=negative)
    assert "leave_out" in caught.value.remedy


def test_process_left_out_is_not_looked_at(make_run: MakeRun) -> None:
    def negative(contents) -> None:
        contents["4e/all/m4l/Zjets"][0][:] = -0.1

    config = replace(ONE, leave_out=("Zjets",))
    region = _prepare(make_run, config, negative).regions[0]
    assert [sample.process for sample in region.samples] == ["ggF", "VBF", "ZZ"]


def test_empty_region_is_refused_with_what_to_do(make_run: MakeRun) -> None:
    def empty(contents) -> None:
        for name in contents:
            if name.startswith("4e/"):
                contents[name][0][:] = 0.0

    with pytest.raises(FitError, match="region 4e is empty") as caught:
        _prepare(make_run, change=empty)
    assert "widen" in caught.value.remedy


def test_missing_variation_is_refused_by_name(make_run: MakeRun) -> None:
    def drop(contents) -> None:
        del contents["4e/all/m4l/ZZ_EG_SCALE_ALL__1down"]

    with pytest.raises(FitError, match="lacks 4e/all/m4l/ZZ_EG_SCALE_ALL__1down"):
        _prepare(make_run, change=drop)


def test_variations_that_a_run_keeps_in_the_region_of_everything_alone_are_told(
    make_run: MakeRun,
) -> None:
    def add(contents) -> None:
        contents |= {name.replace("m4l", "m12"): values for name, values in contents.items()}
        for name in ("ggF", "VBF", "ZZ", "Zjets", "data"):
            contents[f"4e/signal/m12/{name}"] = contents[f"4e/all/m4l/{name}"]

    pairs = FitConfig((FitRegion("pairs", "4e", "signal", "m12", low=105.0, high=160.0),))
    with pytest.raises(FitError, match="m12 in the region 'signal' has no variations") as caught:
        _prepare(make_run, pairs, change=add)
    assert "fit it in the region 'all'" in caught.value.remedy


def test_variation_that_the_run_does_not_have_is_refused(make_run: MakeRun) -> None:
    with pytest.raises(FitError, match="no variation PILEUP") as caught:
        _prepare(make_run, replace(ONE, variations=("PILEUP",)))
    assert "EG_SCALE_ALL" in caught.value.remedy


def test_variation_that_leaves_nothing_is_refused(make_run: MakeRun) -> None:
    def vanish(contents) -> None:
        contents["4e/all/m4l/ZZ_MUON_EFF__1up"][0][:] = 0.0

    with pytest.raises(FitError, match="MUON_EFF__1up of ZZ leaves 0 events"):
        _prepare(make_run, change=vanish)


def test_variation_that_moves_a_single_simulated_event_out_is_dropped_and_recorded(
    make_run: MakeRun,
) -> None:
    def single(contents) -> None:
        for name in contents:
            if name.startswith("4e/all/m4l/Zjets"):
                contents[name][0][:], contents[name][1][:] = 0.0, 0.0
                if not name.endswith("MUON_EFF__1up"):
                    contents[name][0][_bin(125.0)], contents[name][1][_bin(125.0)] = 0.5, 0.25

    found = _prepare(make_run, change=single)
    (sample,) = (s for s in found.regions[0].samples if s.process == "Zjets")
    assert "MUON_EFF" not in {effect.variation for effect in sample.effects}
    assert ("Zjets", "MUON_EFF") in {
        (t.process, t.variation) for t in found.treatments if t.kind == "too few events"
    }


def test_run_without_signal_is_refused(make_run: MakeRun) -> None:
    with pytest.raises(FitError, match="no signal process"):
        _prepare(make_run, replace(ONE, leave_out=("ggF", "VBF")))


def test_weighted_data_is_refused(make_run: MakeRun) -> None:
    def weigh(contents) -> None:
        contents["4e/all/m4l/data"][0][_bin(125.0)] = 1.5

    with pytest.raises(FitError, match="no event counts"):
        _prepare(make_run, change=weigh)


def test_negative_bin_becomes_zero_the_total_stays_and_it_is_recorded(make_run: MakeRun) -> None:
    def dip(contents) -> None:
        contents["4e/all/m4l/ZZ"][0][_bin(125.0)] = -0.05

    found = _prepare(make_run, change=dip)
    template = _sample(found.regions[0], "ZZ").nominal
    within = (EDGES[:-1] >= 105) & (EDGES[1:] <= 160)
    assert template.values[_bin(125.0) - _bin(105.0)] == 0.0
    plain = 0.5 * 0.25 * (within.sum() - 1) - 0.05
    assert template.total == pytest.approx(plain, rel=1e-2)
    entry = next(item for item in found.treatments if item.kind == "negative bins")
    assert (entry.region, entry.process) == ("4e", "ZZ")
    assert entry.detail == "[125, 127.5): -0.05"


def test_process_without_events_is_left_out_and_recorded(make_run: MakeRun) -> None:
    def vanish(contents) -> None:
        contents["4e/all/m4l/VBF"][0][:] = 0.0

    found = _prepare(make_run, change=vanish)
    assert "VBF" not in [sample.process for sample in found.regions[0].samples]
    assert [item.process for item in found.treatments if item.kind == "no events"] == ["VBF"]


def test_bin_that_expects_nothing_is_merged_in_every_channel_alike(make_run: MakeRun) -> None:
    def hole(contents) -> None:
        for name, (values, _) in contents.items():
            if name.startswith("4e/") and not name.endswith("/data"):
                values[_bin(140.0)] = 0.0

    found = _prepare(make_run, fourlepton_config(), hole)
    channels = [region for region in found.regions if not region.region.is_control]
    for region in channels:
        assert 142.5 not in region.edges
        assert len(region.edges) == 22
    entry = next(item for item in found.treatments if item.kind == "merged bins")
    assert entry.detail == "edges removed: 142.5"
    assert set(entry.region.split("+")) == set(CHANNELS)


def test_last_bin_without_expectation_joins_the_one_before(make_run: MakeRun) -> None:
    def hole(contents) -> None:
        for name, (values, _) in contents.items():
            if name.startswith("4e/") and not name.endswith("/data"):
                values[_bin(158.0)] = 0.0

    assert _prepare(make_run, change=hole).regions[0].edges[-2:].tolist() == [155.0, 160.0]


def test_variation_without_effect_is_dropped_and_recorded(make_run: MakeRun) -> None:
    found = _prepare(make_run)
    # muon efficiency does nothing to four electrons
    assert [e.variation for e in _sample(found.regions[0], "ZZ").effects] == ["EG_SCALE_ALL"]
    pruned = [item for item in found.treatments if item.kind == "pruned"]
    assert {item.variation for item in pruned} == {"MUON_EFF", "EG_SCALE_ALL"}


def test_small_shape_is_pruned_and_the_rate_kept(make_run: MakeRun) -> None:
    muons = FitConfig((replace(ONE.regions[0], name="4mu", channel="4mu"),), prune_shape=0.01)
    effect = _sample(_prepare(make_run, muons).regions[0], "ZZ").effects[0]
    assert (effect.variation, effect.has_shape) == ("MUON_EFF", False)


def test_small_rate_is_pruned_and_the_shape_kept(make_run: MakeRun) -> None:
    region = _prepare(make_run, replace(ONE, prune_rate=0.05)).regions[0]
    sample = _sample(region, "ggF")
    assert sample.effects[0].up.total == pytest.approx(sample.nominal.total)
    assert sample.effects[0].has_shape


@pytest.mark.parametrize("side", ["up", "down"])
def test_smoothing_keeps_totals_and_makes_the_ratio_smoother(make_run: MakeRun, side: str) -> None:
    rng = np.random.default_rng(4)

    def jitter(contents) -> None:
        values = contents[f"4e/all/m4l/ZZ_EG_SCALE_ALL__1{side}"][0]
        values *= rng.normal(1.0, 0.1, len(values))

    def roughness(preparation: Preparation) -> tuple[float, float]:
        sample = _sample(preparation.regions[0], "ZZ")
        varied = getattr(sample.effects[0], side)
        ratio = varied.values / sample.nominal.values
        return float(np.abs(np.diff(ratio)).mean()), varied.total

    rng_state = rng.bit_generator.state
    raw = _prepare(lambda **k: make_run("raw", **k), change=jitter)
    rng.bit_generator.state = rng_state
    smooth = _prepare(
        lambda **k: make_run("smooth", **k), replace(ONE, smoothing="353QH"), change=jitter
    )
    assert roughness(smooth)[0] < 0.5 * roughness(raw)[0]
    assert roughness(smooth)[1] == pytest.approx(roughness(raw)[1])
    assert any(item.kind == "smoothed" for item in smooth.treatments)


def test_smoothing_leaves_a_one_sided_variation_one_sided(make_run: MakeRun) -> None:
    prepared = _prepare(
        lambda **k: make_run(variations=("EG_SCALE_ALL__1up",), **k),
        replace(ONE, smoothing="353QH"),
    )
    effects = [effect for sample in prepared.regions[0].samples for effect in sample.effects]
    assert effects
    assert all(effect.down is None for effect in effects)
