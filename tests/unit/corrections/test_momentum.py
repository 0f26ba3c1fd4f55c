"""Scale and resolution, by hand and by their properties."""

from __future__ import annotations

import awkward as ak
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fourlep.corrections.momentum import MomentumTool
from fourlep.corrections.noise import LIMIT, mixed, normal, with_seeds
from fourlep.corrections.payload import read_payload
from fourlep.errors import ConfigError
from unit.corrections.leptons import events, flat, leptons
from unit.corrections.payloads import correction, flat_payload, payload

SOME = [[(20.0, 0.1), (30.0, 2.0)], [], [(7.0, -1.4)]]


def test_scale_multiplies_pt_and_leaves_the_rest() -> None:
    electrons = leptons(SOME)
    corrected = MomentumTool("electron", flat_payload())(electrons, sys="E__1up")
    assert flat(corrected.pt) == pytest.approx([20.4, 30.6, 7.14])
    for name in ("eta", "phi", "mass", "charge"):
        assert ak.all(corrected[name] == electrons[name])
    assert ak.num(corrected).tolist() == [2, 0, 1]
    assert ak.parameters(corrected) == ak.parameters(electrons)


def test_nominal_correction_is_applied_without_a_variation() -> None:
    corrected = MomentumTool("electron", flat_payload())(leptons(SOME))
    assert flat(corrected.pt) == pytest.approx([20.2, 30.3, 7.07])


def test_variation_of_resolution_keeps_the_nominal_scale() -> None:
    seeded = with_seeds(events(SOME)).electrons
    corrected = MomentumTool("electron", flat_payload())(seeded, sys="ERES__1up")
    noise = normal(np.asarray(ak.flatten(seeded.seed)))
    assert flat(corrected.pt) == pytest.approx(np.array([20.2, 30.3, 7.07]) * (1 + 0.01 * noise))


def test_leptons_are_smeared_beside_others_of_perfect_resolution() -> None:
    above_25 = {"nodetype": "binning", "input": "pt", "edges": [0.0, 25.0, 99.0], "flow": "clamp"}
    stepped = correction("electron_resolution", {"nominal": {**above_25, "content": [0.0, 0.01]}})
    seeded = with_seeds(events(SOME)).electrons
    corrected = MomentumTool("electron", payload(stepped))(seeded)
    noise = normal(np.asarray(ak.flatten(seeded.seed)))
    assert flat(corrected.pt) == pytest.approx([20.0, 30.0 * (1 + 0.01 * noise[1]), 7.0])


def test_neutral_correction_returns_the_same_bits() -> None:
    electrons = leptons([[(0.1 + 0.2, 0.3)], [(1e-3, 1.0), (7e3, 2.4)]])
    assert flat(MomentumTool("electron", read_payload())(electrons).pt) == flat(electrons.pt)


def test_change_is_limited() -> None:
    wild = payload(correction("muon_scale", {"nominal": 1.0, "M__1up": 1.5, "M__1down": 0.0}))
    tool = MomentumTool("muon", wild, largest_change=0.1)
    muons = leptons([[(10.0, 0.0)]])
    assert flat(tool(muons, "M__1up").pt) == pytest.approx([11.0])
    assert flat(tool(muons, "M__1down").pt) == pytest.approx([9.0])


def test_unknown_variation_is_refused_with_those_there_are() -> None:
    tool = MomentumTool("electron", flat_payload())
    with pytest.raises(ConfigError, match="no systematic variation 'X'") as error:
        tool(leptons(SOME), sys="X")
    assert "E__1up, E__1down, ERES__1up" in error.value.remedy


def test_smearing_without_seeds_is_refused() -> None:
    with pytest.raises(ConfigError, match="have no seed"):
        MomentumTool("electron", flat_payload())(leptons(SOME), sys="ERES__1up")


def test_leptons_that_were_not_read_stay_absent() -> None:
    nothing = ak.Array([{}, {}])
    assert MomentumTool("muon", flat_payload())(nothing) is nothing


def test_systematics_list_scale_then_resolution() -> None:
    assert MomentumTool("muon", read_payload()).systematics == (
        *("MUON_SCALE__1up", "MUON_SCALE__1down"),
        *("MUON_ID__1up", "MUON_MS__1up"),
    )


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.lists(st.tuples(st.floats(5, 200), st.floats(-2.4, 2.4)), max_size=4), min_size=1),
    st.data(),
)
def test_smearing_does_not_depend_on_how_events_are_cut(
    listed: list[list[tuple[float, float]]], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(listed)))
    whole = events(listed)
    tool = MomentumTool("electron", read_payload())
    parts = [
        tool(with_seeds(whole[part]).electrons, "EG_RESOLUTION_ALL__1up").pt.tolist()
        for part in (slice(0, cut), slice(cut, None))
    ]
    together = tool(with_seeds(whole).electrons, "EG_RESOLUTION_ALL__1up").pt.tolist()
    assert parts[0] + parts[1] == together


def test_smearing_differs_between_flavours_positions_events_runs_and_datasets() -> None:
    pair = [[(20.0, 0.0), (20.0, 0.0)]] * 2
    plain = events(pair, pair)
    others = [events(pair, pair, run=[1, 1]), events(pair, pair, dsid=[7, 7])]
    seeds = [
        int(seed)
        for some in (plain, *others)
        for collection in (with_seeds(some).electrons, with_seeds(some).muons)
        for seed in ak.flatten(collection.seed)
    ]
    assert len(set(seeds)) == len(seeds) == 24


def test_noise_is_standard_normal() -> None:
    noise = normal(mixed(np.arange(200_000, dtype=np.uint64)))
    assert stats.kstest(noise, "norm").pvalue > 0.01
    assert abs(np.corrcoef(noise[:-1], noise[1:])[0, 1]) < 0.01
    assert np.abs(noise).max() <= LIMIT


def test_smearing_has_the_width_of_the_payload() -> None:
    many = events([[(50.0, 0.3)]] * 40_000)
    tool = MomentumTool("electron", flat_payload())
    ratio = np.asarray(flat(tool(with_seeds(many).electrons, "ERES__1up").pt)) / 50.5
    assert ratio.std() == pytest.approx(0.01, rel=0.02)
    assert ratio.mean() == pytest.approx(1.0, abs=2e-4)
