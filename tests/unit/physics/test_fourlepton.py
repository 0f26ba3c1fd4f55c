"""The full selection, requirement by requirement."""

import math

import numpy as np
import pytest

from fourlep.datasets.good_runs import GoodRuns
from fourlep.errors import CorruptFileError
from fourlep.physics.fourlepton import Fourlepton, FourleptonConfig
from fourlep.physics.fourlepton.config import QuadrupletConfig
from fourlep.physics.fourlepton.quadruplets import m34_minimum
from hand_made import HALF_Z, Electron, Muon, changed, events_of, pair, reference

SELECTION = Fourlepton()
NAMES = [requirement.name for requirement in SELECTION.requirements]


def _removed_by(event: list, config: FourleptonConfig | None = None, **options) -> str:
    """Name of the requirement that removes the event; "" if it is kept."""
    selection = Fourlepton(config) if config else SELECTION
    left = selection.select(events_of(event, **options)).passed[:, -1, 0]
    return "" if left.all() else NAMES[int(np.argmin(left))]


def _candidates(*events: list):
    return SELECTION.select(events_of(*events)).candidates


@pytest.mark.parametrize(
    ("event", "channel"),
    [
        (reference(Electron), "4e"),
        (reference(Muon), "4mu"),
        (reference(Electron, Muon), "2e2mu"),
        (reference(Muon, Electron), "2e2mu"),
    ],
)
def test_the_reference_event_is_kept_in_its_channel(event: list, channel: str) -> None:
    candidates = _candidates(event)
    assert SELECTION.channels[candidates.channel[0]] == channel
    masses = [candidates.observables[name][0] for name in ("m4l", "m12", "m34")]
    assert masses == pytest.approx([121.188, 91.188, 30.0])


def test_after_the_last_requirement_an_event_is_in_one_channel() -> None:
    passed = SELECTION.select(events_of([*reference(Electron), *reference(Muon)])).passed
    assert passed[-2, :-1, 0].sum() == 3
    assert passed[-1, :-1, 0].tolist() == [False, True, False]


# Leptons.


@pytest.mark.parametrize(
    "change", [{"pt": 7.0}, {"eta": 2.47}, {"eta": -2.6}, {"is_loose": False}, {"pt": 6.9}]
)
def test_an_electron_that_misses_identification_or_acceptance_does_not_count(change: dict) -> None:
    assert _removed_by(changed(reference(Electron), 3, **change)) == "counting"


@pytest.mark.parametrize("change", [{"pt": 5.0}, {"eta": 2.7}, {"quality": 3}])
def test_a_muon_that_misses_identification_or_acceptance_does_not_count(change: dict) -> None:
    assert _removed_by(changed(reference(Muon), 3, **change)) == "counting"


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (Electron, {"pt": 7.01}),
        (Electron, {"eta": 2.469}),
        (Muon, {"pt": 5.01}),
        (Muon, {"eta": -2.699}),
        (Muon, {"quality": 0}),
    ],
)
def test_a_lepton_just_inside_acceptance_counts(kind: type, change: dict) -> None:
    assert _removed_by(changed(reference(kind), 3, **change)) != "counting"


@pytest.mark.parametrize(
    "change", [{"z0_sin_theta": 0.5}, {"z0_sin_theta": -0.7}, {"object_quality": 0x2}]
)
def test_an_electron_of_bad_quality_or_from_elsewhere_is_not_taken(change: dict) -> None:
    assert _removed_by(changed(reference(Electron), 3, **change)) == "lepton_quality"


def test_bits_of_object_quality_outside_the_mask_do_not_matter() -> None:
    assert _removed_by(changed(reference(Electron), 3, object_quality=0x8)) == ""


@pytest.mark.parametrize(
    "change",
    [
        {"z0_sin_theta": 0.5},
        {"d0": 1.0},
        {"d0": -1.5},
        {"d0": math.nan},
        {"type": 3, "pt": 14.9},
    ],
)
def test_a_muon_from_elsewhere_or_soft_and_calorimeter_tagged_is_not_taken(change: dict) -> None:
    assert _removed_by(changed(reference(Muon), 3, **change)) == "lepton_quality"


def test_a_stand_alone_muon_needs_no_track_to_the_vertex() -> None:
    alone = {"type": 1, "z0_sin_theta": math.nan, "d0": math.nan}
    assert _removed_by(changed(reference(Muon), 3, **alone)) == ""


def test_one_special_muon_is_allowed_and_two_are_not() -> None:
    one = changed(reference(Muon), 0, type=3)
    assert _removed_by(one) == ""
    assert _removed_by(changed(one, 3, type=1)) == "lepton_quality"


# The event.


def test_data_outside_the_good_runs_is_removed() -> None:
    events = events_of(
        reference(),
        reference(),
        reference(),
        is_simulation=False,
        run=[1, 1, 2],
        lumi_block=[5, 9, 5],
    )
    good = GoodRuns({1: ((1, 7),)})
    row = SELECTION.select(events, good).passed[NAMES.index("good_runs"), -1]
    assert row.tolist() == [True, False, False]


def test_simulation_has_no_bad_runs() -> None:
    events = events_of(reference(), run=[2])
    assert SELECTION.select(events, GoodRuns({1: ((1, 7),)})).passed[-1, -1, 0]


def test_data_without_a_good_run_list_says_so() -> None:
    selected = SELECTION.select(events_of(reference(), is_simulation=False))
    assert "no good-run list was given" in selected.left_out["good_runs"]


def test_data_without_luminosity_blocks_says_so() -> None:
    events = events_of(reference(), is_simulation=False, without=("event.lumi_block",))
    selected = SELECTION.select(events, GoodRuns({1: ((1, 7),)}))
    assert selected.left_out["good_runs"] == "the test leaves it out"
    assert selected.passed[-1, -1, 0]


def test_an_event_that_no_trigger_took_is_removed() -> None:
    assert _removed_by(reference(), is_triggered=[False]) == "trigger"


# Quadruplets.


def test_same_sign_pairs_are_removed() -> None:
    assert _removed_by(changed(reference(Electron, Muon), 2, charge=-1)) == "two_pairs"


@pytest.mark.parametrize(
    ("limits", "removed"),
    [
        ((45.5, 45.5, 14.9), ""),
        ((46.0, 15.0, 10.0), "leading_pt"),
        ((46.0, 46.0, 10.0), "leading_pt"),
        ((20.0, 15.0, 15.0), "leading_pt"),
        ((20.0, 15.0, 14.99), ""),
    ],
)
def test_the_three_leading_leptons_have_thresholds(limits: tuple, removed: str) -> None:
    config = FourleptonConfig(quadruplet=QuadrupletConfig(pt_min=limits))
    assert _removed_by(reference(), config) == removed


def test_the_default_thresholds_are_20_15_and_10() -> None:
    # Z -> mumu at 50.5 GeV and a pair of 9.9 GeV: the third lepton is too soft.
    event = [*pair(Muon, HALF_Z), *pair(Muon, 9.9, math.pi / 2)]
    assert _removed_by(event) == "leading_pt"


def test_one_lepton_of_the_quadruplet_must_be_matched_to_the_trigger() -> None:
    unmatched = [*pair(Muon, HALF_Z, is_trigger_matched=False)]
    unmatched += pair(Muon, 15.0, math.pi / 2, is_trigger_matched=False)
    assert _removed_by(unmatched) == "trigger_match"
    assert _removed_by(changed(unmatched, 3, is_trigger_matched=True)) == ""


def test_a_matched_lepton_outside_the_quadruplet_does_not_help() -> None:
    event = [*pair(Muon, HALF_Z, is_trigger_matched=False)]
    event += pair(Muon, 15.0, math.pi / 2, is_trigger_matched=False)
    assert _removed_by([*event, Electron(30.0, 1.0)]) == "trigger_match"


@pytest.mark.parametrize(
    ("half_mass", "removed"), [(24.9, "m12"), (25.1, ""), (52.9, ""), (53.1, "m12")]
)
def test_m12_has_a_window_from_50_to_106(half_mass: float, removed: str) -> None:
    event = [*pair(Electron, half_mass), *pair(Muon, 12.0, math.pi / 2)]
    assert _removed_by(event) == removed


@pytest.mark.parametrize(("half_mass", "removed"), [(5.9, "m34"), (6.1, "")])
def test_m34_has_a_lower_limit_of_12(half_mass: float, removed: str) -> None:
    event = [*pair(Muon, HALF_Z), *pair(Muon, half_mass, math.pi / 2)]
    config = FourleptonConfig(quadruplet=QuadrupletConfig(pt_min=(20.0, 15.0, 5.0)))
    assert _removed_by(event, config) == removed


def test_m34_has_an_upper_limit_of_115() -> None:
    assert _removed_by([*pair(Electron, HALF_Z), *pair(Muon, 57.4, 1.5)]) == ""
    assert _removed_by([*pair(Electron, HALF_Z), *pair(Muon, 57.6, 1.5)]) == "m34"


def test_the_lower_limit_of_m34_rises_linearly_with_m4l() -> None:
    m4l = np.array([100.0, 140.0, 165.0, 190.0, 500.0])
    assert m34_minimum(m4l, QuadrupletConfig()).tolist() == [12.0, 12.0, 31.0, 50.0, 50.0]


def test_the_rise_is_applied_to_the_events_own_m4l() -> None:
    # A pair of 40 GeV each, 0.4 apart, against a Z at rest: m34 = 80 sin(0.2) = 15.9 GeV and
    # m4l = 152.2 GeV, where the limit is 12 + 12.2 * 38 / 50 = 21.3 GeV.
    event = [*pair(Electron, HALF_Z), Muon(40.0, 1.2, 1), Muon(40.0, 1.6, -1)]
    assert _removed_by(event) == "m34"
    flat = FourleptonConfig(quadruplet=QuadrupletConfig(m34_min_high=12.0))
    assert _removed_by(event, flat) == ""


def _near(first: type, second: type, distance: float) -> list:
    """The reference with a hard lepton of Z1 at ``distance`` from one of Z2."""
    z1, z2 = pair(first, HALF_Z), pair(second, 15.0, distance)
    return [*z1, *z2]


@pytest.mark.parametrize(
    ("event", "removed"),
    [
        (_near(Electron, Muon, 0.19), "delta_r"),
        (_near(Electron, Muon, 0.21), ""),
    ],
)
def test_electron_and_muon_are_apart_by_a_fifth(event: list, removed: str) -> None:
    assert _removed_by(event) == removed


def test_leptons_of_one_flavour_are_apart_by_a_tenth() -> None:
    # Same charge, so that m(SFOS) does not matter; masses of other pairs are far above.
    config = FourleptonConfig(quadruplet=QuadrupletConfig(m_sfos_min=0.0))
    assert _removed_by(_near(Muon, Muon, 0.09), config) == "delta_r"
    assert _removed_by(_near(Muon, Muon, 0.11), config) == ""


def test_a_light_pair_of_equal_charge_does_not_matter() -> None:
    # Equal charges 0.15 apart, as light as in the next test.
    assert _removed_by(_near(Muon, Muon, 0.15)) == ""


def test_a_light_pair_across_z1_and_z2_removes_the_quadruplet() -> None:
    # Opposite charges 0.15 apart: m = 2 sqrt(45.594 * 15) sin(0.075) = 3.92 GeV.
    crossed = [*pair(Muon, HALF_Z), Muon(15.0, 0.15, -1), Muon(15.0, 0.15 + math.pi, 1)]
    assert _removed_by(crossed) == "m_sfos"
    config = FourleptonConfig(quadruplet=QuadrupletConfig(m_sfos_min=3.9))
    assert _removed_by(crossed, config) == ""


@pytest.mark.parametrize("kind", [Electron, Muon])
def test_track_isolation_is_below_0_15(kind: type) -> None:
    assert _removed_by(changed(reference(kind), 3, track_iso=2.26)) == "track_isolation"
    assert _removed_by(changed(reference(kind), 3, track_iso=2.24)) == ""


@pytest.mark.parametrize(("kind", "limit"), [(Electron, 0.20), (Muon, 0.30)])
def test_calorimeter_isolation_is_below_the_flavours_limit(kind: type, limit: float) -> None:
    above, below = 15.0 * limit + 0.01, 15.0 * limit - 0.01
    assert _removed_by(changed(reference(kind), 3, calo_iso=above)) == "calo_isolation"
    assert _removed_by(changed(reference(kind), 3, calo_iso=below)) == ""


def test_a_lepton_of_the_quadruplet_does_not_spoil_the_isolation() -> None:
    # In the cone of 10 / 15 -> 0.3 around the lepton of 15 GeV lies one of 45.594 GeV.
    event = changed(_near(Electron, Muon, 0.25), 2, track_iso=HALF_Z + 1.0)
    assert _removed_by(event) == ""


@pytest.mark.parametrize(("kind", "limit"), [(Electron, 5.0), (Muon, 3.0)])
def test_d0_significance_is_below_the_flavours_limit(kind: type, limit: float) -> None:
    event = reference(kind)
    assert _removed_by(changed(event, 3, d0_significance=-limit - 0.01)) == "d0_significance"
    assert _removed_by(changed(event, 3, d0_significance=limit - 0.01)) == ""


# The choice.


def test_of_two_pairings_the_one_with_m12_nearest_to_the_z_is_taken() -> None:
    candidates = _candidates(reference(Muon))
    assert candidates.observables["m12"][0] == pytest.approx(91.188)


def test_of_equal_m12_the_quadruplet_with_m34_nearest_to_the_z_is_taken() -> None:
    # One positron makes 60 GeV with the one electron and 92 GeV, nearer to the Z, with the other.
    electrons = [Electron(30.0, 0.7, 1), Electron(30.0, 0.7 + math.pi, -1)]
    electrons.append(Electron(92.0**2 / 120.0 / math.sin(1.0) ** 2, 2.7, -1))
    candidates = _candidates([*pair(Muon, HALF_Z), *electrons])
    assert candidates.observables["m12"][0] == pytest.approx(91.188)
    assert candidates.observables["m34"][0] == pytest.approx(92.0)


def test_four_muons_are_taken_before_two_of_each() -> None:
    # 2e2mu has the better m12 here: the muons' Z1 is off the Z mass.
    event = [*pair(Muon, 40.0), *pair(Muon, 16.0, 1.5), *pair(Electron, HALF_Z, 0.7)]
    candidates = _candidates(event)
    assert SELECTION.channels[candidates.channel[0]] == "4mu"
    assert candidates.observables["m12"][0] == pytest.approx(80.0)


def test_electrons_nearest_to_the_z_are_taken_before_muons() -> None:
    # The positive muon makes 91.188 GeV with one negative muon and 78 GeV with the other; the
    # electrons make 80 GeV. By m12 alone the muons of 91.188 GeV would be Z1.
    muons = [Muon(HALF_Z, 0.0, 1), Muon(HALF_Z, math.pi, -1), Muon(47.1, 2.0, -1)]
    candidates = _candidates([*muons, *pair(Electron, 40.0, 0.8)])
    assert candidates.observables["m12"][0] == pytest.approx(80.0)
    assert candidates.observables["m34"][0] == pytest.approx(78.0, abs=0.1)


def test_a_pairing_that_fails_leaves_the_other_its_chance() -> None:
    # Three muon pairs; the one at the Z mass makes a quadruplet with the light pair only if
    # m34 is in its window, which it is not: the pair of 80 GeV stands in.
    event = [*pair(Muon, HALF_Z), *pair(Muon, 40.0, 1.5), *pair(Electron, 5.9, 0.8)]
    assert _candidates(event).observables["m34"][0] == pytest.approx(80.0)


def test_impossible_numbers_of_leptons_are_an_error() -> None:
    with pytest.raises(CorruptFileError, match="21 selected leptons"):
        SELECTION.select(events_of([Muon(30.0, 0.1 * i) for i in range(21)]))


# Regions.


@pytest.mark.parametrize(
    ("m4l", "regions"),
    [
        (114.9, {"all", "sideband"}),
        (115.0, {"all", "signal"}),
        (129.9, {"all", "signal"}),
        (130.0, {"all", "sideband"}),
        (170.0, {"all"}),
        (200.0, {"all", "zz_control"}),
    ],
)
def test_a_candidate_is_in_the_regions_of_its_mass(m4l: float, regions: set[str]) -> None:
    # Two pairs at rest: m4l is the sum of both masses.
    half = (m4l - 2 * HALF_Z) / 2
    event = [*pair(Muon, HALF_Z), *pair(Muon, half + 1e-9, math.pi / 2)]
    in_region = _candidates(event).in_region[0]
    assert {name for name, inside in zip(SELECTION.regions, in_region, strict=True) if inside} == (
        regions
    )


# What the input lacks.


@pytest.mark.parametrize(
    ("column", "requirement", "event"),
    [
        ("event.is_triggered", "trigger", reference()),
        ("electron.is_loose", "identification", changed(reference(), 3, is_loose=False)),
        ("muon.quality", "identification", changed(reference(Muon), 3, quality=3)),
        ("electron.object_quality", "object_quality", changed(reference(), 3, object_quality=2)),
        ("muon.type", "muon_type", changed(reference(Muon), 3, type=3, pt=14.0)),
        ("electron.z0_sin_theta", "z0", changed(reference(), 3, z0_sin_theta=1.0)),
        ("muon.d0", "d0", changed(reference(Muon), 3, d0=2.0)),
        ("electron.track_iso", "track_isolation", changed(reference(), 3, track_iso=9.0)),
        ("muon.calo_iso", "calo_isolation", changed(reference(Muon), 3, calo_iso=9.0)),
        (
            "electron.d0_significance",
            "d0_significance",
            changed(reference(), 3, d0_significance=9.0),
        ),
    ],
)
def test_a_requirement_on_an_absent_column_is_left_out_by_name(
    column: str, requirement: str, event: list
) -> None:
    options = {"is_triggered": [False]} if column == "event.is_triggered" else {}
    assert _removed_by(event, **options)
    selected = SELECTION.select(events_of(event, without=(column,), **options))
    assert selected.passed[-1, -1, 0]
    assert selected.left_out == {requirement: f"{column}: the test leaves it out"}


def test_a_complete_input_leaves_nothing_out() -> None:
    assert SELECTION.select(events_of(reference(Electron, Muon))).left_out == {}


def test_without_track_columns_leptons_stand_for_their_tracks() -> None:
    event = changed(_near(Electron, Muon, 0.25), 2, track_iso=HALF_Z + 1.0)
    assert not {"electron.track_pt", "muon.track_pt"} & set(events_of(event).absent)
    assert _removed_by(event) == ""
