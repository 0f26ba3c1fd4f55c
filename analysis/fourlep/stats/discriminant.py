"""A machine-learned discriminant between signal and background.

Gradient-boosted trees (scikit-learn's `HistGradientBoostingClassifier`) are trained on
simulation in folds: each event, of simulation or data, is judged by the model that has not
seen the fold it belongs to.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fourlep.errors import FitError
from fourlep.stats.candidates import FEATURES, CandidateTable
from fourlep.stats.run_directory import Run
from fourlep.stats.templates import Floats

N_FOLDS = 5

#: Fewest simulated events of either kind that a training is tried with.
_FEWEST = 200

#: Bins of the score in the figures.
_SCORE_EDGES = np.linspace(0.0, 1.0, 41)

#: Points of the receiver operating characteristic, at equal numbers of events.
_N_POINTS = 201


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """A trained discriminant and how good it is.

    Parameters
    ----------
    scores : (n,) array
        Score of each candidate from the model that has not seen it, 0 to 1.
    threshold
        Score that halves the signal.
    score_edges : (n_bins + 1,) array
        Bins of the distributions.
    held_out, seen : mappings of (n_bins,) arrays
        Distributions of the score of "signal" and "background", normalised to 1, from
        models that have not and that have seen the events.
    false_positive, true_positive : (n_points,) arrays
        Receiver operating characteristic of the held-out scores.
    area, area_seen
        Area below it, and the same for scores of events that were seen.
    importances
        Loss of area when one feature is shuffled among the held-out events, by feature,
        largest first.
    """

    scores: Floats
    threshold: float
    score_edges: Floats
    held_out: dict[str, Floats]
    seen: dict[str, Floats]
    false_positive: Floats
    true_positive: Floats
    area: float
    area_seen: float
    importances: dict[str, float]


@dataclass(frozen=True, slots=True)
class Gain:
    """What a discriminant gains, for ``fit.json``.

    Parameters
    ----------
    area, area_seen, threshold, importances
        As in `Training`.
    expected_without, expected_with
        Significance that is expected from m4l alone, and in the two categories.
    """

    area: float
    area_seen: float
    threshold: float
    importances: dict[str, float]
    expected_without: float
    expected_with: float


def train(run: Run, table: CandidateTable, *, low: float, high: float, seed: int = 1) -> Training:
    """Train on the simulation in a range of m4l and judge every candidate.

    Negative weights count by their size in the training, which cannot bias the result:
    templates are made with the signed ones.

    Parameters
    ----------
    run
        For the roles of processes.
    table
        Candidates.
    low, high
        Range of m4l that is trained on, GeV.
    seed
        Of the trees and of the shuffling.

    Raises
    ------
    FitError
        If scikit-learn is not installed or there is too little simulation.
    """
    is_signal = np.isin(table.process, run.signals)
    is_simulation = is_signal | np.isin(table.process, run.backgrounds)
    usable = is_simulation & (table.m4l >= low) & (table.m4l < high)
    for name, chosen in (("signal", usable & is_signal), ("background", usable & ~is_signal)):
        if chosen.sum() < _FEWEST:
            raise FitError(
                f"{chosen.sum()} simulated {name} candidates from {low:g} to {high:g} GeV are "
                f"too few to learn from",
                remedy=f"simulate more: at least {_FEWEST}",
            )
    fold = table.identity % N_FOLDS
    scores, seen = np.zeros(len(table)), np.zeros(len(table))
    losses = np.zeros(len(FEATURES))
    rng = np.random.default_rng(seed)
    # Waiting threads of OpenMP keep a busy machine's cores busy, and one is enough here.
    with _one_thread():
        for number in range(N_FOLDS):
            learn, judge = usable & (fold != number), fold == number
            model = _fitted(table, is_signal, learn, seed + number)
            scores[judge] = _judged(model, table.features[judge])
            # Each event is seen by N_FOLDS - 1 models: their mean.
            seen[learn] += _judged(model, table.features[learn]) / (N_FOLDS - 1)
            losses += _losses(model, table, is_signal, usable & judge, rng) / N_FOLDS
    weights = np.where(usable, table.weight, 0.0)
    false, true = _characteristic(scores, weights, is_signal)
    order = np.argsort(-losses)
    return Training(
        scores=scores,
        threshold=_weighted_median(scores[usable & is_signal], weights[usable & is_signal]),
        score_edges=_SCORE_EDGES,
        held_out=_distributions(scores, weights, is_signal),
        seen=_distributions(seen, weights, is_signal),
        false_positive=false,
        true_positive=true,
        area=_area(scores, weights, is_signal),
        area_seen=_area(seen, weights, is_signal),
        importances={FEATURES[position]: float(losses[position]) for position in order},
    )


def _one_thread() -> AbstractContextManager[object]:
    try:
        from threadpoolctl import threadpool_limits  # comes with scikit-learn
    except ImportError as error:
        raise FitError(
            "scikit-learn is not installed", remedy="pip install 'fourlep[ml]'"
        ) from error
    limited: AbstractContextManager[object] = threadpool_limits(limits=1, user_api="openmp")
    return limited


def _fitted(
    table: CandidateTable,
    is_signal: npt.NDArray[np.bool_],
    learn: npt.NDArray[np.bool_],
    seed: int,
) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    weights = np.abs(table.weight[learn])
    target = is_signal[learn]
    # Signal and background count the same, whatever their rates and numbers of events.
    for kind in (False, True):
        weights[target == kind] *= 0.5 * len(weights) / weights[target == kind].sum()
    model = HistGradientBoostingClassifier(
        max_iter=200,
        learning_rate=0.06,
        max_leaf_nodes=8,
        min_samples_leaf=50,
        l2_regularization=1.0,
        early_stopping=True,  # on a sixth of the folds that are learned from
        validation_fraction=1 / 6,
        n_iter_no_change=10,
        random_state=seed,
    )
    return model.fit(table.features[learn], target, sample_weight=weights)


def _judged(model: Any, features: Floats) -> Floats:
    if not len(features):
        return np.zeros(0)
    return np.asarray(model.predict_proba(features)[:, 1])


def _losses(
    model: Any,
    table: CandidateTable,
    is_signal: npt.NDArray[np.bool_],
    chosen: npt.NDArray[np.bool_],
    rng: np.random.Generator,
) -> Floats:
    """Loss of area by shuffling each feature."""
    features, weights = table.features[chosen], table.weight[chosen]
    whole = _area(_judged(model, features), weights, is_signal[chosen])
    losses = np.zeros(features.shape[1])
    for column in range(features.shape[1]):
        shuffled = features.copy()
        shuffled[:, column] = rng.permutation(shuffled[:, column])
        losses[column] = whole - _area(_judged(model, shuffled), weights, is_signal[chosen])
    return losses


def _characteristic(
    scores: Floats, weights: Floats, is_signal: npt.NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Shares of background and signal above scores, from the highest score down."""
    used = scores[weights != 0.0]
    edges = np.unique(np.quantile(used, np.linspace(0.0, 1.0, _N_POINTS)))
    edges[-1] = np.inf  # a histogram's last edge belongs to it
    shares = []
    for kind in (False, True):
        chosen = is_signal == kind
        counts, _ = np.histogram(scores[chosen], bins=edges, weights=weights[chosen])
        above = np.concatenate([[0.0], np.cumsum(counts[::-1])])
        shares.append(above / above[-1])
    return shares[0], shares[1]


def _area(scores: Floats, weights: Floats, is_signal: npt.NDArray[np.bool_]) -> float:
    false, true = _characteristic(scores, weights, is_signal)
    return float(np.sum(np.diff(false) * 0.5 * (true[1:] + true[:-1])))


def _distributions(
    scores: Floats, weights: Floats, is_signal: npt.NDArray[np.bool_]
) -> dict[str, Floats]:
    found = {}
    for name, chosen in (("signal", is_signal), ("background", ~is_signal)):
        counts, _ = np.histogram(scores[chosen], bins=_SCORE_EDGES, weights=weights[chosen])
        found[name] = np.asarray(counts / counts.sum())
    return found


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values)
    cumulative = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(cumulative, 0.5 * cumulative[-1])])
