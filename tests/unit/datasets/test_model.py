"""What a fileset's datasets say of themselves."""

from __future__ import annotations

import math

import pytest

from fourlep.datasets.model import Dataset, Fileset, Normalisation, SourceFile
from fourlep.errors import DatasetError

FILES = (SourceFile("a.root", n_events=3), SourceFile("b.root", n_events=4))
ZZ = Dataset("zz", "ZZ", "background", FILES, Normalisation(1.0, 1.0, 1.0, 7.0))
DATA = Dataset("d", "data", "data", FILES)


def fileset(*datasets: Dataset) -> Fileset:
    return Fileset("test", datasets, luminosity_ifb=10.0, luminosity_source="made up")


@pytest.mark.parametrize("total", [0.0, -12.5, math.nan])
def test_weights_that_do_not_add_up_to_something_positive_normalise_nothing(total: float) -> None:
    with pytest.raises(DatasetError, match="the sum of weights is"):
        Normalisation(1.0, 1.0, 1.0, total).per_weight(10.0)


def test_real_data_beside_simulation_is_observed() -> None:
    assert fileset(ZZ, DATA).is_observed
    assert not fileset(ZZ).is_observed


def test_a_dataset_has_an_event_number_where_every_file_has_one() -> None:
    assert ZZ.n_events == 7
    unknown = Dataset("u", "ZZ", "background", (*FILES, SourceFile("c.root")))
    assert unknown.n_events is None
