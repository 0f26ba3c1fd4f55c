"""Four-momenta, invariant masses and angular distances, in float64 and GeV.

Sums run over leptons in the order given; `Leptons` fixes that order, so that a mass
has the same bits however the file lists the leptons.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Momenta:
    """Cartesian four-momenta.

    Parameters
    ----------
    px, py, pz, e : (n,) float64
        GeV.
    """

    px: Floats
    py: Floats
    pz: Floats
    e: Floats

    @classmethod
    def of(cls, pt: Floats, eta: Floats, phi: Floats, mass: Floats) -> Momenta:
        """Convert from transverse momentum, pseudorapidity, azimuth and mass.

        Examples
        --------
        >>> p = Momenta.of(*(np.array([x]) for x in (3.0, 0.0, 0.0, 4.0)))
        >>> float(p.px[0]), float(p.e[0])
        (3.0, 5.0)
        """
        px, py, pz = pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)
        return cls(px, py, pz, np.sqrt(px * px + py * py + pz * pz + mass * mass))

    def sums(self, index: Integers) -> Momenta:
        """Add the momenta that each row of ``index`` (n, k) names, from left to right."""
        columns = [index[:, k] for k in range(index.shape[1])]

        def total(component: Floats) -> Floats:
            result = component[columns[0]]
            for column in columns[1:]:
                result = result + component[column]
            return result

        return Momenta(total(self.px), total(self.py), total(self.pz), total(self.e))

    @property
    def mass(self) -> Floats:
        """Invariant masses; a square below zero by rounding counts as zero."""
        square = self.e**2 - (self.px**2 + self.py**2 + self.pz**2)
        return np.sqrt(np.maximum(square, 0.0))


def delta_phi(first: Floats, second: Floats) -> Floats:
    """Absolute difference of azimuths, 0 to pi; the same when they are swapped.

    Examples
    --------
    >>> bool(np.isclose(delta_phi(np.array([3.0]), np.array([-3.0]))[0], 2 * np.pi - 6.0))
    True
    """
    difference = np.abs(first - second) % (2.0 * np.pi)
    return np.minimum(difference, 2.0 * np.pi - difference)


def delta_r(eta: tuple[Floats, Floats], phi: tuple[Floats, Floats]) -> Floats:
    """Angular distance sqrt(d_eta^2 + d_phi^2) of two directions.

    Examples
    --------
    >>> zero, one = np.zeros(1), np.ones(1)
    >>> float(delta_r((zero, one), (one, one))[0])
    1.0
    """
    return np.hypot(eta[0] - eta[1], delta_phi(*phi))
