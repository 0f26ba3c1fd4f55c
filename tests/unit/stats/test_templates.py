"""Templates: windows, merging, stretching."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from fourlep.errors import FitError
from fourlep.stats.templates import Template


def _template(values: list[float], low: float = 100.0, width: float = 10.0) -> Template:
    edges = low + width * np.arange(len(values) + 1)
    return Template(edges, np.array(values), np.abs(np.array(values)))


def test_window_keeps_the_bins_between_its_ends() -> None:
    cut = _template([1, 2, 3, 4]).windowed(110, 130)
    assert cut.values.tolist() == [2, 3]
    assert cut.edges.tolist() == [110, 120, 130]


def test_window_that_ends_inside_a_bin_is_refused_with_the_nearest_edge() -> None:
    with pytest.raises(FitError, match="115 is no bin edge") as caught:
        _template([1, 2, 3, 4]).windowed(115, 130)
    assert "nearest edge is 110" in caught.value.remedy


def test_merging_adds_values_and_variances() -> None:
    merged = _template([1, 2, 3, 4]).merged(np.array([100.0, 130.0, 140.0]))
    assert merged.values.tolist() == [6, 4]
    assert merged.variances.tolist() == [6, 4]


def test_scaling_scales_the_variance_by_the_square() -> None:
    scaled = _template([2.0]).scaled(3.0)
    assert (scaled.values[0], scaled.variances[0]) == (6.0, 18.0)


def test_lengths_that_do_not_fit_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="one edge more"):
        Template(np.array([0.0, 1.0]), np.ones(2), np.ones(2))


def test_stretching_by_one_changes_nothing() -> None:
    template = _template([1, 5, 2, 1])
    assert template.stretched(1.0).values.tolist() == template.values.tolist()


@given(st.floats(-3.0, 3.0))
def test_stretched_peak_is_the_peak_at_its_new_place(shift_gev: float) -> None:
    edges = np.linspace(80.0, 250.0, 69)
    peak = Template(edges, np.diff(norm.cdf(edges, 125.0, 2.2)), np.ones(68) * 1e-4)
    moved = peak.stretched((125.0 + shift_gev) / 125.0)
    wanted = np.diff(norm.cdf(edges, 125.0 + shift_gev, 2.2))
    centres = 0.5 * (edges[1:] + edges[:-1])
    assert moved.total == pytest.approx(1.0, abs=1e-9)
    assert np.all(moved.values >= 0.0)
    # the mean moves with the peak; bins follow to a few per cent of the peak
    assert moved.values @ centres == pytest.approx(wanted @ centres, abs=0.06)
    assert np.max(np.abs(moved.values - wanted)) < 0.03


def test_stretched_flat_template_stays_flat() -> None:
    flat = _template([4.0] * 6)
    assert flat.stretched(1.01).values[1:] == pytest.approx(4.0 / 1.01)
    assert flat.stretched(0.99).values[:-1] == pytest.approx(4.0 / 0.99)
