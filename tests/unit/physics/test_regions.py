"""Regions and bins."""

import numpy as np
import pytest

from fourlep.physics.binning import Binning
from fourlep.physics.regions import in_regions


def test_a_region_may_have_several_ranges() -> None:
    m4l = np.array([104.9, 105.0, 115.0, 130.0, 160.0])
    inside = in_regions(m4l, [[(105.0, 115.0), (130.0, 160.0)]])
    assert inside[:, 1].tolist() == [False, True, False, True, False]
    assert inside[:, 0].all()


def test_without_regions_there_is_the_one_of_everything() -> None:
    assert in_regions(np.array([100.0]), []).tolist() == [[True]]


def test_bins_become_a_histogram_of_an_observable() -> None:
    spec = Binning(34, 80.0, 250.0).of("m4l")
    assert (spec.observable, spec.n_bins, spec.unit) == ("m4l", 34, "GeV")
    assert np.diff(spec.edges) == pytest.approx(5.0)


@pytest.mark.parametrize(("n_bins", "low", "high"), [(0, 0.0, 1.0), (5, 1.0, 1.0), (5, 2.0, 1.0)])
def test_no_bins_are_refused(n_bins: int, low: float, high: float) -> None:
    with pytest.raises(ValueError, match="are none"):
        Binning(n_bins, low, high)
