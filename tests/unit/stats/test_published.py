"""Agreement with the models that pyhf publishes."""

from __future__ import annotations

import numpy as np
import pyhf
import pytest

from fourlep.stats.best_fit import fit
from fourlep.stats.likelihood import Likelihood, from_model
from fourlep.stats.limit import Exclusion
from fourlep.stats.notices import without_known_notices
from unit.stats.published_models import PUBLISHED, Published


def _built(published: Published) -> tuple[Likelihood, np.ndarray]:
    normsys, histosys = published.interpolation
    settings = {"normsys": {"interpcode": normsys}, "histosys": {"interpcode": histosys}}
    with without_known_notices():
        model = pyhf.Model(published.spec, modifier_settings=settings)
    return from_model(model), np.array(published.data + model.config.auxdata)


@pytest.mark.parametrize("published", PUBLISHED, ids=lambda published: published.name)
def test_cls_agrees_with_what_is_published(published: Published) -> None:
    likelihood, data = _built(published)
    exclusion = Exclusion.of(likelihood, data, "mu")
    if published.observed is not None:
        assert exclusion.cls(1.0) == pytest.approx(published.observed, rel=1e-4)
    expected = [exclusion.expected_cls(1.0, band) for band in (-2, -1, 0, 1, 2)]
    assert expected == pytest.approx(published.expected, rel=2e-4)


@pytest.mark.parametrize("published", PUBLISHED, ids=lambda published: published.name)
def test_best_fit_agrees_with_pyhf_minimised_by_scipy(published: Published) -> None:
    likelihood, data = _built(published)
    pyhf.set_backend("numpy", pyhf.optimize.scipy_optimizer(tolerance=1e-13, maxiter=100_000))
    try:
        reference = pyhf.infer.mle.fit(data, likelihood.model)
    finally:
        pyhf.set_backend("numpy")
    best = fit(likelihood, data)
    assert best.values == pytest.approx(np.asarray(reference), rel=1e-5, abs=1e-5)
