"""What two pairs of an event's leptons must be able to meet, before the event is read whole.

A selection that asks for two same-flavour opposite-sign pairs in mass windows loses most
of the events that have leptons enough. Kinematics decide that, and are read first: see
`fourlep.physics.selection.Staging`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

#: What a correction may do to a mass beyond scaling it (lepton masses do not scale), GeV.
_MASS_SLACK = 0.1
#: Sums of floating-point numbers in another order.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class PairCut:
    """Two disjoint same-flavour opposite-sign pairs, one in each window.

    It is looser than the selection: which pair is in which window is left open.

    Parameters
    ----------
    leading_pt
        The hardest leptons of the four have pT above these, GeV, falling.
    first, second
        Mass windows, GeV.
    """

    leading_pt: tuple[float, ...]
    first: tuple[float, float]
    second: tuple[float, float]

    def __post_init__(self) -> None:
        if len(self.leading_pt) > 4:
            raise ValueError("a quadruplet has four leptons")

    def loosened(self, pt_fraction: float) -> PairCut:
        """Widen every threshold, for variations of pT by up to a fraction.

        Masses scale as the geometric mean of the two leptons' changes.

        Examples
        --------
        >>> PairCut((20.0,), (50.0, 106.0), (12.0, 115.0)).loosened(0.1).leading_pt
        (18.0,)
        """

        def widened(window: tuple[float, float]) -> tuple[float, float]:
            low, high = window
            return low * (1.0 - pt_fraction) - _MASS_SLACK, high * (1.0 + pt_fraction) + _MASS_SLACK

        return replace(
            self,
            leading_pt=tuple(limit * (1.0 - pt_fraction) for limit in self.leading_pt),
            first=widened(self.first),
            second=widened(self.second),
        )

    @property
    def thresholds(self) -> tuple[float, ...]:
        """Four pT limits, then both windows, with room for rounding; eight numbers."""
        pt = (*self.leading_pt, *(0.0 for _ in range(4 - len(self.leading_pt))))
        low, high = 1.0 - _ROUNDING, 1.0 + _ROUNDING
        return (
            *(limit * low for limit in pt),
            self.first[0] * low,
            self.first[1] * high,
            self.second[0] * low,
            self.second[1] * high,
        )
