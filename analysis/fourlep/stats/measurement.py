"""The measurement as a whole: what `fourlep fit` computes, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from fourlep.errors import FitError
from fourlep.stats.best_fit import BestFit, fit
from fourlep.stats.config import COMBINED, FitConfig
from fourlep.stats.goodness import Goodness, goodness_of_fit
from fourlep.stats.impacts import Impact, impacts
from fourlep.stats.likelihood import Likelihood, likelihood
from fourlep.stats.limit import UpperLimit, upper_limit
from fourlep.stats.minimum import minimise
from fourlep.stats.preparation import Preparation, PreparedRegion
from fourlep.stats.scan import Scan, scan
from fourlep.stats.significance import (
    Significance,
    ToyTest,
    discovery,
    discovery_statistic,
    toy_test,
)
from fourlep.stats.templates import Floats
from fourlep.stats.toys import toys
from fourlep.stats.workspace import Workspace
from fourlep.stats.yields import Prediction, Yields, postfit, prefit

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class StrengthResult:
    """What was found of one signal strength.

    Parameters
    ----------
    name
        The parameter.
    value, error
        Best fit and Hessian error; of the expected data set while blinded.
    minos
        Lower (negative) and upper error; None for a side without a crossing.
    expected
        Significance expected before the fit, for a strength of 1.
    observed, expected_after
        Significance of the data, and what the fitted background lets expect; None while
        blinded.
    limit
        CLs upper limit.
    scan
        Profile likelihood.
    """

    name: str
    value: float
    error: float
    minos: tuple[float | None, float | None]
    expected: Significance
    observed: Significance | None
    expected_after: Significance | None
    limit: UpperLimit
    scan: Scan


@dataclass(frozen=True, slots=True)
class Pull:
    """A constrained parameter after the fit.

    Parameters
    ----------
    name
        The parameter.
    pull
        Best fit less nominal, in units of the constraint's width.
    constraint
        Post-fit error in the same units.
    """

    name: str
    pull: float
    constraint: float


@dataclass(frozen=True, slots=True, eq=False)
class RegionResult:
    """One region, or a sum of regions, before and after the fit.

    Parameters
    ----------
    name, channel
        Of the region; "combined" and "4l" for the sum of the signal regions.
    observable
        What is binned.
    edges : (n_bins + 1,) array
        Bin edges, GeV.
    data : (n_bins,) array
        Observed events; None while blinded.
    before, after
        Expected events.
    """

    name: str
    channel: str
    observable: str
    edges: Floats
    data: Floats | None
    before: Yields
    after: Yields


@dataclass(frozen=True, slots=True, eq=False)
class ToyResults:
    """Pseudo-experiments.

    Parameters
    ----------
    discovery
        p-value of the data's q0 from background alone; None while blinded.
    goodness
        p-value of the goodness of fit.
    """

    discovery: ToyTest | None
    goodness: ToyTest


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """Everything that a fit found.

    Parameters
    ----------
    is_blinded
        Whether the data was left alone, and the expected data set fitted in its place.
    best
        The best fit.
    poi
        Parameter of interest.
    parameters
        Parameters other than those of single bins.
    strengths
        Signal strengths.
    pulls
        Constrained parameters but those of single bins, then those of bins.
    impacts
        On the first strength, largest first.
    goodness
        Agreement of data and model; None while blinded.
    regions
        By region; the last is the sum of the signal regions where their bins agree.
    toys
        Where asked for.
    """

    is_blinded: bool
    best: BestFit
    poi: str
    parameters: tuple[str, ...]
    strengths: tuple[StrengthResult, ...]
    pulls: tuple[Pull, ...]
    bin_pulls: tuple[Pull, ...]
    impacts: tuple[Impact, ...]
    goodness: Goodness | None
    regions: tuple[RegionResult, ...]
    toys: ToyResults | None = None
    workspace: Workspace = field(default_factory=dict)


def measure(
    workspace: Workspace,
    config: FitConfig,
    preparation: Preparation,
    *,
    is_blinded: bool,
    n_toys: int = 0,
    seed: int = 1,
    progress: Progress = lambda _: None,
) -> Measurement:
    """Fit a workspace and everything around the fit.

    Parameters
    ----------
    workspace
        The statistical model and its data.
    config, preparation
        What it was made from.
    is_blinded
        Fit the expected data set, strengths 1, instead of the data.
    n_toys
        Pseudo-experiments for the p-values; 0 for none.
    seed
        Of the pseudo-experiments.
    progress
        Told what is being done.

    Raises
    ------
    FitError
        If a fit does not converge, or the workspace does not fit the regions.
    """
    model, observed = likelihood(workspace)
    _check_bins(model, preparation)
    if not is_blinded:
        _check_data(model, observed, preparation)
    asimov = model.expected(model.nominal())
    data = asimov if is_blinded else observed
    names = tuple(strength.name for strength in config.strengths)
    progress("best fit")
    best = fit(model, data, minos=names)
    strengths = []
    for name in names:
        progress(f"{name}: significance, limit, scan")
        strengths.append(_strength(model, data, asimov, best, name, is_blinded=is_blinded))
    progress("impacts")
    ranking = impacts(model, data, best, strengths=names)
    results = None
    if n_toys:
        progress(f"{n_toys} pseudo-experiments")
        results = _toy_results(model, data, best, n_toys, seed, is_blinded=is_blinded)
    pulls, bin_pulls = _pulls(model, best)
    return Measurement(
        is_blinded=is_blinded,
        best=best,
        poi=names[0],
        parameters=_shared_parameters(model, best),
        strengths=tuple(strengths),
        pulls=pulls,
        bin_pulls=bin_pulls,
        impacts=ranking,
        goodness=None if is_blinded else goodness_of_fit(model, data, best.twice_nll),
        regions=_regions(preparation, prefit(model), postfit(model, best), is_blinded=is_blinded),
        toys=results,
        workspace=workspace,
    )


def measure_strength(workspace: Workspace, name: str, *, is_blinded: bool) -> StrengthResult:
    """Fit one strength, without what else belongs to a measurement.

    Parameters
    ----------
    workspace
        The statistical model and its data.
    name
        The strength.
    is_blinded
        Fit the expected data set instead of the data.
    """
    model, observed = likelihood(workspace)
    asimov = model.expected(model.nominal())
    data = asimov if is_blinded else observed
    best = fit(model, data, minos=[name])
    return _strength(model, data, asimov, best, name, is_blinded=is_blinded)


def _check_bins(model: Likelihood, preparation: Preparation) -> None:
    expected = {region.region.name: len(region.edges) - 1 for region in preparation.regions}
    found = {
        channel: model.channel_bins(channel).stop - model.channel_bins(channel).start
        for channel in model.channels
    }
    if expected != found:
        raise FitError(
            f"the workspace has channels {found}, the configuration regions {expected}",
            remedy="build the workspace from this configuration, or give the configuration "
            "that it was built from",
        )


def _check_data(model: Likelihood, data: Floats, preparation: Preparation) -> None:
    for region in preparation.regions:
        found = data[model.channel_bins(region.region.name)]
        if region.data is None or not np.array_equal(found, region.data):
            raise FitError(
                f"the workspace does not hold the run's data in region {region.region.name}",
                remedy="it was built blinded, or by hand: leave --workspace away to build it",
            )


def _strength(
    model: Likelihood,
    data: Floats,
    asimov: Floats,
    best: BestFit,
    name: str,
    *,
    is_blinded: bool,
) -> StrengthResult:
    observed = after = None
    if not is_blinded:
        observed = discovery(model, data, strength=name, start=best.values)
        signal = minimise(model, data, held={name: 1.0}, start=best.values)
        after = discovery(model, model.expected(signal.parameters), strength=name)
    return StrengthResult(
        name=name,
        value=best.value(name),
        error=best.error(name),
        minos=best.minos[name],
        expected=discovery(model, asimov, strength=name),
        observed=observed,
        expected_after=after,
        limit=upper_limit(model, data, strength=name, is_blinded=is_blinded, start=best.values),
        scan=scan(model, data, best, name),
    )


def _shared_parameters(model: Likelihood, best: BestFit) -> tuple[str, ...]:
    local = set(model.bin_parameters.tolist())
    return tuple(
        name
        for position, name in enumerate(model.names)
        if position not in local and best.errors[position] > 0.0
    )


def _pulls(model: Likelihood, best: BestFit) -> tuple[tuple[Pull, ...], tuple[Pull, ...]]:
    nominal, errors = model.nominal(), best.errors
    local = set(model.bin_parameters.tolist())
    shared: list[Pull] = []
    bins: list[Pull] = []
    for position, name in enumerate(model.names):
        width = model.widths[position]
        if width > 0.0 and errors[position] > 0.0:
            pull = (best.values[position] - nominal[position]) / width
            entry = Pull(name, float(pull), float(errors[position] / width))
            (bins if position in local else shared).append(entry)
    return tuple(shared), tuple(bins)


def _regions(
    preparation: Preparation, before: Prediction, after: Prediction, *, is_blinded: bool
) -> tuple[RegionResult, ...]:
    def result(name: str, channel: str, members: Sequence[PreparedRegion]) -> RegionResult:
        channels = [member.region.name for member in members]
        return RegionResult(
            name=name,
            channel=channel,
            observable=members[0].region.observable,
            edges=members[0].edges,
            data=None if is_blinded else _data(members),
            before=before.yields(name, channels),
            after=after.yields(name, channels),
        )

    results = [
        result(member.region.name, member.region.channel, [member])
        for member in preparation.regions
    ]
    signal = [member for member in preparation.regions if not member.region.is_control]
    if len(signal) > 1 and all(_same_bins(signal[0], member) for member in signal):
        results.append(result("combined", COMBINED, signal))
    return tuple(results)


def _data(members: Sequence[PreparedRegion]) -> Floats | None:
    counts = [member.data for member in members if member.data is not None]
    return np.asarray(np.sum(counts, axis=0)) if len(counts) == len(members) else None


def _same_bins(first: PreparedRegion, second: PreparedRegion) -> bool:
    return first.region.observable == second.region.observable and np.array_equal(
        first.edges, second.edges
    )


def _toy_results(
    model: Likelihood,
    data: Floats,
    best: BestFit,
    n_toys: int,
    seed: int,
    *,
    is_blinded: bool,
) -> ToyResults:
    """Pseudo-experiments from the best fit, and from background alone for the discovery."""
    rng = np.random.default_rng(seed)
    statistics = np.zeros(n_toys)
    for number, toy in enumerate(toys(model, best.values, n_toys, rng)):
        minimum = minimise(model, toy, start=best.values)
        statistics[number] = goodness_of_fit(model, toy, minimum.twice_nll).statistic
    goodness = toy_test(statistics, goodness_of_fit(model, data, best.twice_nll).statistic)
    if is_blinded:
        return ToyResults(None, goodness)
    null = minimise(model, data, held={model.poi: 0.0}, start=best.values).parameters
    q0 = np.array(
        [discovery_statistic(model, toy, start=null) for toy in toys(model, null, n_toys, rng)]
    )
    return ToyResults(toy_test(q0, discovery_statistic(model, data, start=best.values)), goodness)
