"""Signal templates of another Higgs boson mass, made of the candidates of the simulated one.

The four-lepton mass of every simulated signal candidate is scaled by the ratio of the
masses, which moves the peak and its tails and keeps the relative resolution. Selection,
channel and rate stay those of the simulated mass: that holds for shifts of a few per cent,
and is why the mass is looked for between `LOWEST` and `HIGHEST` only. Strengths are
therefore relative to the Standard Model at the simulated mass.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fourlep.errors import FitError
from fourlep.stats.candidates import CandidateTable
from fourlep.stats.config import COMBINED
from fourlep.stats.effects import Record, floored
from fourlep.stats.preparation import Preparation, PreparedRegion
from fourlep.stats.run_directory import Run
from fourlep.stats.templates import Floats, Template
from fourlep.stats.workspace import Workspace

#: Mass that the signal samples were simulated with, GeV.
SIMULATED = 125.0

#: Masses that scaled candidates describe, GeV.
LOWEST, HIGHEST = 120.0, 130.0


@dataclass(frozen=True, slots=True, eq=False)
class MassTemplates:
    """A workspace whose signal can be moved to another mass.

    Use `mass_templates`.

    Parameters
    ----------
    workspace
        At the simulated mass.
    regions
        Signal regions, by name.
    table
        Simulated signal candidates, weights as in the workspace.
    signals
        Names of the signal processes.
    """

    workspace: Workspace
    regions: dict[str, PreparedRegion]
    table: CandidateTable
    signals: tuple[str, ...]

    def at(self, mass: float) -> Workspace:
        """Make the workspace of another mass, GeV.

        Shapes of variations move along: their ratio to the nominal template, bin by bin,
        is read off at the scaled mass. Relative changes of rates stay.

        Raises
        ------
        FitError
            If a signal process is left without events.
        """
        moved = copy.deepcopy(self.workspace)
        for region, sample in self._samples(moved):
            nominal = self._template(region, sample["name"], mass)
            for modifier in sample["modifiers"]:
                if modifier["type"] == "histosys":
                    shapes = modifier["data"]
                    for side in ("hi_data", "lo_data"):
                        ratio = _ratio(np.array(shapes[side]), np.array(sample["data"]))
                        shapes[side] = _reshaped(nominal, ratio, mass).tolist()
                elif modifier["type"] == "staterror":
                    modifier["data"] = np.sqrt(nominal.variances).tolist()
            sample["data"] = nominal.values.tolist()
        return moved

    def check(self) -> None:
        """Check that the candidates are those of the workspace.

        Raises
        ------
        FitError
            If they do not add up to its templates at the simulated mass.
        """
        for region, sample in self._samples(self.workspace):
            found = self._template(region, sample["name"], SIMULATED).values
            if not np.allclose(found, sample["data"], rtol=1e-6, atol=1e-9):
                raise FitError(
                    f"the candidates of {sample['name']} do not add up to its histogram in "
                    f"region {region.region.name}",
                    remedy="candidates.parquet is of another run: run again with --candidates",
                )

    def _samples(self, workspace: Workspace) -> Iterator[tuple[PreparedRegion, dict[str, Any]]]:
        for channel in workspace["channels"]:
            if channel["name"] in self.regions:
                for sample in channel["samples"]:
                    if sample["name"] in self.signals:
                        yield self.regions[channel["name"]], sample

    def _template(self, region: PreparedRegion, process: str, mass: float) -> Template:
        chosen = self.table.process == process
        if region.region.channel != COMBINED:
            chosen = chosen & (self.table.channel == region.region.channel)
        m4l = self.table.m4l[chosen] * (mass / SIMULATED)
        counted = Template.filled(region.edges, m4l, self.table.weight[chosen])
        if counted.total <= 0.0:
            raise FitError(
                f"{process} has no events in region {region.region.name} at a mass of "
                f"{mass:.1f} GeV",
                remedy=f"simulate more of it, or leave_out = [{process!r}] in [fit]",
            )
        return floored(counted, Record(region.region.name, process, []))


def mass_templates(
    run: Run,
    preparation: Preparation,
    workspace: Workspace,
    table: CandidateTable,
    *,
    scale: float = 1.0,
) -> MassTemplates:
    """Prepare a workspace for other masses.

    Parameters
    ----------
    run, preparation, workspace
        What is fitted at the simulated mass.
    table
        Candidates of the run.
    scale
        What the simulation was multiplied by.

    Raises
    ------
    FitError
        If a signal region is not of m4l in everything selected, or the candidates are not
        those of the workspace.
    """
    regions = {}
    for prepared in preparation.regions:
        region = prepared.region
        if region.is_control:
            continue
        if (region.region, region.observable) != ("all", "m4l"):
            raise FitError(
                f"region {region.name} ({region.folder}) knows no mass",
                remedy="fit m4l in the region 'all'",
            )
        regions[region.name] = prepared
    is_signal = np.isin(table.process, run.signals)
    signal = CandidateTable(
        process=table.process[is_signal],
        channel=table.channel[is_signal],
        weight=table.weight[is_signal] * scale,
        m4l=table.m4l[is_signal],
        features=table.features[is_signal],
        identity=table.identity[is_signal],
    )
    templates = MassTemplates(workspace, regions, signal, run.signals)
    templates.check()
    return templates


def _ratio(varied: Floats, nominal: Floats) -> Floats:
    return np.divide(varied, nominal, out=np.ones_like(nominal), where=nominal > 0.0)


def _reshaped(nominal: Template, ratio: Floats, mass: float) -> Floats:
    """Vary a template by a ratio that was found at the simulated mass; its total stays."""
    centres = 0.5 * (nominal.edges[1:] + nominal.edges[:-1])
    values = nominal.values * np.interp(centres * (SIMULATED / mass), centres, ratio)
    return np.asarray(values * (nominal.total / values.sum()))
