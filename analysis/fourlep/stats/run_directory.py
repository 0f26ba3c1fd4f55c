"""What a fit reads of a run: ``run.json`` and ``histograms.root``."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from fourlep.errors import FitError, IncompleteRunError
from fourlep.stats.templates import Template

#: Name of the central value among the variations.
_NOMINAL = "nominal"

#: How the two sides of a variation end; the first pair is how fourlep writes them.
_SIDES = (("__1up", "__1down"), ("_up", "_down"), ("UP", "DOWN"))


@dataclass(frozen=True, slots=True)
class Variation:
    """A source of uncertainty and the names of its histograms' two sides.

    Parameters
    ----------
    name
        Name of the source, which becomes the nuisance parameter.
    up
        Suffix of the upward histogram.
    down
        Suffix of the downward one, "" where there is only one side.
    """

    name: str
    up: str
    down: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """What ``run.json`` says of a run.

    Parameters
    ----------
    directory
        Where the run is.
    fingerprint
        Tells this run from every other.
    selection
        Name of the selection.
    luminosity_ifb
        What the simulation is normalised to; None where it is not.
    is_complete, missing
        Whether every file is in the sums, and which are not.
    is_synthetic
        Whether the events are the stand-in's.
    is_observed
        Whether ``data`` is real data.
    signals, backgrounds
        Names of the simulated processes.
    variations
        Sources of uncertainty that have histograms.
    """

    directory: Path
    fingerprint: str
    selection: str
    luminosity_ifb: float | None
    is_complete: bool
    missing: tuple[str, ...]
    is_synthetic: bool
    is_observed: bool
    signals: tuple[str, ...]
    backgrounds: tuple[str, ...]
    variations: tuple[Variation, ...]


def read_run(directory: Path) -> Run:
    """Read ``run.json`` of a run.

    Raises
    ------
    FitError
        If it is absent or not what a run writes.
    """
    path = directory / "run.json"
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        roles = {name: process["role"] for name, process in content["processes"].items()}
        luminosity = content["luminosity_ifb"]
        return Run(
            directory=directory,
            fingerprint=str(content["fingerprint"]),
            selection=str(content["selection"]),
            luminosity_ifb=None if luminosity is None else float(luminosity),
            is_complete=bool(content["complete"]),
            missing=tuple(str(item["url"]) for item in content["missing"]),
            is_synthetic=bool(content["synthetic"]),
            is_observed=bool(content["observed"]),
            signals=tuple(name for name, role in roles.items() if role == "signal"),
            backgrounds=tuple(name for name, role in roles.items() if role == "background"),
            variations=paired([name for name in content["variations"] if name != _NOMINAL]),
        )
    except FileNotFoundError as error:
        raise FitError(
            f"{directory} holds no run: run.json is absent",
            remedy="give the directory that `fourlep run --output DIR` wrote",
        ) from error
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise FitError(
            f"{path} is not what a run writes: {error!r}", remedy="run `fourlep run` again"
        ) from error


def paired(names: Sequence[str]) -> tuple[Variation, ...]:
    """Find sources of uncertainty from the names of varied histograms.

    Examples
    --------
    >>> paired(["EG_SCALE_ALL__1up", "EG_SCALE_ALL__1down", "PILEUP__1up"])
    (Variation(name='EG_SCALE_ALL', up='EG_SCALE_ALL__1up', down='EG_SCALE_ALL__1down'), \
Variation(name='PILEUP', up='PILEUP__1up', down=''))
    """
    known = set(names)
    found: dict[str, Variation] = {}
    for name in names:
        for up, down in _SIDES:
            if name.endswith(up):
                source = name.removesuffix(up)
                other = source + down
                found[source] = Variation(source, name, other if other in known else "")
            elif name.endswith(down) and name.removesuffix(down) + up in known:
                pass  # comes with its other side
            else:
                continue
            break
        else:
            found[name] = Variation(name, name)
    return tuple(found.values())


def luminosity_scale(run: Run, luminosity_ifb: float | None) -> tuple[float, float]:
    """Find what to multiply the simulation by, and which luminosity it then stands for.

    Parameters
    ----------
    run
        The run.
    luminosity_ifb
        Luminosity that the data is to be taken for, 1/fb; None for the run's own.

    Raises
    ------
    IncompleteRunError
        If the run is incomplete and no luminosity is given.
    FitError
        If the luminosity is not positive, or the run's simulation is not normalised.
    """
    if luminosity_ifb is None and not run.is_complete:
        shown = ", ".join(run.missing[:3]) + (", ..." if len(run.missing) > 3 else "")
        raise IncompleteRunError(
            f"the run in {run.directory} is incomplete: {len(run.missing)} missing ({shown})",
            remedy="finish it with `fourlep run --resume`, or say which luminosity its data "
            "stands for with --luminosity-ifb X",
        )
    if luminosity_ifb is not None and not 0.0 < luminosity_ifb < math.inf:
        raise FitError(
            f"a luminosity of {luminosity_ifb:g}/fb has no meaning",
            remedy="give --luminosity-ifb a positive number",
        )
    if run.luminosity_ifb is None:
        raise FitError(
            f"the simulation in {run.directory} is not normalised",
            remedy="run it again with a luminosity, so that histograms.root holds events",
        )
    wanted = run.luminosity_ifb if luminosity_ifb is None else luminosity_ifb
    return wanted / run.luminosity_ifb, wanted


class TemplateSource(Protocol):
    """Where templates come from."""

    def __contains__(self, name: str) -> bool:
        """Whether there is a histogram ``FOLDER/NAME``."""
        ...

    def read(self, folder: str, name: str) -> Template:
        """Read ``folder/name``; a FitError where it is absent."""
        ...


class Histograms:
    """The histograms of ``histograms.root``, read when they are asked for.

    Use `open_histograms`.
    """

    __slots__ = ("_cache", "_file", "_names", "_path")

    def __init__(self, file: Any, path: Path) -> None:
        self._file = file
        self._path = path
        with _undamaged(path):
            self._names = frozenset(file.keys(cycle=False, filter_classname="TH1*"))
        self._cache: dict[str, Template] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def read(self, folder: str, name: str) -> Template:
        """Read ``folder/name``.

        Raises
        ------
        FitError
            If it is absent, naming what there is instead, or holds NaN.
        """
        key = f"{folder}/{name}"
        if key not in self._names:
            raise FitError(f"{self._path} lacks {key}", remedy=self._nearby(folder))
        if key not in self._cache:
            self._cache[key] = self._template(key)
        return self._cache[key]

    def _template(self, key: str) -> Template:
        with _undamaged(self._path):
            histogram = self._file[key]
            values = np.asarray(histogram.values(), dtype=np.float64)
            variances = np.asarray(histogram.variances(), dtype=np.float64)
            edges = np.asarray(histogram.axis().edges(), dtype=np.float64)
        if not (np.all(np.isfinite(values)) and np.all(np.isfinite(variances))):
            raise FitError(
                f"{key} in {self._path} holds NaN or infinite contents",
                remedy="run it again; `fourlep failed DIR` lists suspicious files",
            )
        return Template(edges, values, variances)

    def _nearby(self, folder: str) -> str:
        inside = sorted(
            name.rpartition("/")[2] for name in self._names if name.rpartition("/")[0] == folder
        )
        if inside:
            return f"{folder} holds {', '.join(inside[:12])}{', ...' if len(inside) > 12 else ''}"
        folders = sorted({name.rpartition("/")[0] for name in self._names})
        return f"there are {', '.join(folders[:12])}; choose regions with --config"


@contextmanager
def open_histograms(run: Run) -> Iterator[Histograms]:
    """Open ``histograms.root`` of a run.

    Raises
    ------
    FitError
        If it is absent or no ROOT file.
    """
    import uproot

    path = run.directory / "histograms.root"
    with _undamaged(path):
        file = uproot.open(path)
    with file:
        yield Histograms(file, path)


@contextmanager
def _undamaged(path: Path) -> Iterator[None]:
    """Translate what uproot raises, which over damaged bytes is anything at all."""
    try:
        yield
    except Exception as error:  # said above
        raise FitError(
            f"{path} cannot be read: {error}".splitlines()[0],
            remedy="write it anew with `fourlep run --resume`",
        ) from error
