"""Bins of histograms as a configuration gives them."""

from __future__ import annotations

from dataclasses import dataclass

from fourlep.config.toml import setting
from fourlep.physics.specs import HistogramSpec

_LABELS = {
    "m4l": (r"$m_{4\ell}$", "GeV"),
    "m12": (r"$m_{12}$", "GeV"),
    "m34": (r"$m_{34}$", "GeV"),
    "lepton_pt": (r"lepton $p_\mathrm{T}$", "GeV"),
    "lepton_eta": (r"lepton $\eta$", ""),
}


@dataclass(frozen=True, slots=True)
class Binning:
    """Equal bins.

    Parameters
    ----------
    n_bins, low, high
        As in `HistogramSpec`.

    Raises
    ------
    ValueError
        If there is no bin, or ``low`` is not below ``high``.
    """

    n_bins: int = setting(1, "Number of bins.")
    low: float = setting(0.0, "Lower edge of the first bin.")
    high: float = setting(1.0, "Upper edge of the last bin.")

    def __post_init__(self) -> None:
        if self.n_bins < 1 or not self.low < self.high:
            raise ValueError(f"{self.n_bins} bins from {self.low:g} to {self.high:g} are none")

    def of(self, observable: str) -> HistogramSpec:
        """Make the specification for one of the observables of four leptons.

        Raises
        ------
        KeyError
            If there is no such observable.
        """
        label, unit = _LABELS[observable]
        return HistogramSpec(observable, self.n_bins, self.low, self.high, label, unit)
