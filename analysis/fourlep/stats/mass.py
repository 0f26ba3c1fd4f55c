"""Mass and strength of the Higgs boson, fitted together.

The likelihood is maximised at each of a row of masses, with the strength and everything
else at their best; where it is largest, and where twice its logarithm has fallen by one,
follows from a smooth curve through these points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fourlep.errors import FitError
from fourlep.stats.best_fit import BestFit, fit
from fourlep.stats.likelihood import Likelihood, likelihood
from fourlep.stats.mass_templates import HIGHEST, LOWEST, SIMULATED, MassTemplates
from fourlep.stats.minimum import Minimum, minimise
from fourlep.stats.templates import Floats

#: Step of the first look, GeV.
_COARSE = 1.0

#: Range of the fine points in standard deviations, and their numbers in mass and strength.
_REACH, _N_MASSES, _N_STRENGTHS = 3.2, 13, 13

#: Range above the best strength, where the likelihood falls more slowly.
_REACH_ABOVE = 4.0

#: Largest range of the fine points on either side, GeV.
_WIDEST = 4.0

#: Points at which a curve's minimum and crossings are looked for.
_N_FINE = 4001


@dataclass(frozen=True, slots=True, eq=False)
class MassFit:
    """Mass and strength.

    Parameters
    ----------
    mass
        Best fit, GeV.
    low, high
        Errors of the mass (negative and positive), strength and everything else at their
        best; None where the curve does not reach 1 in the range of masses.
    strength
        Name of the strength.
    value, error, minos
        Its best fit, Hessian error and asymmetric errors at the best mass.
    masses : (n_masses,) array, GeV
        Where the likelihood was maximised.
    profile : (n_masses,) array
        Minus twice the logarithm of the likelihood ratio to the best fit; a little below
        0 where a point lies under the curve.
    strengths : (n_strengths,) array
        Strengths of the surface.
    surface : (n_masses, n_strengths) array
        As ``profile``, at each mass and strength.
    """

    mass: float
    low: float | None
    high: float | None
    strength: str
    value: float
    error: float
    minos: tuple[float | None, float | None]
    masses: Floats
    profile: Floats
    strengths: Floats
    surface: Floats

    def smooth(self, n: int = 121) -> tuple[Floats, Floats]:
        """Masses and the curve through ``profile`` there, (n,) arrays."""
        masses = np.linspace(self.masses[0], self.masses[-1], n)
        return masses, _curve(self.masses, self.profile)(masses)

    def smooth_surface(self, n: int = 121) -> tuple[Floats, Floats, Floats]:
        """Masses and strengths, (n,) arrays, and the surface there, (n, n)."""
        from scipy.interpolate import CubicSpline

        masses = np.linspace(self.masses[0], self.masses[-1], n)
        strengths = np.linspace(self.strengths[0], self.strengths[-1], n)
        columns = [_curve(self.masses, column)(masses) for column in self.surface.T]
        return masses, strengths, CubicSpline(self.strengths, np.array(columns))(strengths).T


def fit_mass(
    templates: MassTemplates,
    strength: str,
    data: Floats | None = None,
    *,
    is_blinded: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> MassFit:
    """Fit mass and strength.

    Parameters
    ----------
    templates
        The model at any mass.
    strength
        Name of the strength.
    data : (n_bins + n_auxiliary,) array
        What to fit to, by default what the workspace holds.
    is_blinded
        Fit the data set that is expected at the simulated mass instead.
    progress
        Told what is being done.

    Raises
    ------
    FitError
        If a fit does not converge, there is no excess, or the likelihood still rises at the
        end of the range.
    """
    model, observed = likelihood(templates.workspace)
    expected = model.expected(model.nominal())
    chosen = observed if data is None else data
    search = _Search(templates, strength, expected if is_blinded else chosen)
    progress("mass: profile")
    points = search.points()
    masses = np.array([point.mass for point in points])
    levels = np.array([point.level() for point in points])
    curve = _curve(masses, levels)
    mass, lowest = _minimum(curve, masses)
    best = search.point(mass, points[0].start).fitted(strength)
    progress("mass: contour")
    value, error = best.value(strength), best.error(strength)
    # Without a signal there is no mass: the surface begins there.
    lowest_strength = max(value - _REACH * error, 0.0)
    strengths = np.linspace(lowest_strength, value + _REACH_ABOVE * error, _N_STRENGTHS)
    surface = np.array([point.row(strength, strengths) for point in points])
    low, high = _crossings(curve, masses, mass, lowest + 1.0)
    return MassFit(
        mass=mass,
        low=None if low is None else low - mass,
        high=None if high is None else high - mass,
        strength=strength,
        value=value,
        error=error,
        minos=best.minos[strength],
        masses=masses,
        profile=levels - lowest,
        strengths=strengths,
        surface=surface - lowest,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    """The likelihood at one mass, less what is no statement about the mass."""

    mass: float
    model: Likelihood
    data: Floats
    start: Floats

    def level(self, held: dict[str, float] | None = None) -> float:
        """Minimum of minus twice the logarithm of the likelihood.

        Less what the constraints are at their own best: the width of a statistical one
        depends on the template.
        """
        nominal = self.model.nominal()
        constant = self.model.constraint(nominal, self.model.expected(nominal))
        return self.minimum(held).twice_nll + 2.0 * constant

    def minimum(self, held: dict[str, float] | None = None) -> Minimum:
        return minimise(self.model, self.data, held=held, start=self.start)

    def fitted(self, strength: str) -> BestFit:
        return fit(self.model, self.data, minos=[strength], start=self.start)

    def row(self, strength: str, strengths: Floats) -> Floats:
        """(n_strengths,) levels with the strength held."""
        return np.array([self.level({strength: float(value)}) for value in strengths])


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    templates: MassTemplates
    strength: str
    data: Floats

    def point(self, mass: float, start: Floats | None = None) -> _Point:
        """Return the likelihood at a mass, to be minimised from its own best values."""
        model, _ = likelihood(self.templates.at(mass))
        found = minimise(model, self.data, start=start)
        return _Point(mass, model, self.data, found.parameters)

    def points(self) -> list[_Point]:
        """Points around the minimum that is nearest to the simulated mass."""
        below, here, above = self._descended()
        value = here.start[here.model.index(self.strength)]
        if value <= 0.0:
            raise FitError(
                f"{self.strength} is {value:.2f} at {here.mass:g} GeV: there is no peak to take "
                f"a mass from",
                remedy="fit without --mass",
            )
        left, lowest, right = below.level(), here.level(), above.level()
        bend = max(left - 2.0 * lowest + right, 1e-9)  # both sides are higher
        centre = here.mass + 0.5 * _COARSE * (left - right) / bend
        reach = min(_REACH * _COARSE * np.sqrt(2.0 / bend), _WIDEST)
        low, high = max(centre - reach, LOWEST), min(centre + reach, HIGHEST)
        masses = np.linspace(low, high, _N_MASSES)
        return [self.point(float(mass), here.start) for mass in masses]

    def _descended(self) -> tuple[_Point, _Point, _Point]:
        """Walk downhill from the simulated mass, and return the lowest between two others."""
        here = self.point(SIMULATED)
        below, above = (self.point(SIMULATED + step, here.start) for step in (-_COARSE, _COARSE))
        while min(below.level(), above.level()) < here.level():
            falls = below.level() < above.level()
            next_one = below if falls else above
            if not LOWEST < next_one.mass < HIGHEST:
                raise FitError(
                    f"the likelihood still rises towards {next_one.mass:g} GeV, the end of the "
                    f"masses that scaled candidates describe ({LOWEST:g} to {HIGHEST:g} GeV)",
                    remedy="look at the m4l spectrum: there may be no peak, or another one",
                )
            further = self.point(next_one.mass + (-_COARSE if falls else _COARSE), next_one.start)
            below, here, above = (further, below, here) if falls else (here, above, further)
        return below, here, above


def _curve(masses: Floats, levels: Floats) -> Callable[[Floats], Floats]:
    """Smoothing spline through a profile, as smooth as cross-validation allows.

    It evens out candidates that cross the border of a bin as the mass moves.
    """
    from scipy.interpolate import make_smoothing_spline

    curve: Callable[[Floats], Floats] = make_smoothing_spline(masses, levels)
    return curve


def _minimum(curve: Callable[[Floats], Floats], masses: Floats) -> tuple[float, float]:
    """Where a curve through the profile is lowest, and how low."""
    fine = np.linspace(masses[0], masses[-1], _N_FINE)
    values = curve(fine)
    position = int(np.argmin(values))
    return float(fine[position]), float(values[position])


def _crossings(
    curve: Callable[[Floats], Floats], masses: Floats, centre: float, level: float
) -> tuple[float | None, float | None]:
    """Nearest masses below and above the minimum where the curve is at a level."""
    fine = np.linspace(masses[0], masses[-1], _N_FINE)
    beyond = fine[curve(fine) > level]
    below, above = beyond[beyond < centre], beyond[beyond > centre]
    return (
        float(below[-1]) if len(below) else None,
        float(above[0]) if len(above) else None,
    )
