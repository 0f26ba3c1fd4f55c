"""What observables are called on the axes of figures."""

from __future__ import annotations

from fourlep.physics.histograms import ALL_CHANNELS
from fourlep.physics.regions import EVERYWHERE
from fourlep.pipeline.outputs import RunHistograms

#: Label and unit of the observables that several selections have.
AXES = {
    "m4l": (r"$m_{4\ell}$", "GeV"),
    "m12": (r"$m_{12}$", "GeV"),
    "m34": (r"$m_{34}$", "GeV"),
    "lepton_pt": (r"Lepton $p_{T}$", "GeV"),
    "lepton_eta": (r"Lepton $\eta$", ""),
}


def axis(histograms: RunHistograms, observable: str, process: str) -> tuple[str, str]:
    """Label and unit of an observable; a selection's own has those of its histograms.

    Parameters
    ----------
    histograms
        Of the run.
    observable
        Its name.
    process
        Any process of the run.

    Raises
    ------
    OutputError
        If the run has no such histogram.
    """
    if observable in AXES:
        return AXES[observable]
    return histograms.axis(f"{ALL_CHANNELS}/{EVERYWHERE}/{observable}/{process}")
