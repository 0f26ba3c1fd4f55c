"""The common look: fonts, colours, labels, saving.

Colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), told apart with
every common colour-vision deficiency. Every figure says what it is made of, and
synthetic data says that it is synthetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OKABE_ITO = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky blue": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "purple": "#CC79A7",
    "grey": "#999999",
}

_PROCESS_COLOURS: Mapping[str, str] = {
    "Signal": OKABE_ITO["vermilion"],
    "ggF": OKABE_ITO["vermilion"],
    "VBF": OKABE_ITO["orange"],
    "WH": OKABE_ITO["yellow"],
    "ZH": "#B8A010",
    "ttH": "#8C3A00",
    "ZZ": OKABE_ITO["sky blue"],
    "Zjets": OKABE_ITO["purple"],
    "ttbar": OKABE_ITO["green"],
    "ttV": OKABE_ITO["blue"],
    "VVV": OKABE_ITO["grey"],
    "Zttbar": OKABE_ITO["purple"],
}

#: For processes that have no colour of their own; P. Tol's, without those near to one above.
_FURTHER_COLOURS = ("#332288", "#882255", "#117733", "#DDDDDD")

_PROCESS_TITLES: Mapping[str, str] = {
    "Signal": r"$H \to ZZ^* \to 4\ell$",
    "ggF": r"$H$ (ggF)",
    "VBF": r"$H$ (VBF)",
    "WH": r"$WH$",
    "ZH": r"$ZH$",
    "ttH": r"$t\bar{t}H$",
    "ZZ": r"$ZZ^*$",
    "Zjets": r"$Z$+jets",
    "ttbar": r"$t\bar{t}$",
    "ttV": r"$t\bar{t}V$",
    "VVV": r"$VVV$",
    "Zttbar": r"$Z$+jets, $t\bar{t}$",
}

_CHANNEL_TITLES: Mapping[str, str] = {
    "4e": r"$4e$",
    "4mu": r"$4\mu$",
    "2e2mu": r"$2e2\mu$",
    "4l": r"$4\ell$",
}

_RC: Mapping[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["TeX Gyre Heros", "DejaVu Sans"],
    "mathtext.fontset": "dejavusans",
    "font.size": 13,
    "axes.labelsize": 14,
    "axes.linewidth": 1.1,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.minor.visible": True,
    "ytick.minor.visible": True,
    "xtick.major.size": 7,
    "ytick.major.size": 7,
    "xtick.minor.size": 3.5,
    "ytick.minor.size": 3.5,
    "xaxis.labellocation": "right",
    "yaxis.labellocation": "top",
    "legend.frameon": False,
    "legend.fontsize": 11,
    "legend.handlelength": 1.4,
    "legend.columnspacing": 1.0,
    "figure.constrained_layout.use": False,
    "savefig.dpi": 140,
    "pdf.fonttype": 42,
}


@dataclass(frozen=True, slots=True)
class Caption:
    """What the upper left corner of a figure says.

    Parameters
    ----------
    luminosity_ifb
        Integrated luminosity, 1/fb; None where none applies.
    is_synthetic
        Whether anything shown is synthetic.
    details
        Further lines: selection, channel, region.
    is_observed
        Whether real data may be shown; with ``is_synthetic`` it is the simulation that is
        synthetic.
    """

    luminosity_ifb: float | None = None
    is_synthetic: bool = False
    details: tuple[str, ...] = ()
    is_observed: bool = False

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines, first to last."""
        source: tuple[str, ...] = ("ATLAS Open Data",)
        if self.is_synthetic and self.is_observed:
            source = ("ATLAS Open Data", "Synthetic simulation")
        elif self.is_synthetic:
            source = ("Synthetic, not ATLAS data",)
        energy = r"$\sqrt{s}$ = 13 TeV"
        if self.luminosity_ifb is not None:
            energy += rf", {self.luminosity_ifb:.3g} fb$^{{-1}}$"
        return (*source, energy, *self.details)


def process_colours(processes: Iterable[str]) -> dict[str, str]:
    """Colours of the processes of a figure.

    One without a colour of its own has the same in every figure of the same processes,
    whatever their order.

    Examples
    --------
    >>> process_colours(["mine", "ZZ"])
    {'mine': '#332288', 'ZZ': '#56B4E9'}
    """
    names = tuple(processes)
    strange = sorted(set(names) - set(_PROCESS_COLOURS))
    further = dict(zip(strange, cycle(_FURTHER_COLOURS), strict=False))
    return {name: _PROCESS_COLOURS.get(name) or further[name] for name in names}


def process_title(process: str) -> str:
    """Title of a process for legends; a name of one's own is a formula where it reads as one."""
    from matplotlib.mathtext import MathTextParser

    if process in _PROCESS_TITLES:
        return _PROCESS_TITLES[process]
    try:
        MathTextParser("path").parse(process)
    except ValueError:
        return process.replace("$", r"\$")
    return process


def channel_title(channel: str) -> str:
    """Title of a channel for labels."""
    return _CHANNEL_TITLES.get(channel, channel)


@contextmanager
def figure_style() -> Iterator[None]:
    """Draw with the common look, whatever the caller's settings are."""
    import matplotlib as mpl

    settings: Any = dict(_RC)  # matplotlib types each key by name
    with mpl.rc_context(settings):
        yield


def write_caption(axes: Axes, caption: Caption) -> None:
    """Write the caption into the upper left corner of ``axes``."""
    for number, line in enumerate(caption.lines):
        axes.text(
            0.04,
            0.955 - 0.058 * number,
            line,
            transform=axes.transAxes,
            va="top",
            fontsize=12 if number == 0 else 11,
            fontweight="bold" if number == 0 else "normal",
        )


def save(figure: Figure, path: Path) -> tuple[Path, Path]:
    """Write ``path`` as .png and .pdf, and close the figure.

    Both are drawn in memory: on a full disk matplotlib ends with errors of its own.

    Returns
    -------
    The two files written.

    Raises
    ------
    OSError
        If one cannot be written; what there is of it is removed.
    """
    import matplotlib.pyplot as plt

    png, pdf = BytesIO(), BytesIO()
    figure.savefig(png, format="png", bbox_inches="tight")
    figure.savefig(pdf, format="pdf", bbox_inches="tight", metadata={"CreationDate": None})
    plt.close(figure)
    path.parent.mkdir(parents=True, exist_ok=True)
    return _written(path, ".png", png.getvalue()), _written(path, ".pdf", pdf.getvalue())


def _written(path: Path, suffix: str, content: bytes) -> Path:
    whole = path.with_name(path.name + suffix)
    try:
        whole.write_bytes(content)
    except OSError:
        whole.unlink(missing_ok=True)
        raise
    return whole
