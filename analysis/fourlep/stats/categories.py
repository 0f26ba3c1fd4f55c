"""Templates in categories of a discriminant's score.

Each signal region is divided in two at the score that halves the signal; m4l is fitted in
both. The candidates give the nominal templates and the data. Variations are not known
event by event: a category takes the relative change that the variation makes in the whole
region, bin by bin of m4l.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fourlep.errors import FitError
from fourlep.stats.candidates import CandidateTable
from fourlep.stats.config import COMBINED, SCORE_MARK, FitConfig
from fourlep.stats.discriminant import Training
from fourlep.stats.run_directory import Histograms
from fourlep.stats.templates import Template

#: Names of the categories.
LOW, HIGH = "low", "high"

#: Largest relative statistical error of a bin's background, where the configuration has
#: none: a category with little background has little simulation of it, too, and bins where
#: there is none by chance would pass for a gain.
_LARGEST_BACKGROUND_ERROR = 0.5


def categorised(config: FitConfig) -> FitConfig:
    """Divide every signal region into two categories, in bins that simulation can fill.

    Raises
    ------
    FitError
        If a signal region is not of m4l in everything selected, the only one that the
        candidates describe.
    """
    regions = []
    for region in config.regions:
        if region.is_control:
            regions.append(region)
            continue
        if (region.region, region.observable) != ("all", "m4l"):
            raise FitError(
                f"region {region.name} ({region.folder}) cannot be divided by the discriminant",
                remedy="fit m4l in the region 'all'",
            )
        regions += [
            replace(region, name=f"{region.name}_{score}", score=score) for score in (HIGH, LOW)
        ]
    largest = config.largest_background_error or _LARGEST_BACKGROUND_ERROR
    return replace(config, regions=tuple(regions), largest_background_error=largest)


@dataclass(frozen=True, slots=True, eq=False)
class CategoryHistograms:
    """The histograms of a run, with those of the categories made from candidates.

    Parameters
    ----------
    histograms
        Of the run.
    table, training
        Candidates and their scores.
    """

    histograms: Histograms
    table: CandidateTable
    training: Training

    def __contains__(self, name: str) -> bool:
        folder, _, leaf = name.rpartition("/")
        return f"{folder.partition(SCORE_MARK)[0]}/{leaf}" in self.histograms

    def read(self, folder: str, name: str) -> Template:
        """Read a histogram; see `Histograms.read`.

        Raises
        ------
        FitError
            If it is absent.
        """
        whole, _, score = folder.partition(SCORE_MARK)
        inclusive = self.histograms.read(whole, name)
        if not score:
            return inclusive
        channel = whole.partition("/")[0]
        process = self._process(name)
        counted = self._counted(channel, process, inclusive, score)
        if process == name:
            return counted
        nominal = self.histograms.read(whole, process)
        ratio = np.divide(
            inclusive.values,
            nominal.values,
            out=np.ones_like(nominal.values),
            where=nominal.values > 0.0,
        )
        return replace(counted, values=counted.values * ratio)

    def check(self, folder: str, process: str) -> None:
        """Check that the candidates are those of the histograms.

        Raises
        ------
        FitError
            If the categories of a process do not add up to its histogram.
        """
        inclusive = self.histograms.read(folder, process)
        parts = [self.read(f"{folder}{SCORE_MARK}{score}", process) for score in (LOW, HIGH)]
        total = parts[0].values + parts[1].values
        if not np.allclose(total, inclusive.values, rtol=1e-6, atol=1e-9):
            raise FitError(
                f"the candidates of {process} do not add up to {folder}/{process}",
                remedy="candidates.parquet is of another run: run again with --candidates",
            )

    def _process(self, name: str) -> str:
        """Longest process that the histogram's name begins with."""
        known = {"data", *np.unique(self.table.process).tolist()}
        if name in known:
            return name
        fitting = [process for process in known if name.startswith(f"{process}_")]
        return max(fitting, key=len, default=name)

    def _counted(self, channel: str, process: str, like: Template, score: str) -> Template:
        chosen = (self.table.process == process) & self._in_category(score)
        if channel != COMBINED:
            chosen &= self.table.channel == channel
        return Template.filled(like.edges, self.table.m4l[chosen], self.table.weight[chosen])

    def _in_category(self, score: str) -> npt.NDArray[np.bool_]:
        above = self.training.scores >= self.training.threshold
        return above if score == HIGH else ~above
