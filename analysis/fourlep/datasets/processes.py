"""Which simulated datasets make up which process of the four-lepton analysis.

The choice is that of ATLAS's own H -> ZZ* -> 4l example on the open data; the Higgs boson
samples stay apart by production mode, so that each mode can have its own strength.
"""

from __future__ import annotations

from dataclasses import dataclass

from fourlep.datasets.model import DATA, Role


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the model.

    Parameters
    ----------
    name
        Histograms carry it; letters and digits only, so that ``NAME_VARIATION`` is clear.
    role
        What it is in the fit.
    title
        For people.
    dsids
        Its datasets in the 2024 release.
    """

    name: str
    role: Role
    title: str
    dsids: tuple[int, ...] = ()


#: The processes of ``release2024-hzz4l`` (24 datasets) and of the stand-in.
HZZ4L = (
    Process("ggF", "signal", "gg -> H -> ZZ* -> 4l", (345060,)),
    Process("VBF", "signal", "qq -> Hqq, H -> ZZ* -> 4l", (346228,)),
    Process("WH", "signal", "WH, inclusive decays", (346311, 346312)),
    Process("ZH", "signal", "ZH, inclusive decays", (346310,)),
    Process("ttH", "signal", "ttH, H -> ZZ* -> 4l", (346340, 346341, 346342)),
    Process("ZZ", "background", "qq -> ZZ*, Z gamma* -> 4l", (700600,)),
    Process("Zjets", "background", "Z -> ee, mumu with jets", tuple(range(700320, 700326))),
    Process("ttbar", "background", "top quark pairs, not all-hadronic", (410470,)),
    Process("ttV", "background", "ttW, ttll and four top quarks", (410155, 410218, 410219, 412043)),
    Process("VVV", "background", "WWW, WWZ, WZZ, ZZZ", (364242, 364243, 364246, 364248)),
)

#: The processes of ``demo2020``: those of the public demonstrator on the 2020 ntuples.
DEMO2020 = (
    Process("Signal", "signal", "H -> ZZ* -> 4l", (345060, 344235, 341964, 341947)),
    Process("ZZ", "background", "ZZ* -> 4l", (363490,)),
    Process("Zttbar", "background", "Z with jets, top quark pairs", (361106, 361107, 410000)),
)

_SIGNALS = frozenset(p.name for p in (*HZZ4L, *DEMO2020) if p.role == "signal")


def role_of(process: str) -> Role:
    """The role of a process that a fileset names without a role.

    ``data`` is data, the names of Higgs boson production above (in any case) are signal,
    everything else is background.

    Examples
    --------
    >>> role_of("ggF"), role_of("signal"), role_of("ZZ")
    ('signal', 'signal', 'background')
    """
    if process == DATA:
        return "data"
    return "signal" if process.lower() in {name.lower() for name in _SIGNALS} else "background"
