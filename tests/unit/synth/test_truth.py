"""Generated events: leptons, origins and shares by process."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from fourlep.errors import ConfigError
from fourlep.synth import truth
from fourlep.synth.parameters import ProcessParameters, parameters

VALUES = parameters()
BY_NAME = {process.name: process for process in VALUES.process}
LEVEL = 1e-3


def rng(seed: int = 11) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("process", VALUES.process, ids=lambda p: p.name)
def test_every_event_of_every_process_has_four_leptons(process: ProcessParameters) -> None:
    made = truth.generate(rng(), process, 500, VALUES)
    counts = np.bincount(made.event, minlength=500)
    assert counts.min() >= 4
    assert np.all(np.diff(made.event) >= 0)
    assert set(np.unique(made.charge)) == {-1, 1}


@pytest.mark.parametrize("name", ["Zjets", "ttbar"])
def test_filler_events_have_fewer_than_four_leptons(name: str) -> None:
    made = truth.generate_filler(rng(), BY_NAME[name], 2000, VALUES)
    assert np.bincount(made.event, minlength=2000).max() <= 3


def test_higgs_events_have_two_pairs_of_opposite_charge_and_equal_flavour() -> None:
    made = truth.generate(rng(), BY_NAME["ggF"], 500, VALUES)
    charge, is_muon = made.charge.reshape(-1, 2), made.is_muon.reshape(-1, 2)
    assert np.all(charge.sum(axis=1) == 0)
    assert np.all(is_muon[:, 0] == is_muon[:, 1])


def test_flavours_are_equally_frequent() -> None:
    made = truth.generate(rng(), BY_NAME["ggF"], 20_000, VALUES)
    pairs = made.is_muon.reshape(-1, 4)[:, ::2]
    observed = np.bincount(pairs @ np.array([1, 2]), minlength=4)
    assert stats.chisquare(observed).pvalue > LEVEL


def test_further_leptons_of_associated_production_have_their_probability() -> None:
    size = 20_000
    for name, leptons, probability in (("WH", 1, 0.216), ("ZH", 2, 0.067)):
        made = truth.generate(rng(), BY_NAME[name], size, VALUES)
        extra = np.bincount(made.event, minlength=size) - 4
        assert set(np.unique(extra)) == {0, leptons}
        events = int(np.sum(extra > 0))
        assert stats.binomtest(events, size, probability).pvalue > LEVEL


def test_numbers_of_leptons_from_jets_are_poisson_above_two() -> None:
    process = replace(BY_NAME["Zjets"], nonprompt_rate=1.5)
    made = truth.generate(rng(), process, 20_000, VALUES)
    number = np.bincount(made.event, weights=made.origin != truth.PROMPT).astype(int)
    values = np.arange(2, 8)
    observed = np.array([*(np.sum(number == v) for v in values[:-1]), np.sum(number >= 7)])
    expected = np.array([*stats.poisson.pmf(values[:-1], 1.5), stats.poisson.sf(6, 1.5)])
    expected *= observed.sum() / expected.sum()
    assert stats.chisquare(observed, expected).pvalue > LEVEL


@pytest.mark.parametrize("rate", [1e-4, 8e-3, 0.5])
def test_the_share_of_four_lepton_events_is_that_of_a_poisson_distribution(rate: float) -> None:
    process = replace(BY_NAME["Zjets"], nonprompt_rate=rate)
    assert truth.four_lepton_share(process) == pytest.approx(stats.poisson.sf(1, rate), rel=1e-9)


def test_a_process_with_prompt_leptons_needs_none_from_jets() -> None:
    assert truth.four_lepton_share(BY_NAME["ttV"]) == 1.0


def test_taking_events_keeps_their_leptons_together() -> None:
    made = truth.generate(rng(), BY_NAME["WH"], 50, VALUES)
    order = np.array([40, 3, 17])
    taken = made.take(order)
    for new, old in enumerate(order):
        assert taken.pt[taken.event == new].tolist() == made.pt[made.event == old].tolist()
        assert taken.m4l[new] == made.m4l[old]


def test_joined_samples_follow_one_another() -> None:
    parts = [truth.generate(rng(s), BY_NAME["ggF"], n, VALUES) for s, n in ((1, 2), (2, 3))]
    both = truth.joined(parts)
    assert both.n_events == 5
    assert both.event.tolist() == sorted(both.event.tolist())
    assert both.m4l.tolist() == [*parts[0].m4l, *parts[1].m4l]


def test_an_unknown_process_is_refused_with_the_choice() -> None:
    with pytest.raises(ConfigError, match="unknown process 'Hgg'") as caught:
        VALUES.chosen(("ggF", "Hgg"))
    assert "ggF, VBF, WH, ZH, ttH, ZZ" in caught.value.remedy


def test_processes_are_chosen_once_in_the_order_given() -> None:
    assert [p.name for p in VALUES.chosen(("ZZ", "ggF", "ZZ"))] == ["ZZ", "ggF"]
