"""Build the illustrative corrections that come with fourlep.

::

    python analysis/scripts/build_corrections.py

PHYSLITE is calibrated when it is made, and the scale factors that belong to it are not
public. So every nominal value here is neutral (factor 1, no smearing), and the
variations have the size that ATLAS publishes for Run 2, rounded and coarse in pT and eta.
They make the machinery and the fit realistic; they are no measurement.

Sources of the sizes: electrons, JINST 14 (2019) P03017 (energy) and EPJC 79 (2019) 639
(efficiency); muons, EPJC 76 (2016) 292 and EPJC 81 (2021) 578; pile-up, the 3 %
uncertainty of the ATLAS luminosity group on the visible cross-section.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import correctionlib.schemav2 as cs

OUTPUT = (
    Path(__file__).resolve().parents[1] / "fourlep" / "corrections" / "data" / "illustrative.json"
)

ELECTRON_ETA = (0.0, 0.6, 1.37, 1.52, 2.0, 2.5)
MUON_ETA = (0.0, 0.1, 1.05, 2.0, 2.8)
PT = (0.0, 10.0, 20.0, 40.0, 80.0, 14000.0)

#: Mean and width of interactions per crossing, 2015 and 2016 together.
PILEUP_MEAN, PILEUP_WIDTH = 23.7, 8.0
PILEUP_SHIFT = 0.03

#: Relative sizes: rows are bins of |eta|, columns bins of pT.
ELECTRON_SCALE = (
    (0.0030, 0.0015, 0.0007, 0.0010, 0.0020),
    (0.0035, 0.0020, 0.0010, 0.0012, 0.0025),
    (0.0090, 0.0060, 0.0040, 0.0050, 0.0080),
    (0.0060, 0.0040, 0.0020, 0.0025, 0.0050),
    (0.0050, 0.0030, 0.0015, 0.0020, 0.0040),
)
ELECTRON_RESOLUTION = (
    (0.0080, 0.0050, 0.0030, 0.0030, 0.0040),
    (0.0090, 0.0060, 0.0040, 0.0040, 0.0050),
    (0.0200, 0.0150, 0.0120, 0.0120, 0.0150),
    (0.0120, 0.0090, 0.0070, 0.0070, 0.0080),
    (0.0100, 0.0070, 0.0050, 0.0050, 0.0060),
)
MUON_SCALE = (
    (0.0005, 0.0005, 0.0005, 0.0006, 0.0010),
    (0.0005, 0.0005, 0.0005, 0.0006, 0.0010),
    (0.0010, 0.0010, 0.0010, 0.0012, 0.0020),
    (0.0025, 0.0020, 0.0020, 0.0025, 0.0040),
)
MUON_ID = (
    (0.0020, 0.0020, 0.0025, 0.0035, 0.0060),
    (0.0020, 0.0020, 0.0025, 0.0035, 0.0060),
    (0.0030, 0.0035, 0.0045, 0.0060, 0.0100),
    (0.0060, 0.0070, 0.0090, 0.0120, 0.0200),
)
MUON_MS = (
    (0.0050, 0.0040, 0.0035, 0.0035, 0.0050),
    (0.0040, 0.0030, 0.0030, 0.0030, 0.0045),
    (0.0060, 0.0045, 0.0040, 0.0040, 0.0055),
    (0.0070, 0.0055, 0.0050, 0.0050, 0.0065),
)

#: Uncertainties of efficiencies by pT; the same in all |eta|.
EFFICIENCIES = {
    "electron_reconstruction": {
        "EL_EFF_Reco_TOTAL_1NPCOR_PLUS_UNCOR": (0.020, 0.010, 0.004, 0.003, 0.004)
    },
    "electron_identification": {
        "EL_EFF_ID_TOTAL_1NPCOR_PLUS_UNCOR": (0.030, 0.015, 0.008, 0.005, 0.006)
    },
    "electron_isolation": {
        "EL_EFF_Iso_TOTAL_1NPCOR_PLUS_UNCOR": (0.015, 0.010, 0.005, 0.002, 0.002)
    },
    "muon_reconstruction": {
        "MUON_EFF_RECO_STAT": (0.004, 0.002, 0.001, 0.001, 0.002),
        "MUON_EFF_RECO_SYS": (0.012, 0.006, 0.004, 0.003, 0.006),
    },
    "muon_isolation": {
        "MUON_EFF_ISO_STAT": (0.003, 0.002, 0.001, 0.001, 0.001),
        "MUON_EFF_ISO_SYS": (0.012, 0.008, 0.004, 0.002, 0.002),
    },
    "muon_vertex_association": {
        "MUON_EFF_TTVA_STAT": (0.002, 0.001, 0.0005, 0.0005, 0.0005),
        "MUON_EFF_TTVA_SYS": (0.004, 0.002, 0.001, 0.001, 0.001),
    },
}


def binned(values: Sequence[Sequence[float]], eta: Sequence[float]) -> cs.MultiBinning:
    """Values by bins of |eta| and pT; beyond the edges the outermost bin counts."""
    return cs.MultiBinning(
        nodetype="multibinning",
        inputs=["abs_eta", "pt"],
        edges=[list(eta), list(PT)],
        content=[round(value, 6) for row in values for value in row],
        flow="clamp",
    )


def correction(
    name: str,
    variations: Mapping[str, cs.Content],
    *,
    nominal: float,
    inputs: Sequence[str] = ("abs_eta", "pt"),
) -> cs.Correction:
    """One correction: a category of ``sys`` above everything else."""
    return cs.Correction(
        name=name,
        version=1,
        description="Illustrative: neutral nominal value, variations of the published size.",
        inputs=[
            cs.Variable(name="sys", type="string"),
            *(cs.Variable(name=item, type="real") for item in inputs),
        ],
        output=cs.Variable(name="value", type="real"),
        data=cs.Category(
            nodetype="category",
            input="sys",
            content=[
                cs.CategoryItem(key="nominal", value=nominal),
                *(cs.CategoryItem(key=key, value=value) for key, value in variations.items()),
            ],
        ),
    )


def two_sided(
    name: str, sizes: Mapping[str, Sequence[Sequence[float]]], eta: Sequence[float]
) -> cs.Correction:
    """Factors 1 + size and 1 - size."""
    variations: dict[str, cs.Content] = {}
    for source, rows in sizes.items():
        for end, sign in (("__1up", 1.0), ("__1down", -1.0)):
            factors = [[1.0 + sign * value for value in row] for row in rows]
            variations[source + end] = binned(factors, eta)
    return correction(name, variations, nominal=1.0)


def smearing(
    name: str, sizes: Mapping[str, Sequence[Sequence[float]]], eta: Sequence[float]
) -> cs.Correction:
    """Additional smearing, up only: nothing can be taken from the simulated resolution."""
    variations: dict[str, cs.Content] = {
        f"{source}__1up": binned(rows, eta) for source, rows in sizes.items()
    }
    return correction(name, variations, nominal=0.0)


def pileup() -> cs.Correction:
    """Ratio of a Gaussian profile with shifted mean to the unshifted one."""
    variations: dict[str, cs.Content] = {}
    for end, sign in (("__1up", 1.0), ("__1down", -1.0)):
        shift = sign * PILEUP_SHIFT * PILEUP_MEAN
        slope = shift / PILEUP_WIDTH**2
        constant = -slope * (PILEUP_MEAN + shift / 2.0)
        variations[f"PRW_DATASF{end}"] = cs.Formula(
            nodetype="formula",
            expression=f"exp({slope:.8f}*x+({constant:.8f}))",
            parser="TFormula",
            variables=["pileup"],
        )
    return correction("pileup", variations, nominal=1.0, inputs=("pileup",))


def illustrative() -> cs.CorrectionSet:
    """The whole set."""
    efficiencies = []
    for name, sources in EFFICIENCIES.items():
        eta = ELECTRON_ETA if name.startswith("electron") else MUON_ETA
        sizes = {source: [row] * (len(eta) - 1) for source, row in sources.items()}
        efficiencies.append(two_sided(name, sizes, eta))
    return cs.CorrectionSet(
        schema_version=2,
        description=__doc__.split("\n\n")[3].replace("\n", " ") if __doc__ else "",
        corrections=[
            two_sided("electron_scale", {"EG_SCALE_ALL": ELECTRON_SCALE}, ELECTRON_ETA),
            smearing(
                "electron_resolution", {"EG_RESOLUTION_ALL": ELECTRON_RESOLUTION}, ELECTRON_ETA
            ),
            two_sided("muon_scale", {"MUON_SCALE": MUON_SCALE}, MUON_ETA),
            smearing("muon_resolution", {"MUON_ID": MUON_ID, "MUON_MS": MUON_MS}, MUON_ETA),
            *efficiencies,
            pileup(),
        ],
    )


def main() -> None:
    """Write the payload."""
    parser = argparse.ArgumentParser(description="Build the illustrative corrections.")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    output = parser.parse_args().output
    output.parent.mkdir(parents=True, exist_ok=True)
    text = illustrative().model_dump_json(exclude_unset=True)
    output.write_text(text + "\n", encoding="utf-8")
    print(f"{output}: {len(text):,} bytes")


if __name__ == "__main__":
    main()
