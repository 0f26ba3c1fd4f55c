"""Weights of leptons and of pile-up, by hand."""

from __future__ import annotations

import awkward as ak
import numpy as np
import pytest

from fourlep.corrections.efficiency import EfficiencyTool, PileupTool
from fourlep.corrections.flat import FlatLeptons
from fourlep.corrections.payload import read_payload
from fourlep.errors import ConfigError
from unit.corrections.leptons import leptons
from unit.corrections.payloads import flat_payload


def test_each_lepton_has_its_weight() -> None:
    tool = EfficiencyTool("muon", "isolation", flat_payload())
    weights = tool(leptons([[(20.0, 0.0), (30.0, 1.0)], []]), sys="ISO__1down")
    assert weights.tolist() == [[0.75, 0.75], []]


def test_weights_of_an_event_multiply_and_no_lepton_weighs_one() -> None:
    tool = EfficiencyTool("muon", "isolation", flat_payload())
    muons = leptons([[(20.0, 0.0), (30.0, 1.0)], [], [(9.0, 2.0)]])
    assert tool.of_events(FlatLeptons.of(muons), "nominal").tolist() == pytest.approx(
        [0.64, 1.0, 0.8]
    )


def test_leptons_that_were_not_read_weigh_one() -> None:
    tool = EfficiencyTool("muon", "isolation", flat_payload())
    assert tool.of_events(FlatLeptons.of(ak.Array([{}, {}])), "nominal").tolist() == [1.0, 1.0]


def test_weight_follows_the_bins_of_pt() -> None:
    tool = EfficiencyTool("electron", "identification", read_payload())
    weights = tool(leptons([[(7.0, 0.5), (15.0, -0.5), (35.0, 0.5)]]), sys=tool.systematics[0])
    assert weights.tolist() == [pytest.approx([1.030, 1.015, 1.008])]


def test_pileup_weighs_events() -> None:
    tool = PileupTool(flat_payload())
    assert tool(np.array([10.0, 40.0]), "PRW__1up").tolist() == [1.2, 1.2]
    assert tool.systematics == ("PRW__1up",)


def test_illustrative_pileup_shifts_the_mean_and_keeps_the_norm() -> None:
    interactions = np.random.default_rng(5).normal(23.7, 8.0, 200_000)
    weights = PileupTool(read_payload())(interactions, "PRW_DATASF__1up")
    assert weights.mean() == pytest.approx(1.0, abs=2e-3)
    assert np.average(interactions, weights=weights) == pytest.approx(23.7 * 1.03, rel=2e-3)


def test_unknown_variation_of_an_efficiency_is_refused() -> None:
    with pytest.raises(ConfigError, match="no systematic variation 'X'"):
        EfficiencyTool("muon", "isolation", flat_payload())(leptons([[]]), "X")


def test_unknown_variation_of_pileup_is_refused() -> None:
    with pytest.raises(ConfigError, match="no systematic variation 'X'"):
        PileupTool(flat_payload())(np.ones(1), "X")
