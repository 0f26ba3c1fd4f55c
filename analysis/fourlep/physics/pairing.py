"""Same-flavour opposite-sign pairs, and quadruplets of two of them.

All pairings of an event are made; which of them is taken is the selection's choice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fourlep.errors import CorruptFileError
from fourlep.physics.kinematics import Momenta
from fourlep.physics.leptons import Leptons
from fourlep.units import Z_MASS

Integers = npt.NDArray[np.int64]

#: An event with more selected leptons is no collision: pairings grow with the fourth power.
MAX_LEPTONS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Quadruplets:
    """Two disjoint same-flavour opposite-sign pairs each; an event may have several.

    Parameters
    ----------
    event : (n,) int64
        Event of each.
    lepton : (n, 4) int64
        Rows of `Leptons`, ascending: by falling pT.
    z1, z2 : (n, 2) int64
        Rows of the pair whose mass is nearest to the Z mass, and of the other.
    m4l, m12, m34 : (n,) float64
        Masses of all four, of ``z1`` and of ``z2``, GeV.
    """

    event: Integers
    lepton: Integers
    z1: Integers
    z2: Integers
    m4l: npt.NDArray[np.float64]
    m12: npt.NDArray[np.float64]
    m34: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.event)

    def __getitem__(self, keep: npt.NDArray[np.bool_] | Integers) -> Quadruplets:
        """Take the quadruplets that a mask or indices name."""
        return Quadruplets(
            self.event[keep],
            self.lepton[keep],
            self.z1[keep],
            self.z2[keep],
            self.m4l[keep],
            self.m12[keep],
            self.m34[keep],
        )


def twos(event: Integers, n_events: int) -> tuple[Integers, Integers]:
    """Every two rows of the same event.

    Parameters
    ----------
    event : (n,) int64
        Event of each row, ascending.
    n_events
        Number of events.

    Returns
    -------
    first, second : (n_pairs,) int64
        Rows, ``first < second``, ordered by event and then by rows.

    Examples
    --------
    >>> [rows.tolist() for rows in twos(np.array([0, 0, 0, 2]), 3)]
    [[0, 0, 1], [1, 2, 2]]
    """
    counts = np.bincount(event, minlength=n_events)
    start = np.cumsum(counts) - counts
    firsts, seconds = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for count in np.unique(counts[counts > 1]):
        begin = start[counts == count][:, np.newaxis]
        left, right = np.triu_indices(count, k=1)
        firsts.append((begin + left).reshape(-1))
        seconds.append((begin + right).reshape(-1))
    first, second = np.concatenate(firsts), np.concatenate(seconds)
    order = np.lexsort((second, first))
    return first[order], second[order]


def sfos_pairs(leptons: Leptons) -> Integers:
    """Every same-flavour opposite-sign pair.

    Returns
    -------
    (n_pairs, 2) int64
        Rows of ``leptons``, ascending in each pair; pairs are ordered by event.

    Raises
    ------
    CorruptFileError
        If an event has more than `MAX_LEPTONS` leptons.
    """
    most = int(np.bincount(leptons.event, minlength=1).max())
    if most > MAX_LEPTONS:
        raise CorruptFileError(
            f"an event has {most} selected leptons; at most {MAX_LEPTONS} can be real"
        )
    first, second = twos(leptons.event, leptons.n_events)
    is_pair = (leptons.is_muon[first] == leptons.is_muon[second]) & (
        leptons["charge"][first] == -leptons["charge"][second]
    )
    return np.stack([first[is_pair], second[is_pair]], axis=1)


def quadruplets(leptons: Leptons, momenta: Momenta) -> Quadruplets:
    """Every quadruplet of two disjoint same-flavour opposite-sign pairs.

    Parameters
    ----------
    leptons
        The leptons to pair.
    momenta
        Their momenta, in the same order.

    Returns
    -------
    Quadruplets
        Ordered by event. Of two pairs equally near to the Z mass the one with the lepton
        of highest pT is ``z1``.

    Raises
    ------
    CorruptFileError
        As `sfos_pairs`.
    """
    pairs = sfos_pairs(leptons)
    mass = momenta.sums(pairs).mass
    first, second = twos(leptons.event[pairs[:, 0]], leptons.n_events)
    left, right = pairs[first], pairs[second]
    # Rows ascend within pairs, so that pairs can share a lepton in these ways only.
    is_disjoint = np.all(left[:, :, np.newaxis] != right[:, np.newaxis, :], axis=(1, 2))
    first, second = first[is_disjoint], second[is_disjoint]
    is_swapped = np.abs(mass[second] - Z_MASS) < np.abs(mass[first] - Z_MASS)
    z1 = np.where(is_swapped, second, first)
    z2 = np.where(is_swapped, first, second)
    lepton = np.sort(np.concatenate([pairs[z1], pairs[z2]], axis=1), axis=1)
    return Quadruplets(
        event=leptons.event[lepton[:, 0]],
        lepton=lepton,
        z1=pairs[z1],
        z2=pairs[z2],
        m4l=momenta.sums(lepton).mass,
        m12=mass[z1],
        m34=mass[z2],
    )
