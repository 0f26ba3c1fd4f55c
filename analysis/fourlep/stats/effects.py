"""What variations do to templates: mending, smoothing and pruning, each recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fourlep.stats.config import FitConfig
from fourlep.stats.templates import Template

#: Relative effects below this are rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Treatment:
    """Something that was done to a template, for ``fit.json``.

    Parameters
    ----------
    kind
        "merged bins", "negative bins", "no events", "too few events", "pruned", "smoothed", and
        "cross-section in theory" for an uncertainty that theory variations stand for.
    region, process, variation
        What it was done to; "" where it concerns all.
    detail
        What exactly.
    """

    kind: str
    region: str
    process: str = ""
    variation: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """What is done to one process in one region is written here.

    Parameters
    ----------
    region, process
        Which.
    treatments
        Where the entries go.
    """

    region: str
    process: str
    treatments: list[Treatment]

    def add(self, kind: str, variation: str, detail: str) -> None:
        """Add an entry."""
        self.treatments.append(Treatment(kind, self.region, self.process, variation, detail))


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """What a variation does to a process in a region.

    Parameters
    ----------
    variation
        Source of uncertainty.
    up, down
        Varied templates; ``down`` is None where the upward one is to be mirrored.
    has_shape
        Whether the shape varies; otherwise only the rates of the templates count.
    """

    variation: str
    up: Template
    down: Template | None
    has_shape: bool = True


def floored(template: Template, record: Record, variation: str = "") -> Template:
    """Set negative bins to zero and scale the others so that the total stays.

    Parameters
    ----------
    template
        What may have negative bins; its total is positive.
    record
        Where it is written down.
    variation
        What it is a variation of, "" for the nominal template.
    """
    negative = template.values < 0.0
    if not np.any(negative):
        return template
    positive = np.where(negative, 0.0, template.values)
    values = positive * (template.total / positive.sum())
    where = ", ".join(
        f"[{low:g}, {high:g}): {value:.3g}"
        for low, high, value in zip(
            template.edges[:-1][negative],
            template.edges[1:][negative],
            template.values[negative],
            strict=True,
        )
    )
    record.add("negative bins", variation, where)
    return replace(template, values=values)


def smoothed(effect: Effect, nominal: Template) -> Effect:
    """Smooth the ratio of the varied templates to the nominal one; totals stay.

    The algorithm is Friedman's "353QH, twice" (CERN-74-23, p. 292), as cabinetry has it.
    Templates of fewer than three bins stay as they are.
    """
    from cabinetry.smooth import smooth_353qh_twice

    if len(nominal.values) < 3:
        return effect

    def smooth(template: Template) -> Template:
        ratio = np.divide(
            template.values,
            nominal.values,
            out=np.ones_like(nominal.values),
            where=nominal.values > 0.0,
        )
        values = smooth_353qh_twice(ratio) * nominal.values
        return replace(template, values=values * (template.total / values.sum()))

    down = None if effect.down is None else smooth(effect.down)
    return replace(effect, up=smooth(effect.up), down=down)


def pruned(effect: Effect, nominal: Template, config: FitConfig, record: Record) -> Effect | None:
    """Drop the parts of an effect that are too small to matter.

    Returns
    -------
    The effect, with or without its shape, or None where nothing is left of it.
    """
    sides = [side for side in (effect.up, effect.down) if side is not None]
    rate = max(abs(side.total / nominal.total - 1.0) for side in sides)
    shape = max(_shape_effect(side, nominal) for side in sides)
    keeps_rate = rate > max(config.prune_rate, _ROUNDING)
    has_bins = len(nominal.values) > 1  # one bin has no shape: nothing is lost
    keeps_shape = has_bins and shape > max(config.prune_shape, _ROUNDING)
    if keeps_rate and (keeps_shape or not has_bins):
        return replace(effect, has_shape=keeps_shape)
    parts = [name for name, kept in (("rate", keeps_rate), ("shape", keeps_shape)) if not kept]
    detail = f"{' and '.join(parts)} (rate {rate:.2g}, shape {shape:.2g})"
    record.add("pruned", effect.variation, detail)
    if keeps_rate:
        return replace(effect, has_shape=False)
    if not keeps_shape:
        return None
    down = None if effect.down is None else _at_rate(effect.down, nominal)
    return replace(effect, up=_at_rate(effect.up, nominal), down=down)


def _at_rate(side: Template, nominal: Template) -> Template:
    return side.scaled(nominal.total / side.total)


def _shape_effect(side: Template, nominal: Template) -> float:
    """Largest relative change of a bin once the totals agree."""
    filled = nominal.values > 0.0
    scaled = _at_rate(side, nominal).values[filled]
    return float(np.max(np.abs(scaled / nominal.values[filled] - 1.0)))
