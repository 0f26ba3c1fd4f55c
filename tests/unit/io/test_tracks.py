"""Quantities of linked tracks, by hand."""

from __future__ import annotations

from functools import partial

import awkward as ak
import numpy as np
import pytest

from fourlep.io import tracks


def _links(*events: list[list[tuple[int, int]]]) -> ak.Array:
    nested = [
        [[{"m_persKey": k, "m_persIndex": i} for k, i in lepton] for lepton in event]
        for event in events
    ]
    layout = ak.Array([[[{"m_persKey": 0, "m_persIndex": 0}]]])
    return ak.concatenate([layout, ak.Array(nested)])[1:] if nested else layout[:0]


GSF, INNER, COMBINED = (
    tracks.GSF_TRACKS_KEY,
    tracks.INNER_DETECTOR_TRACKS_KEY,
    tracks.COMBINED_MUON_TRACKS_KEY,
)


def test_a_link_picks_the_value_within_its_event() -> None:
    values = ak.Array([[10.0, 11.0], [20.0]])
    index = ak.Array([[1, 0], [0]])
    picked = tracks.pick(values, index, index >= 0)
    assert picked.tolist() == [[11.0, 10.0], [20.0]]


def test_a_link_beyond_the_tracks_of_its_event_picks_nothing() -> None:
    values = ak.Array([[10.0], [20.0]])
    index = ak.Array([[1], [0xFFFFFFFF]])
    picked = tracks.pick(values, index, index >= 0)
    assert np.isnan(ak.to_numpy(ak.flatten(picked))).all()


def test_a_link_that_is_not_valid_picks_nothing() -> None:
    picked = tracks.pick(ak.Array([[10.0]]), ak.Array([[0]]), ak.Array([[False]]))
    assert np.isnan(picked[0, 0])


def test_of_nested_values_the_first_is_picked() -> None:
    values = ak.Array([[[4.0, 9.0], []]])
    picked = tracks.pick(values, ak.Array([[0, 1]]), ak.Array([[True, True]]))
    assert picked[0, 0] == 4.0
    assert np.isnan(picked[0, 1])


def test_an_electron_has_the_first_of_its_tracks() -> None:
    links = _links([[(GSF, 1), (GSF, 0)]], [[(GSF, 0)], []])
    d0 = ak.Array([[0.1, 0.2], [0.3]])
    picked = tracks.of_electron(tracks.same, 1, links, d0)
    assert picked[0].tolist() == [0.2]
    assert picked[1, 0] == 0.3
    assert np.isnan(picked[1, 1])


def test_an_electron_without_track_in_the_container_has_nan() -> None:
    picked = tracks.of_electron(tracks.same, 1, _links([[(0, 0)]]), ak.Array([[0.1]]))
    assert np.isnan(picked[0, 0])


def test_a_muon_has_its_inner_track_and_else_its_combined_one() -> None:
    key = ak.Array([[INNER, 0x143C6846, 0]])
    index = ak.Array([[0, 0, 0]])
    combined_key = ak.Array([[COMBINED, COMBINED, 0]])
    combined_index = ak.Array([[0, 1, 0]])
    inner, combined = ak.Array([[1.0]]), ak.Array([[2.0, 3.0]])
    picked = tracks.of_muon(
        tracks.same, 1, key, index, inner, combined_key, combined_index, combined
    )
    assert picked[0, :2].tolist() == [1.0, 3.0]
    assert np.isnan(picked[0, 2])


def test_no_leptons_have_no_tracks() -> None:
    links = _links([[(GSF, 0)]])[:, :0]
    assert tracks.of_electron(tracks.same, 1, links, ak.Array([[0.1]])).tolist() == [[]]


@pytest.mark.parametrize(
    ("phi", "expected"),
    [
        (0.0, 0.3 / np.sqrt(0.01 + 0.04)),  # along x, d0 is measured along y
        (np.pi / 2, 0.3 / np.sqrt(0.01 + 0.09)),
        (np.pi / 4, 0.3 / np.sqrt(0.01 + 0.5 * 0.09 + 0.5 * 0.04 - 0.02)),
    ],
)
def test_d0_significance_counts_the_beam_spot_along_d0(phi: float, expected: float) -> None:
    sigmas = [np.array([value]) for value in (0.3, 0.2, 0.02)]
    significance = tracks.d0_significance(
        ak.Array([[0.3]]), ak.Array([[0.01]]), ak.Array([[phi]]), *sigmas
    )
    assert significance[0, 0] == pytest.approx(expected)


def test_d0_significance_keeps_the_sign() -> None:
    sigmas = [np.zeros(1)] * 3
    significance = tracks.d0_significance(
        ak.Array([[-0.2]]), ak.Array([[0.04]]), ak.Array([[1.0]]), *sigmas
    )
    assert significance[0, 0] == pytest.approx(-1.0)


def test_without_a_positive_variance_there_is_no_significance() -> None:
    sigmas = [np.zeros(1)] * 3
    significance = tracks.d0_significance(
        ak.Array([[0.2, 0.2]]), ak.Array([[0.0, -1.0]]), ak.Array([[1.0, 1.0]]), *sigmas
    )
    assert np.isnan(ak.to_numpy(significance)).all()


def test_z0_is_taken_to_the_primary_vertex() -> None:
    distance = tracks.z0_sin_theta(
        z0=ak.Array([[1.0]]),
        vz=ak.Array([[0.5]]),
        theta=ak.Array([[np.pi / 6]]),
        vertex_z=ak.Array([[9.0, 1.1, 7.0]]),
        vertex_type=ak.Array([[3, 1, 1]]),
    )
    assert distance[0, 0] == pytest.approx((1.0 + 0.5 - 1.1) * 0.5)


def test_without_a_primary_vertex_there_is_no_z0() -> None:
    distance = tracks.z0_sin_theta(
        ak.Array([[1.0], [2.0]]),
        ak.Array([[0.0], [0.0]]),
        ak.Array([[1.0], [1.0]]),
        ak.Array([[5.0], [1.0]]),
        ak.Array([[0], [1]]),
    )
    assert np.isnan(distance[0, 0])
    assert distance[1, 0] == pytest.approx(np.sin(1.0))


def test_momentum_of_a_track_is_transverse_and_in_gev() -> None:
    pt = tracks.pt(ak.Array([[-1 / 50000.0]]), ak.Array([[np.pi / 6]]))
    assert pt[0, 0] == pytest.approx(25.0)


def test_a_track_of_no_curvature_has_no_momentum() -> None:
    assert np.isnan(tracks.pt(ak.Array([[0.0]]), ak.Array([[1.0]]))[0, 0])


def test_pseudorapidity_of_a_track() -> None:
    assert tracks.eta(ak.Array([[np.pi / 2, 2 * np.arctan(np.exp(-1.5))]]))[0].tolist() == (
        pytest.approx([0.0, 1.5], abs=1e-12)
    )


def test_tracks_of_a_subset_are_the_subset_of_tracks() -> None:
    links = _links([[(GSF, 1)]], [[(GSF, 0)], [(GSF, 2)]], [])
    d0 = ak.Array([[0.1, 0.2], [0.3, 0.4, 0.5], [0.6]])
    derived = partial(tracks.of_electron, tracks.same, 1)
    keep = np.array([1, 2])
    assert derived(links[keep], d0[keep]).tolist() == derived(links, d0)[keep].tolist()
