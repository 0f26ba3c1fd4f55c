"""The flat ntuples of 2020 and 2025: which branches make which column.

Both hold electrons and muons in one list, told apart by ``lep_type``, and no mass: an
electron or muon has its PDG mass, because the energies are too coarse to give it. In
observed data they repeat the run number as channel number.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from fourlep.io import derive
from fourlep.io.branches.rule import Format, Rule

_FLAVOURS = {"electron": derive.ELECTRON_ID, "muon": derive.MUON_ID}
_MASSES = {"electron": derive.electron_mass_like, "muon": derive.muon_mass_like}


def _lepton(
    flavour: str, text: str, function: Callable[..., Any], *branches: str
) -> tuple[Rule, ...]:
    return (
        Rule(
            text,
            (("lep_type",), *((branch,) for branch in branches)),
            derive.of_flavour(_FLAVOURS[flavour], function),
        ),
    )


def _event(branch: str) -> tuple[Rule, ...]:
    return (Rule("as it is", ((branch,),), derive.unchanged),)


def _leptons_of_both(flavour: str) -> dict[str, tuple[Rule, ...]]:
    """Make the rules that the two releases share."""
    return {
        f"{flavour}.eta": _lepton(flavour, "as it is", derive.unchanged, "lep_eta"),
        f"{flavour}.phi": _lepton(flavour, "as it is", derive.unchanged, "lep_phi"),
        f"{flavour}.charge": _lepton(flavour, "as it is", derive.unchanged, "lep_charge"),
        f"{flavour}.mass": _lepton(flavour, f"the {flavour} mass", _MASSES[flavour], "lep_pt"),
        f"{flavour}.z0_sin_theta": _lepton(
            flavour, "z0 / cosh(eta)", derive.z0_sin_theta_from_eta, "lep_z0", "lep_eta"
        ),
    }


def _leptons_2020(flavour: str) -> dict[str, tuple[Rule, ...]]:
    def energy(branch: str) -> tuple[Rule, ...]:
        return _lepton(flavour, "MeV to GeV", derive.from_mev, branch)

    d0 = "lep_trackd0pvunbiased"
    return {
        **_leptons_of_both(flavour),
        f"{flavour}.pt": energy("lep_pt"),
        f"{flavour}.track_iso": energy("lep_ptcone30"),
        f"{flavour}.track_cone": _lepton(
            flavour, "0.3", partial(derive.fixed_cone, 0.3), "lep_ptcone30"
        ),
        f"{flavour}.calo_iso": energy("lep_etcone20"),
        f"{flavour}.d0": _lepton(flavour, "as it is", derive.unchanged, d0),
        f"{flavour}.d0_significance": _lepton(
            flavour,
            "the stored absolute value with the sign of d0",
            derive.signed_significance,
            "lep_tracksigd0pvunbiased",
            d0,
        ),
        f"{flavour}.is_trigger_matched": _lepton(
            flavour, "as it is", derive.unchanged, "lep_trigMatched"
        ),
    }


def _leptons_2025(flavour: str) -> dict[str, tuple[Rule, ...]]:
    def stored(branch: str) -> tuple[Rule, ...]:
        return _lepton(flavour, "as it is", derive.unchanged, branch)

    return {
        **_leptons_of_both(flavour),
        f"{flavour}.pt": stored("lep_pt"),
        f"{flavour}.track_iso": stored("lep_ptvarcone30"),
        f"{flavour}.track_cone": _lepton(
            flavour,
            "min(0.3, 10 GeV / pT)",
            partial(derive.shrinking_cone, 0.3, 1.0),
            "lep_ptvarcone30",
            "lep_pt",
        ),
        f"{flavour}.calo_iso": stored("lep_topoetcone20"),
        f"{flavour}.d0": stored("lep_d0"),
        f"{flavour}.d0_significance": stored("lep_d0sig"),
        f"{flavour}.is_trigger_matched": stored("lep_isTrigMatched"),
    }


def _weights(*factors: str) -> dict[str, tuple[Rule, ...]]:
    return {
        "event.dsid": _event("channelNumber"),
        "event.generator_weight": _event("mcWeight"),
        "event.scale_factor": (
            Rule("their product", tuple((factor,) for factor in factors), derive.product),
        ),
    }


_DATA = {
    "event.dsid": (Rule("0", constant=0.0),),
    "event.generator_weight": (Rule("1", constant=1.0),),
    "event.scale_factor": (Rule("1", constant=1.0),),
}
_SIMULATED = (
    Rule(
        "channel number and run number differ", (("channelNumber",), ("runNumber",)), derive.differ
    ),
)

NTUPLE2020 = Format(
    name="ntuple2020",
    title="the 2020 ntuples",
    tree="mini",
    markers=(("lep_trackd0pvunbiased",), ("lep_type",), ("runNumber",), ("channelNumber",)),
    rules={
        "event.run": _event("runNumber"),
        "event.number": (
            Rule(
                "a signed 32-bit number read as unsigned",
                (("eventNumber",),),
                derive.unsigned_number,
            ),
        ),
        "event.is_triggered": (
            Rule("either of them", some=("trigE", "trigM"), derive=derive.any_true),
        ),
        **_leptons_2020("electron"),
        **_leptons_2020("muon"),
        "electron.is_tight": _lepton("electron", "as it is", derive.unchanged, "lep_isTightID"),
    },
    simulation=_weights(
        "scaleFactor_ELE", "scaleFactor_MUON", "scaleFactor_LepTRIGGER", "scaleFactor_PILEUP"
    ),
    data=_DATA,
    simulated=_SIMULATED,
)

NTUPLE2025 = Format(
    name="ntuple2025",
    title="the 2025 ntuples",
    tree="analysis",
    markers=(("lep_d0sig",), ("lep_type",), ("runNumber",), ("channelNumber",)),
    rules={
        "event.run": _event("runNumber"),
        "event.number": _event("eventNumber"),
        "event.is_triggered": (
            Rule(
                "any of them",
                some=("trigE", "trigM", "trigDE", "trigDM", "trigML"),
                derive=derive.any_true,
            ),
        ),
        **_leptons_2025("electron"),
        **_leptons_2025("muon"),
        "electron.is_loose": _lepton("electron", "as it is", derive.unchanged, "lep_isLooseID"),
        "electron.is_medium": _lepton("electron", "as it is", derive.unchanged, "lep_isMediumID"),
        "electron.is_tight": _lepton("electron", "as it is", derive.unchanged, "lep_isTightID"),
        "muon.quality": _lepton(
            "muon",
            "0, 1, 2 for the first that is set, else 3",
            derive.quality_from_flags,
            "lep_isTightID",
            "lep_isMediumID",
            "lep_isLooseID",
        ),
    },
    simulation=_weights(
        "ScaleFactor_ELE", "ScaleFactor_MUON", "ScaleFactor_LepTRIGGER", "ScaleFactor_PILEUP"
    ),
    data=_DATA,
    simulated=_SIMULATED,
    absences={
        "muon.quality_word": "the 2025 ntuples hold flags only; muon.quality, made of them, "
        "is compared instead"
    },
)
