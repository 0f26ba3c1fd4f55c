"""All tools together, as a chunk uses them."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import awkward as ak
import numpy as np
import pytest

from fourlep.config.toml import read_config
from fourlep.corrections import Calibration, CorrectionsConfig, make_corrections
from fourlep.corrections.efficiency import EfficiencyTool, PileupTool
from fourlep.corrections.momentum import MomentumTool
from fourlep.corrections.theory import TheoryTool, WeightFamily
from fourlep.errors import ConfigError
from fourlep.events import Events
from unit.corrections.leptons import events, flat
from unit.corrections.payloads import content, correction, flat_payload


def calibration() -> Calibration:
    numbers = flat_payload()
    return Calibration(
        kinematic=(MomentumTool("electron", numbers), MomentumTool("muon", numbers)),
        efficiencies=(
            EfficiencyTool("electron", "identification", numbers),
            EfficiencyTool("muon", "isolation", numbers),
        ),
        pileup=PileupTool(numbers),
        largest_pt_change=0.05,
    )


def two_and_two() -> Events:
    return events(
        [[(20.0, 0.0), (30.0, 0.0)], []],
        [[(40.0, 0.0)], [(50.0, 0.0), (60.0, 0.0)]],
        pileup=[20.0, 30.0],
    )


def test_kinematic_and_weight_variations_are_apart() -> None:
    tools = calibration()
    assert tools.kinematic_variations == ("E__1up", "E__1down", "ERES__1up", "M__1up")
    assert tools.weight_variations == ("ID__1up", "ISO__1up", "ISO__1down", "PRW__1up")
    assert tools.columns == ("event.pileup",)


def test_a_variation_of_one_flavour_leaves_the_other_nominal() -> None:
    corrected = calibration().apply(two_and_two(), ("M__1up",))
    assert flat(corrected.electrons.pt) == pytest.approx([20.2, 30.3])
    assert flat(corrected.muons.pt) == pytest.approx([40.04, 50.05, 60.06])


def test_variations_come_one_after_the_other() -> None:
    some = replace(
        two_and_two(),
        event={**two_and_two().event, "generator_weights": np.ones((2, 5))},
    )
    tools = calibration()
    names = ("nominal", *tools.kinematic_variations)
    together = tools.apply(some, names)
    assert len(together) == 2 * len(names)
    for number, name in enumerate(names):
        part = together[slice(2 * number, 2 * number + 2)]
        alone = tools.apply(some, (name,))
        assert part.electrons.tolist() == alone.electrons.tolist()
        assert part.muons.tolist() == alone.muons.tolist()
        assert part.entry.tolist() == some.entry.tolist()
    assert "generator_weights" not in together.event


def test_events_that_are_corrected_are_left_as_they_were() -> None:
    some = two_and_two()
    before = some.electrons.tolist()
    calibration().apply(some, ("E__1up",))
    assert some.electrons.tolist() == before


def test_factors_multiply_over_leptons_and_tools() -> None:
    factors = calibration().weights(two_and_two(), ("nominal", "ID__1up", "ISO__1up", "PRW__1up"))
    nominal = [0.9**2 * 0.8 * 1.1, 0.8**2 * 1.1]
    assert factors[0].tolist() == pytest.approx(nominal)
    assert factors[1].tolist() == pytest.approx([0.95**2 * 0.8 * 1.1, nominal[1]])
    assert factors[2].tolist() == pytest.approx([0.9**2 * 0.85 * 1.1, 0.85**2 * 1.1])
    assert factors[3].tolist() == pytest.approx([nominal[0] / 1.1 * 1.2, nominal[1] / 1.1 * 1.2])


def test_theory_varies_the_weight_beside_the_tools() -> None:
    family = WeightFamily("X", dsids=(345060,), n_weights=3, pairs=(("MUR", 1, 2),))
    some = events([[(20.0, 0.0)]], generator_weights=[[2.0, 2.2, 1.8]])
    tools = replace(calibration(), theory=TheoryTool((family,)))
    factors = tools.weights(some, ("nominal", "THEORY_X_MUR__1up", "ID__1up"))
    assert factors[:, 0].tolist() == pytest.approx([0.9, 0.9 * 1.1, 0.95])


def test_without_pileup_in_the_file_its_weight_is_left_out() -> None:
    some = events([[(20.0, 0.0)]])
    assert calibration().weights(some, ("nominal", "PRW__1up")).tolist() == [[0.9], [0.9]]


def test_no_events_give_no_factors() -> None:
    none = events([[(20.0, 0.0)]], pileup=[3.0])[np.zeros(1, dtype=bool)]
    tools = make_corrections()
    assert tools.weights(none, ("nominal",)).shape == (1, 0)
    assert len(tools.apply(none, ("EG_RESOLUTION_ALL__1up",))) == 0


def test_unknown_kinematic_variation_is_refused() -> None:
    with pytest.raises(ConfigError, match="no variation 'ID__1up'"):
        calibration().apply(two_and_two(), ("ID__1up",))


def test_unknown_weight_variation_is_refused() -> None:
    with pytest.raises(ConfigError, match="no variation 'E__1up'"):
        calibration().weights(two_and_two(), ("nominal", "E__1up"))


def test_excluded_variations_are_not_offered() -> None:
    tools = replace(calibration(), excluded=("E__1down", "PRW__1up"))
    assert "E__1down" not in tools.kinematic_variations
    assert "PRW__1up" not in tools.weight_variations
    with pytest.raises(ConfigError):
        tools.apply(two_and_two(), ("E__1down",))


def test_calibration_is_the_same_after_travelling() -> None:
    tools = make_corrections(is_synthetic=True)
    again = pickle.loads(pickle.dumps(tools))
    assert again == tools
    some = two_and_two()
    varied = tools.apply(some, ("MUON_MS__1up",)), again.apply(some, ("MUON_MS__1up",))
    assert flat(varied[0].muons.pt) == flat(varied[1].muons.pt)


def test_default_corrections_are_neutral_and_offer_more_than_thirty_variations() -> None:
    tools = make_corrections(is_synthetic=True)
    some = two_and_two()
    corrected = tools.apply(some, ("nominal",))
    assert flat(corrected.electrons.pt) == flat(some.electrons.pt)
    assert tools.weights(some, ("nominal",)).tolist() == [[1.0, 1.0]]
    assert len(tools.kinematic_variations) + len(tools.weight_variations) > 30


def test_loosened_thresholds_lose_no_event_of_any_variation() -> None:
    from fourlep.events import Cascade, Cut

    tools = make_corrections()
    pt = np.linspace(6.0, 8.0, 400)
    some = events([[(value, 1.45)] for value in pt])
    strict = Cascade((Cut("electron.pt", "gt", 7.0),), (), ((1, 0),))
    loose = strict.loosened(tools.largest_pt_change).keeps(some)
    for variation in ("nominal", *tools.kinematic_variations):
        kept = strict.keeps(tools.apply(some, (variation,)))
        assert not np.any(kept & ~loose)
    assert not loose.all()


def configured(tmp_path: Path, text: str) -> CorrectionsConfig:
    path = tmp_path / "c.toml"
    path.write_text(text)
    settings = read_config(path, {"corrections": CorrectionsConfig})["corrections"]
    assert isinstance(settings, CorrectionsConfig)
    return settings


def test_a_sites_own_payload_comes_from_the_configuration(tmp_path: Path) -> None:
    mine = tmp_path / "mine.json"
    mine.write_bytes(content(correction("electron_scale", {"nominal": 1.0, "MINE__1up": 1.01})))
    settings = configured(
        tmp_path, f'[corrections]\npayload = "{mine}"\ntheory = "none"\nlargest_pt_change = 0.02'
    )
    tools = make_corrections(settings)
    assert tools.kinematic_variations == ("MINE__1up",)
    assert tools.weight_variations == ()
    assert tools.largest_pt_change == 0.02


def test_no_payload_and_no_table_change_nothing() -> None:
    tools = make_corrections(CorrectionsConfig(payload="none", theory="none"))
    assert tools == Calibration()
    some = two_and_two()
    assert ak.all(tools.apply(some, ("nominal",)).muons.pt == some.muons.pt)


def test_excluding_what_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match="there is no variation 'EG_SCALE'"):
        make_corrections(CorrectionsConfig(exclude=("EG_SCALE",)))


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_impossible_limit_is_refused(tmp_path: Path, share: float) -> None:
    with pytest.raises(ConfigError, match="largest_pt_change"):
        configured(tmp_path, f"[corrections]\nlargest_pt_change = {share}")
