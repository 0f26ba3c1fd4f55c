"""Generator weights."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fourlep.synth.parameters import parameters
from fourlep.synth.sample import stratum_weights
from fourlep.synth.truth import four_lepton_share
from fourlep.synth.weights import signs, variations

BY_NAME = {process.name: process for process in parameters().process}


def test_the_first_weight_is_the_nominal_one_with_its_sign() -> None:
    nominal = np.array([28.3, -28.3])
    made = variations(np.random.default_rng(1), nominal, 300)
    assert made.shape == (2, 300)
    assert made[:, 0].tolist() == nominal.astype(np.float32).tolist()


def test_scales_vary_in_opposite_pairs_and_parton_densities_by_a_hundredth() -> None:
    made = variations(np.random.default_rng(1), np.ones(5000), 300)
    mean = made.mean(axis=0) - 1.0
    assert mean[1:9] == pytest.approx(
        [0.08, -0.08, 0.05, -0.05, 0.04, -0.04, 0.02, -0.02], abs=3e-3
    )
    assert np.abs(mean[9:]).max() < 0.0105
    assert np.all(made > 0.0)


@pytest.mark.parametrize("number", [1, 5, 300])
def test_an_event_has_as_many_weights_as_asked_for(number: int) -> None:
    made = variations(np.random.default_rng(1), np.ones(3), number)
    assert made.shape == (3, number)


def test_the_share_of_negative_weights_is_as_requested() -> None:
    drawn = signs(np.random.default_rng(1), 20_000, 0.17)
    assert stats.binomtest(int(np.sum(drawn < 0)), 20_000, 0.17).pvalue > 1e-3


@pytest.mark.parametrize("name", ["Zjets", "ttbar"])
def test_weights_of_both_kinds_of_events_restore_their_shares(name: str) -> None:
    process = BY_NAME[name]
    four, filler = stratum_weights(process, 300, 700)
    total = 300 * four + 700 * filler
    assert total == pytest.approx(1000 * process.weight)
    assert 300 * four / total == pytest.approx(four_lepton_share(process))


def test_without_filler_all_weights_are_equal() -> None:
    assert stratum_weights(BY_NAME["ggF"], 100, 0) == (28.3, 0.0)
