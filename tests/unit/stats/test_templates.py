"""Templates: windows, merging, stretching."""

from __future__ import annotations

import numpy as np
import pytest

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


def test_events_fill_half_open_bins_with_signed_weights() -> None:
    edges = np.array([0.0, 1.0, 2.0])
    found = Template.filled(edges, np.array([0.0, 1.0, 1.5, 2.0, -0.1]), np.array([1, -2, 5, 7, 9]))
    assert found.values.tolist() == [1.0, 3.0]
    assert found.variances.tolist() == [1.0, 29.0]
