"""From a run directory to its figures."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fourlep.datasets.model import DATA
from fourlep.physics.cutflow import TOTAL
from fourlep.physics.histograms import ALL_CHANNELS
from fourlep.physics.regions import EVERYWHERE
from fourlep.pipeline.axes import AXES, axis
from fourlep.pipeline.caches import CacheSample
from fourlep.pipeline.normalise import FITTED
from fourlep.pipeline.outputs import RunHistograms, open_histograms, read_cutflow
from fourlep.pipeline.record import RunRecord
from fourlep.plots.plane import Plane, draw_plane
from fourlep.plots.spectrum import Contribution, Spectrum, draw_spectrum
from fourlep.plots.steps import Steps, draw_steps
from fourlep.plots.style import Caption, channel_title, save
from fourlep.plots.timeline import Served, Timeline, draw_served, draw_timeline
from fourlep.report import FigureBlock
from fourlep.stats.run_directory import paired

FOLDER = "plots"

#: Where data stays hidden until told otherwise: the Higgs window, GeV.
BLIND_WINDOW = (115.0, 130.0)

#: The region outside of it, whose data may be shown while blind.
SIDEBAND = "sideband"

_NAMES = {"lepton_pt": "lepton pT", "lepton_eta": "lepton eta"}

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _View:
    """A run directory as the figures see it."""

    directory: Path
    record: RunRecord
    histograms: RunHistograms
    is_blind: bool

    @property
    def simulated(self) -> list[str]:
        """Processes that add up to the expectation: not data, and no alternative samples."""
        return [
            name
            for name, process in self.record.processes.items()
            if process.role in {"signal", "background"}
        ]

    @property
    def open_region(self) -> str:
        """Region in which all observables of data may be shown; "" where there is none."""
        if not self.is_blind:
            return EVERYWHERE
        return SIDEBAND if _is_outside(BLIND_WINDOW, _sidebands(self.record)) else ""

    def caption(self, *details: str) -> Caption:
        luminosity = self.record.named_luminosity_ifb
        shown = (self.record.selection, *details)
        return Caption(luminosity, self.record.synthetic, shown, self.record.observed)

    def title(self, channel: str) -> str:
        """Title of a channel; that of the only one for the sum of one."""
        only = self.record.channels[0] if len(self.record.channels) == 1 else channel
        return channel_title(only)

    def sentence(self, channel: str) -> str:
        """The same in words."""
        if len(self.record.channels) == 1:
            return f"channel {self.record.channels[0]}"
        return "all channels" if channel == ALL_CHANNELS else f"channel {channel}"

    def read(self, channel: str, region: str, name: str) -> tuple[Floats, Floats, Floats]:
        return self.histograms.spectrum(f"{channel}/{region}/{name}")


def _sidebands(record: RunRecord) -> Floats:
    """(n, 2) ranges of m4l of the sidebands as they were configured; none where unknown."""
    regions = record.configuration["selection"]["config"].get("regions", {})
    ranges = regions.get(SIDEBAND, ()) if isinstance(regions, Mapping) else ()
    return np.reshape(np.asarray(ranges, dtype=np.float64), (-1, 2))


def _is_outside(window: tuple[float, float], ranges: Floats) -> bool:
    """Whether there are ranges, and none reaches into the window."""
    low, high = ranges.T
    return bool(len(ranges)) and bool(np.all((high <= window[0]) | (low >= window[1])))


def draw_run(directory: Path, record: RunRecord, *, unblind: bool) -> tuple[FigureBlock, ...]:
    """Draw every figure of a run into ``DIR/plots``.

    Parameters
    ----------
    directory
        Of the run.
    record
        Its ``run.json``.
    unblind
        Show data in the Higgs window even where it is observed data.

    Returns
    -------
    The figures, in the order of the report.
    """
    with open_histograms(directory) as histograms:
        view = _View(directory, record, histograms, is_blind=record.observed and not unblind)
        return tuple(_draw_all(view))


def forget_undrawn(directory: Path, record: RunRecord, drawn: Collection[str]) -> None:
    """Remove figures of an earlier page that a page has no more: they may show hidden data.

    Parameters
    ----------
    directory
        Of the run.
    record
        Its ``run.json``.
    drawn
        Names, without endings, of the figures that stay.
    """
    channels = dict.fromkeys((ALL_CHANNELS, *record.channels))
    spectra = {f"{name}_{channel}" for name in record.observables for channel in channels}
    for name in {*spectra, "cutflow", "timeline", "caches"}.difference(drawn):
        for ending in (".png", ".pdf"):
            (directory / FOLDER / f"{name}{ending}").unlink(missing_ok=True)


def _draw_all(view: _View) -> Iterator[FigureBlock]:
    if view.record.n_selected == 0:
        yield _cutflow(view)
        return
    observables = list(_observables(view))
    channels = [ALL_CHANNELS, *(c for c in view.record.channels if c != ALL_CHANNELS)]
    for channel in channels if len(channels) > 2 else channels[:1]:
        if "m4l" in observables:
            yield _spectrum(view, channel, "m4l")
    if "m12_m34" in view.record.observables and (view.simulated or not view.is_blind):
        yield _plane(view)
    for observable in observables:
        if observable != "m4l" and (view.simulated or view.open_region):
            yield _spectrum(view, ALL_CHANNELS, observable)
    yield _cutflow(view)


def _observables(view: _View) -> Iterator[str]:
    """Yield what is not a plane: first what every selection may have, then its own."""
    yield from (name for name in AXES if name in view.record.observables)
    any_process = next(iter(view.record.processes))
    for name in view.record.observables:
        path = f"{ALL_CHANNELS}/{EVERYWHERE}/{name}/{any_process}"
        if name not in AXES and not view.histograms.is_plane(path):
            yield name


def _spectrum(view: _View, channel: str, observable: str) -> FigureBlock:
    label, unit = axis(view.histograms, observable, next(iter(view.record.processes)))
    # While blind, other observables show data of the sidebands alone.
    region = EVERYWHERE if observable == "m4l" else view.open_region
    shown = region or EVERYWHERE
    contributions = []
    edges = np.zeros(0)
    for process in view.simulated:
        edges, values, variances = view.read(channel, shown, f"{observable}/{process}")
        is_signal = view.record.processes[process].role == "signal"
        contributions.append(Contribution(process, values, variances, is_signal))
    contributions.sort(key=lambda contribution: float(contribution.values.sum()))
    data = None
    if DATA in view.record.processes and region:
        edges, data, _ = view.read(channel, shown, f"{observable}/{DATA}")
    systematic = _systematic_variances(view, channel, shown, observable)
    hidden = BLIND_WINDOW if view.is_blind and observable == "m4l" else None
    spectrum = Spectrum(edges, label, unit, tuple(contributions), data, hidden, systematic)
    details = [view.title(channel)] + ([shown] if shown != EVERYWHERE else [])
    figure = draw_spectrum(spectrum, view.caption(", ".join(details)))
    png, _ = save(figure, view.directory / FOLDER / f"{observable}_{channel}")
    name = _NAMES.get(observable, observable)
    return FigureBlock(png, f"{name}, {view.sentence(channel)}" + _blind_note(view, observable))


def _blind_note(view: _View, observable: str) -> str:
    """Say which data a figure does not show."""
    if not view.is_blind or DATA not in view.record.processes:
        return ""
    if observable == "m4l":
        low, high = BLIND_WINDOW
        return f"; data between {low:g} and {high:g} GeV is hidden until --unblind"
    where = " outside the sidebands" if view.open_region else ""
    return f"; data{where} is hidden until --unblind"


def _systematic_variances(view: _View, channel: str, region: str, observable: str) -> Floats | None:
    """Sum of the squared half differences of up and down; None where none is kept.

    Each source is fully correlated between processes; a variation without a partner counts
    with its difference to nominal.
    """
    is_kept = observable == FITTED or region == EVERYWHERE
    if not view.record.variations or not is_kept:
        return None
    nominal = _total(view, channel, region, observable, "")
    squares = np.zeros_like(nominal)
    for source in paired(view.record.variations):
        high = _total(view, channel, region, observable, f"_{source.up}")
        low = (
            _total(view, channel, region, observable, f"_{source.down}")
            if source.down
            else 2 * nominal - high
        )
        squares += (0.5 * (high - low)) ** 2
    return squares


def _total(view: _View, channel: str, region: str, observable: str, suffix: str) -> Floats:
    parts = [
        view.read(channel, region, f"{observable}/{process}{suffix}")[1]
        for process in view.simulated
    ]
    return np.asarray(np.sum(parts, axis=0), dtype=np.float64)


def draw_progress(directory: Path, record: RunRecord) -> FigureBlock | None:
    """Draw how a run went over time; None where it was over before it could be sampled.

    Sessions of a resumed run follow one another without the time between them.
    """
    samples = record.metrics.samples
    if len(samples) < 2:
        return None
    elapsed: list[float] = []
    offset = 0.0
    for position, sample in enumerate(samples):
        if position and sample.session != samples[position - 1].session:
            offset = elapsed[-1]
        elapsed.append(offset + sample.elapsed_s)
    timeline = Timeline(
        np.array(elapsed),
        np.array([sample.n_done for sample in samples], dtype=np.float64),
        np.array([sample.read_bytes for sample in samples], dtype=np.float64),
    )
    caption = Caption(None, record.synthetic, (record.fileset,))
    png, _ = save(draw_timeline(timeline, caption), directory / FOLDER / "timeline")
    return FigureBlock(png, "Files done and bytes asked for over the time of the run", is_wide=True)


def draw_caches(directory: Path, record: RunRecord) -> FigureBlock | None:
    """Draw what the caches served over time; None where they could not be asked twice."""
    caches = [cache.samples for cache in record.caches if len(cache.samples) > 1]
    if not caches:
        return None
    elapsed = np.unique([sample.elapsed_s for samples in caches for sample in samples])

    def total(values: Callable[[CacheSample], float]) -> Floats:
        served: Floats = np.zeros(len(elapsed))
        for samples in caches:
            times = [sample.elapsed_s for sample in samples]
            served += np.interp(elapsed, times, [values(sample) for sample in samples])
        return served

    served = Served(elapsed, total(lambda s: s.hit_bytes), total(lambda s: s.origin_bytes))
    caption = Caption(None, record.synthetic, (record.fileset,))
    png, _ = save(draw_served(served, caption), directory / FOLDER / "caches")
    return FigureBlock(
        png, "What the caches served over the time of the run, to all their clients", is_wide=True
    )


def _plane(view: _View) -> FigureBlock:
    x_edges, y_edges, expected = _plane_sum(view, view.simulated)
    signal = [n for n in view.simulated if view.record.processes[n].role == "signal"]
    data = None
    if DATA in view.record.processes and not view.is_blind:
        x_edges, y_edges, data = _plane_sum(view, [DATA])
    plane = Plane(
        x_edges,
        y_edges,
        expected if view.simulated else np.zeros((len(x_edges) - 1, len(y_edges) - 1)),
        _plane_sum(view, signal)[2] if signal else None,
        data,
    )
    caption = view.caption(view.title(ALL_CHANNELS))
    png, _ = save(draw_plane(plane, caption), view.directory / FOLDER / "m12_m34_4l")
    note = "; data is hidden until --unblind" if view.is_blind else ""
    return FigureBlock(png, "m34 against m12, all channels" + note)


def _plane_sum(view: _View, names: Sequence[str]) -> tuple[Floats, Floats, Floats]:
    total, x_edges, y_edges = np.zeros((0, 0)), np.zeros(0), np.zeros(0)
    for name in names:
        x_edges, y_edges, values = view.histograms.plane(f"{ALL_CHANNELS}/all/m12_m34/{name}")
        total = values if total.size == 0 else total + values
    return x_edges, y_edges, total


def _cutflow(view: _View) -> FigureBlock:
    table = read_cutflow(view.directory)
    rows = next(iter(table.values()))
    events = []
    for process, flow in table.items():
        numbers = [row["expected"] if process != DATA else row["raw"] for row in flow]
        if all(number is not None for number in numbers):
            events.append((process, tuple(float(number[TOTAL]) for number in numbers)))
    steps = Steps(tuple(row["title"] for row in rows), tuple(events))
    png, _ = save(draw_steps(steps, view.caption()), view.directory / FOLDER / "cutflow")
    return FigureBlock(png, "Events left after each requirement, at all masses", is_wide=True)
