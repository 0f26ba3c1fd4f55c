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


def test_scales_vary_by_tenths_and_parton_densities_by_hundredths() -> None:
    made = variations(np.random.default_rng(1), np.ones(5000), 300)
    spread = np.abs(made - 1.0).max(axis=0)
    assert spread[1:9].max() > 0.05
    assert spread[9:].max() < 0.06
    assert np.all(made > 0.0)


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
