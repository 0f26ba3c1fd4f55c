"""``fourlep fit``: from a run directory to a measurement, its numbers and its figures.

Everything is computed and drawn before anything is put into the run directory, so that a
fit that fails leaves neither number nor figure.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fourlep.config.toml import read_tables, structure
from fourlep.execution.durable import output_error, write_whole
from fourlep.pipeline.configure import SECTIONS
from fourlep.pipeline.figures import FOLDER
from fourlep.pipeline.fit_discriminant import Learned, draw_learned, learn
from fourlep.pipeline.fit_figures import draw_fit, fit_caption
from fourlep.pipeline.fit_mass import draw_mass, measure_mass
from fourlep.pipeline.page import write_report
from fourlep.stats.config import FitConfig, config_for, mode_configs
from fourlep.stats.discriminant import Gain
from fourlep.stats.document import Document, document
from fourlep.stats.mass import MassFit
from fourlep.stats.measurement import Measurement, StrengthResult, measure, measure_strength
from fourlep.stats.preparation import Preparation, prepare
from fourlep.stats.run_directory import (
    Run,
    TemplateSource,
    luminosity_scale,
    open_histograms,
    read_run,
)
from fourlep.stats.workspace import Workspace, build_workspace, read_workspace

FIT = "fit.json"
WORKSPACE = "workspace.json"

#: Figures of a fit begin with this.
PREFIX = "fit_"

#: The folder in which they are drawn at first.
_UNFINISHED = ".fit-"

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How to fit.

    Parameters
    ----------
    config
        TOML file with a ``[fit]`` table.
    workspace
        Workspace to fit instead of building one; it must be of the same run.
    unblind
        Look at observed data.
    luminosity_ifb
        Luminosity that the data stands for, 1/fb, where that is not the run's.
    per_mode
        One strength for each production mode.
    discriminant
        Fit m4l in categories of a machine-learned discriminant.
    mass
        Also fit the Higgs boson mass, together with the strength.
    n_toys, seed
        Pseudo-experiments for the p-values.
    """

    config: Path | None = None
    workspace: Path | None = None
    unblind: bool = False
    luminosity_ifb: float | None = None
    per_mode: bool = False
    discriminant: bool = False
    mass: bool = False
    n_toys: int = 0
    seed: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What a fit was made from and what it found."""

    run: Run
    config: FitConfig
    preparation: Preparation
    workspace: Workspace
    measurement: Measurement
    luminosity_ifb: float
    modes: tuple[StrengthResult, ...] = ()
    learned: Learned | None = None
    mass: MassFit | None = None

    @property
    def gain(self) -> Gain | None:
        """What the discriminant gains, where there is one."""
        if self.learned is None:
            return None
        return self.learned.gain(self.measurement.strengths[0].expected.z)


def fit(
    directory: Path,
    options: FitOptions | None = None,
    *,
    progress: Progress = lambda _: None,
) -> Document:
    """Fit a run; write ``workspace.json``, ``fit.json``, the figures and the report.

    Parameters
    ----------
    directory
        Of the run.
    options
        How; by default as the selection's configuration says, blinded where the data is
        observed.
    progress
        Told what is being done.

    Returns
    -------
    The content of ``fit.json``.

    Raises
    ------
    FitError
        If the model cannot be built or the fit does not converge.
    IncompleteRunError
        If the run is incomplete and no luminosity is given.
    OutputError
        If the results cannot be written.
    """
    chosen = options or FitOptions()
    fitted = _measure(directory, chosen, progress)
    content = document(
        fitted.run,
        fitted.config,
        fitted.preparation,
        fitted.measurement,
        luminosity_ifb=fitted.luminosity_ifb,
        modes=fitted.modes,
        discriminant=fitted.gain,
        mass=fitted.mass,
    )
    progress("figures")
    _write(directory, content, fitted)
    write_report(directory, unblind=chosen.unblind)
    return content


def forget(directory: Path) -> None:
    """Remove what a fit wrote: the run's sums are others now.

    Raises
    ------
    OutputError
        If it cannot be removed.
    """
    figures = (directory / FOLDER).glob(f"{PREFIX}*")
    try:
        _forget_unfinished(directory)
        for path in (directory / FIT, directory / WORKSPACE, *figures):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise output_error(directory, error) from error


def _forget_unfinished(directory: Path) -> None:
    """Remove what a fit that was killed had drawn."""
    for folder in directory.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(folder)


def _measure(directory: Path, options: FitOptions, progress: Progress) -> Fitted:
    run = read_run(directory)
    whole = config = fit_config(options.config, run.selection)
    scale, luminosity_ifb = luminosity_scale(run, options.luminosity_ifb)
    progress("templates")
    hides_data = run.is_observed and not options.unblind
    learned = mass = None
    with open_histograms(run) as histograms:
        source: TemplateSource = histograms
        if options.discriminant:
            progress("discriminant")
            learned = learn(run, config, histograms, scale=scale, with_data=not hides_data)
            source, config = learned.histograms, learned.config
        preparation = prepare(run, source, config, scale=scale, with_data=not hides_data)
        if options.mass:
            mass = measure_mass(
                run, whole, histograms, scale=scale, with_data=not hides_data, progress=progress
            )
    has_data = all(region.data is not None for region in preparation.regions)
    progress("workspace")
    if options.workspace is None:
        workspace = build_workspace(run, config, preparation)
    else:
        workspace = read_workspace(options.workspace, run)
    measurement = measure(
        workspace,
        config,
        preparation,
        is_blinded=not has_data,
        n_toys=options.n_toys,
        seed=options.seed,
        progress=progress,
    )
    modes = _modes(run, config, preparation, measurement, progress) if options.per_mode else ()
    return Fitted(
        run, config, preparation, workspace, measurement, luminosity_ifb, modes, learned, mass
    )


def _modes(
    run: Run,
    config: FitConfig,
    preparation: Preparation,
    measurement: Measurement,
    progress: Progress,
) -> tuple[StrengthResult, ...]:
    """The strength of each production mode."""
    found = []
    for mode in mode_configs(config, run.signals):
        name = mode.strengths[0].name
        progress(name)
        workspace = build_workspace(run, mode, preparation)
        found.append(measure_strength(workspace, name, is_blinded=measurement.is_blinded))
    return tuple(found)


def fit_config(path: Path | None, selection: str) -> FitConfig:
    """Read the ``[fit]`` table of a configuration file, over the selection's defaults.

    Raises
    ------
    ConfigError
        If the file cannot be read, is no TOML, or has an unknown key or a wrong type.
    """
    default = config_for(selection)
    if path is None:
        return default
    content = read_tables(path, ("fit", *SECTIONS))
    return structure(content.get("fit", {}), FitConfig, file=str(path), key="fit", default=default)


def _draw(fitted: Fitted, folder: Path) -> None:
    draw_fit(fitted.run, fitted.measurement, fitted.modes, fitted.luminosity_ifb, folder)
    caption = fit_caption(fitted.run, fitted.measurement, fitted.luminosity_ifb)
    if fitted.learned is not None:
        draw_learned(fitted.learned, caption, folder)
    if fitted.mass is not None:
        draw_mass(fitted.mass, caption, folder)


def _write(directory: Path, content: Document, fitted: Fitted) -> None:
    """Draw into a folder of our own first, then put everything in its place."""
    folder = directory / FOLDER
    workspace = json.dumps(fitted.workspace, indent=1).encode() + b"\n"
    numbers = json.dumps(content, indent=1, allow_nan=False).encode() + b"\n"
    try:
        folder.mkdir(exist_ok=True)
        _forget_unfinished(directory)
        with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=directory) as drawn:
            _draw(fitted, Path(drawn))
            for old in folder.glob(f"{PREFIX}*"):
                old.unlink()
            for figure in sorted(Path(drawn).iterdir()):
                shutil.move(figure, folder / f"{PREFIX}{figure.name}")
    except OSError as error:
        raise output_error(folder, error) from error
    write_whole(directory / WORKSPACE, workspace)
    write_whole(directory / FIT, numbers)
