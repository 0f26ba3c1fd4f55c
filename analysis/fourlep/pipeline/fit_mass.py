"""Mass and strength together, for ``fourlep fit --mass``: fit and draw."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fourlep.plots.fit_mass import Surface, draw_contours
from fourlep.plots.fit_scan import Curve, draw_scan
from fourlep.plots.style import Caption, save
from fourlep.stats.candidates import read_candidates
from fourlep.stats.config import FitConfig
from fourlep.stats.mass import MassFit, fit_mass
from fourlep.stats.mass_templates import SIMULATED, mass_templates
from fourlep.stats.preparation import prepare
from fourlep.stats.run_directory import Histograms, Run
from fourlep.stats.workspace import build_workspace


def measure_mass(
    run: Run,
    config: FitConfig,
    histograms: Histograms,
    *,
    scale: float,
    with_data: bool,
    progress: Callable[[str], None],
) -> MassFit:
    """Fit mass and the first strength.

    Parameters
    ----------
    run, config, histograms
        What is fitted, without categories of a discriminant.
    scale
        What to multiply the simulation by.
    with_data
        Whether the data may be read; without them the expectation is fitted.
    progress
        Told what is being done.

    Raises
    ------
    FitError
        If there are no candidates, or those of another run, or the fit fails.
    """
    progress("mass: templates")
    table = read_candidates(run, with_data=False, features=())
    preparation = prepare(run, histograms, config, scale=scale, with_data=with_data)
    workspace = build_workspace(run, config, preparation)
    templates = mass_templates(run, preparation, workspace, table, scale=scale)
    has_data = all(region.data is not None for region in preparation.regions)
    return fit_mass(templates, config.strengths[0].name, is_blinded=not has_data, progress=progress)


def draw_mass(found: MassFit, caption: Caption, folder: Path) -> None:
    """Draw the profile of the mass and the contours of mass and strength.

    Parameters
    ----------
    found
        What to show.
    caption
        Above each frame.
    folder
        Where the figures go.
    """
    values, smooth = found.smooth()
    curve = Curve(
        label=r"$m_H$",
        unit="GeV",
        values=values,
        delta=smooth,
        best=found.mass,
        low=None if found.low is None else found.mass + found.low,
        high=None if found.high is None else found.mass + found.high,
        points=(found.masses, found.profile),
    )
    save(draw_scan(curve, caption), folder / "scan_mass")
    masses, strengths, delta = found.smooth_surface()
    surface = Surface(
        found.strength, masses, strengths, delta, (found.mass, found.value), SIMULATED
    )
    save(draw_contours(surface, caption), folder / "mass_contours")
