"""The machine-learned discriminant of ``fourlep fit --discriminant``: learn, compare, draw."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fourlep.plots.fit_discriminant import (
    Characteristic,
    draw_characteristic,
    draw_importances,
    draw_scores,
)
from fourlep.plots.style import Caption, save
from fourlep.stats.candidates import read_candidates
from fourlep.stats.categories import CategoryHistograms, categorised
from fourlep.stats.config import FitConfig
from fourlep.stats.discriminant import Gain, Training, train
from fourlep.stats.likelihood import likelihood
from fourlep.stats.preparation import prepare
from fourlep.stats.run_directory import Histograms, Run
from fourlep.stats.significance import discovery
from fourlep.stats.workspace import build_workspace


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """A discriminant made ready for a fit.

    Parameters
    ----------
    training
        What was learned.
    histograms, config
        Templates and configuration of the categories.
    expected_without
        Significance that is expected from m4l alone.
    """

    training: Training
    histograms: CategoryHistograms
    config: FitConfig
    expected_without: float

    def gain(self, expected_with: float) -> Gain:
        """Compare with the significance that is expected in the categories."""
        return Gain(
            area=self.training.area,
            area_seen=self.training.area_seen,
            threshold=self.training.threshold,
            importances=self.training.importances,
            expected_without=self.expected_without,
            expected_with=expected_with,
        )


def learn(
    run: Run, config: FitConfig, histograms: Histograms, *, scale: float, with_data: bool
) -> Learned:
    """Train on the run's candidates and divide the signal regions.

    Parameters
    ----------
    run, config, histograms
        What is fitted without a discriminant.
    scale
        What to multiply the simulation by.
    with_data
        Whether the data's candidates may be read.

    Raises
    ------
    FitError
        If there are no candidates, too few, or those of another run.
    """
    table = read_candidates(run, with_data=with_data)
    regions = config.signal_regions
    low, high = min(region.low for region in regions), max(region.high for region in regions)
    divided = categorised(config)
    training = train(run, table, low=low, high=high)
    categories = CategoryHistograms(histograms, table, training)
    for region in regions:
        for process in (*run.signals, *run.backgrounds):
            if process not in config.leave_out:
                categories.check(region.folder, process)
    preparation = prepare(run, histograms, config, scale=scale, with_data=False)
    model, _ = likelihood(build_workspace(run, config, preparation))
    without = discovery(model, model.expected(model.nominal()))
    return Learned(training, categories, divided, without.z)


def draw_learned(learned: Learned, caption: Caption, folder: Path) -> None:
    """Draw the characteristic, the scores with the over-training check, the importances.

    Parameters
    ----------
    learned
        What to show.
    caption
        Above each frame.
    folder
        Where the figures go.
    """
    training = learned.training
    curve = Characteristic(
        training.false_positive, training.true_positive, training.area, training.area_seen
    )
    save(draw_characteristic(curve, caption), folder / "discriminant_roc")
    scores = draw_scores(
        training.score_edges, training.held_out, training.seen, training.threshold, caption
    )
    save(scores, folder / "discriminant_scores")
    save(draw_importances(training.importances, caption), folder / "discriminant_importances")
