"""From a run's histograms to the templates of a fit, with a record of what was changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fourlep.errors import FitError
from fourlep.physics.regions import EVERYWHERE
from fourlep.stats.binning import Requirement, common_binnings
from fourlep.stats.config import FitConfig, FitRegion
from fourlep.stats.effects import Effect, Record, Treatment, floored, pruned, smoothed
from fourlep.stats.run_directory import Run, TemplateSource, Variation
from fourlep.stats.templates import Floats, Template

#: How variations from the generator's weights begin.
_THEORY = "THEORY_"

#: Relative error of a total from which a variation that empties it is taken for chance.
_SPARSE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A process in a region."""

    process: str
    nominal: Template
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class PreparedRegion:
    """A region ready for the model.

    Parameters
    ----------
    region
        Its definition.
    edges : (n_bins + 1,) array
        Bin edges.
    samples
        Processes that have events there.
    data : (n_bins,) array
        Observed events; None where they are not to be looked at, or absent.
    """

    region: FitRegion
    edges: Floats
    samples: tuple[Sample, ...]
    data: Floats | None

    @property
    def expected(self) -> Floats:
        """(n_bins,) nominal expectation."""
        return np.asarray(np.sum([sample.nominal.values for sample in self.samples], axis=0))


@dataclass(frozen=True, slots=True, eq=False)
class Preparation:
    """Templates of every region and what was done to them."""

    regions: tuple[PreparedRegion, ...]
    treatments: tuple[Treatment, ...]
    variations: tuple[str, ...]

    @property
    def theory(self) -> dict[str, tuple[str, ...]]:
        """Theory variations that change something of a process, by process."""
        return _theory(self.regions)


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """Where templates come from: the file, the process names and the scale of simulation."""

    histograms: TemplateSource
    processes: tuple[str, ...]
    variations: tuple[Variation, ...]
    scale: float

    def nominal(self, region: FitRegion, process: str) -> Template:
        return self._read(region, process)

    def varied(self, region: FitRegion, process: str, suffix: str) -> Template:
        name = f"{process}_{suffix}"
        everywhere = replace(region, region=EVERYWHERE)
        if f"{region.folder}/{name}" not in self.histograms and (
            f"{everywhere.folder}/{name}" in self.histograms
        ):
            raise FitError(
                f"region {region.name}: {region.observable} in the region {region.region!r} has no "
                f"variations, {suffix} for one",
                remedy=f"fit it in the region {EVERYWHERE!r}, or a run without variations "
                "(payload = 'none', theory = 'none' in [corrections])",
            )
        return self._read(region, name)

    def _read(self, region: FitRegion, name: str) -> Template:
        template = self.histograms.read(region.folder, name).scaled(self.scale)
        return _binned(template, region)


def prepare(
    run: Run,
    histograms: TemplateSource,
    config: FitConfig,
    *,
    scale: float = 1.0,
    with_data: bool = True,
) -> Preparation:
    """Templates of every region.

    Parameters
    ----------
    run, histograms
        What is fitted.
    config
        How.
    scale
        What to multiply the simulation by.
    with_data
        Whether the observed events may be read.

    Raises
    ------
    FitError
        If a histogram is missing, a region is empty, or a total is negative.
    """
    processes = tuple(
        process for process in (*run.signals, *run.backgrounds) if process not in config.leave_out
    )
    if not any(process in run.signals for process in processes):
        raise FitError(
            "the run has no signal process",
            remedy="run a fileset with signal simulation, or leave out less",
        )
    source = _Source(histograms, processes, _chosen(run.variations, config), scale)
    treatments: list[Treatment] = []
    nominals = {region.name: _nominals(source, region, treatments) for region in config.regions}
    backgrounds = tuple(process for process in run.backgrounds if process in processes)
    requirement = Requirement(backgrounds, config.largest_background_error)
    binnings = common_binnings(config.regions, nominals, requirement, treatments)
    regions = tuple(
        _prepared(source, config, region, binnings[region.name], treatments, with_data=with_data)
        for region in config.regions
    )
    treatments += _superseded(config, _theory(regions))
    return Preparation(regions, tuple(treatments), tuple(v.name for v in source.variations))


def _theory(regions: Sequence[PreparedRegion]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for region in regions:
        for sample in region.samples:
            names = [effect.variation for effect in sample.effects]
            theory = [name for name in names if name.startswith(_THEORY)]
            if theory:
                found.setdefault(sample.process, {}).update(dict.fromkeys(theory))
    return {process: tuple(names) for process, names in found.items()}


def _superseded(config: FitConfig, theory: Mapping[str, tuple[str, ...]]) -> Iterator[Treatment]:
    """Yield the cross-sections' uncertainties that theory variations stand for."""
    for normalisation in filter(lambda item: item.is_cross_section, config.normalisations):
        for process in normalisation.processes or theory:
            if process in theory:
                detail = f"varied by {', '.join(theory[process])}"
                yield Treatment("cross-section in theory", "", process, normalisation.name, detail)


def _chosen(available: Sequence[Variation], config: FitConfig) -> tuple[Variation, ...]:
    if not config.variations:
        return tuple(available)
    by_name = {variation.name: variation for variation in available}
    missing = [name for name in config.variations if name not in by_name]
    if missing:
        raise FitError(
            f"the run has no variation {', '.join(missing)}",
            remedy=f"it has {', '.join(by_name) or 'none'}; run again with corrections",
        )
    return tuple(by_name[name] for name in config.variations)


def _binned(template: Template, region: FitRegion) -> Template:
    chosen = template.windowed(region.low, region.high)
    return chosen if region.edges is None else chosen.merged(region.edges)


def _nominals(
    source: _Source, region: FitRegion, treatments: list[Treatment]
) -> dict[str, Template]:
    """Nominal templates of the processes that have events in the region."""
    found: dict[str, Template] = {}
    for process in source.processes:
        template = source.nominal(region, process)
        if template.total < 0.0:
            raise FitError(
                f"process {process} has a negative total of {template.total:.3g} events "
                f"in region {region.name}",
                remedy="simulate more of it, widen the region, or "
                f"leave_out = [{process!r}] in [fit]",
            )
        if template.total == 0.0:
            treatments.append(Treatment("no events", region.name, process))
        else:
            found[process] = template
    if not found:
        raise FitError(
            f"region {region.name} is empty: no process expects an event in {region.folder} "
            f"from {region.low:g} to {region.high:g}",
            remedy="widen it, or leave it out of the configuration's regions",
        )
    return found


def _prepared(
    source: _Source,
    config: FitConfig,
    region: FitRegion,
    edges: Floats,
    treatments: list[Treatment],
    *,
    with_data: bool,
) -> PreparedRegion:
    samples = []
    for process in source.processes:
        raw = source.nominal(region, process).merged(edges)
        if raw.total != 0.0:
            record = Record(region.name, process, treatments)
            nominal = floored(raw, record)
            effects = tuple(_effects(source, config, region, nominal, record))
            samples.append(Sample(process, nominal, effects))
    data = _observed(source.histograms, region, edges) if with_data else None
    return PreparedRegion(region, edges, tuple(samples), data)


def _observed(histograms: TemplateSource, region: FitRegion, edges: Floats) -> Floats | None:
    if f"{region.folder}/data" not in histograms:
        return None
    data = _binned(histograms.read(region.folder, "data"), region).merged(edges).values
    if np.any(data < 0) or np.any(np.abs(data - np.rint(data)) > 1e-9):
        raise FitError(
            f"the data of region {region.name} are no event counts",
            remedy="data must not be weighted: run it again",
        )
    return np.asarray(np.rint(data))


def _effects(
    source: _Source, config: FitConfig, region: FitRegion, nominal: Template, record: Record
) -> Iterator[Effect]:
    """Yield what variations do to the process of ``record``, where they do anything."""
    for variation in source.variations:
        effect = _effect(source, region, nominal, record, variation)
        if effect is None:
            continue
        if config.smoothing == "353QH":
            effect = smoothed(effect, nominal)
            record.add("smoothed", variation.name, "353QH, twice")
        kept = pruned(effect, nominal, config, record)
        if kept is not None:
            yield kept


def _effect(
    source: _Source, region: FitRegion, nominal: Template, record: Record, variation: Variation
) -> Effect | None:
    """What one variation does; None where it moves the last simulated events out."""
    sides = {
        suffix: source.varied(region, record.process, suffix).merged(nominal.edges)
        for suffix in (variation.up, variation.down)
        if suffix
    }
    for suffix, varied in sides.items():
        if varied.total > 0.0:
            continue
        if not _is_sparse(nominal):
            raise FitError(
                f"variation {suffix} of {record.process} leaves {varied.total:.3g} events in "
                f"region {region.name}",
                remedy=f'leave the process out (leave_out = ["{record.process}"] in [fit]), or '
                "list the variations to use (variations = [...])",
            )
        record.add("too few events", variation.name, f"{suffix} leaves {varied.total:.3g} events")
        return None
    up, *down = (floored(varied, record, suffix) for suffix, varied in sides.items())
    return Effect(variation.name, up, down[0] if down else None)


def _is_sparse(nominal: Template) -> bool:
    """Whether the simulation hardly knows the rate: its own error covers what moves it."""
    return bool(np.sqrt(nominal.variances.sum()) >= _SPARSE * nominal.total)
