"""PHYSLITE, as TTree and as RNTuple: which branches make which column.

The names are those of the 2024 release's productions first, then those of older ones.
An RNTuple has the same names with ``AuxDyn:`` for ``AuxDyn.``, and so has its table.
Every collection may also have been written as a static store, ``XAux.pt`` for
``XAuxDyn.pt``: that is the last alternative everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from fourlep.io import derive, tracks
from fourlep.io.branches import triggers
from fourlep.io.branches.rule import Alternatives, Format, Rule
from fourlep.units import MeV

_EVENT, _ELECTRON, _MUON = "EventInfo", "AnalysisElectrons", "AnalysisMuons"
_GSF, _INNER, _COMBINED = (
    "GSFTrackParticles",
    "InDetTrackParticles",
    "CombinedMuonTrackParticles",
)
_VARIANCE = ("definingParametersCovMatrixDiag", "definingParametersCovMatrix")


def _slot(collection: str, *fields: str) -> Alternatives:
    dynamic = tuple(f"{collection}AuxDyn.{field}" for field in fields)
    return dynamic + tuple(f"{collection}Aux.{field}" for field in fields)


def _event(text: str, field: str) -> tuple[Rule, ...]:
    return (Rule(text, (_slot(_EVENT, field),), derive.unchanged),)


_BEAM_SPOT = tuple(_slot(_EVENT, f"beamPosSigma{axis}") for axis in ("X", "Y", "XY"))
_VERTEX = tuple(_slot("PrimaryVertices", field) for field in ("z", "vertexType"))

#: Track quantities: text, function, track parameters, further branches.
_TRACK_QUANTITIES: dict[
    str, tuple[str, tracks.Quantity, tuple[Alternatives, ...], tuple[Alternatives, ...]]
] = {
    "d0": ("d0 of the track", tracks.same, (("d0",),), ()),
    "d0_significance": (
        "d0 over the root of its variance and the beam spot's, of the track",
        tracks.d0_significance,
        (("d0",), _VARIANCE, ("phi",)),
        _BEAM_SPOT,
    ),
    "z0_sin_theta": (
        "(z0 + vz - z of the primary vertex) sin(theta) of the track",
        tracks.z0_sin_theta,
        (("z0",), ("vz",), ("theta",)),
        _VERTEX,
    ),
    "track_pt": ("|1 / qOverP| sin(theta) of the track", tracks.pt, (("qOverP",), ("theta",)), ()),
    "track_eta": ("-ln tan(theta / 2) of the track", tracks.eta, (("theta",),), ()),
    "track_phi": ("phi of the track", tracks.same, (("phi",),), ()),
}


def _electron_tracks() -> dict[str, tuple[Rule, ...]]:
    links = _slot(_ELECTRON, "trackParticleLinks")
    return {
        f"electron.{name}": (
            Rule(
                f"{text} that is linked first",
                (links, *(_slot(_GSF, *fields) for fields in parameters), *further),
                partial(tracks.of_electron, quantity, len(parameters)),
            ),
        )
        for name, (text, quantity, parameters, further) in _TRACK_QUANTITIES.items()
    }


def _muon_tracks() -> dict[str, tuple[Rule, ...]]:
    def track(link: str, collection: str, parameters: tuple[Alternatives, ...]) -> Rule:
        persistent = (_slot(_MUON, f"{link}.m_persKey"), _slot(_MUON, f"{link}.m_persIndex"))
        return Rule("", (*persistent, *(_slot(collection, *fields) for fields in parameters)))

    rules: dict[str, tuple[Rule, ...]] = {}
    for name, (text, quantity, parameters, further) in _TRACK_QUANTITIES.items():
        inner = track("inDetTrackParticleLink", _INNER, parameters)
        combined = track("combinedTrackParticleLink", _COMBINED, parameters)
        rule = Rule(
            f"{text} in the inner detector, else of the combined one",
            (*inner.needs, *combined.needs, *further),
            partial(tracks.of_muon, quantity, len(parameters)),
        )
        rules[f"muon.{name}"] = (rule,)
    return rules


def _lepton(flavour: str, collection: str) -> dict[str, tuple[Rule, ...]]:
    def one(field: str, function: Callable[..., Any], text: str) -> tuple[Rule, ...]:
        return (Rule(text, (_slot(collection, field),), function),)

    return {
        f"{flavour}.pt": one("pt", derive.from_mev, "MeV to GeV"),
        f"{flavour}.eta": one("eta", derive.unchanged, "as it is"),
        f"{flavour}.phi": one("phi", derive.unchanged, "as it is"),
        f"{flavour}.charge": one("charge", derive.unchanged, "a float in the file"),
        f"{flavour}.calo_iso": one("topoetcone20", derive.from_mev, "MeV to GeV"),
    }


def _flag(field: str) -> tuple[Rule, ...]:
    return (Rule("a character that is not zero", (_slot(*field.split(".")),), derive.is_nonzero),)


def _cone(collection: str, isolation: Alternatives, largest: float) -> Rule:
    """Make the rule of the cone that the first of ``isolation`` was summed in."""
    return Rule(
        f"min({largest:g}, 10 GeV / pT)",
        (isolation, _slot(collection, "pt")),
        partial(derive.shrinking_cone, largest, MeV),
    )


def _electrons() -> dict[str, tuple[Rule, ...]]:
    identification = f"{_ELECTRON}.DFCommonElectronsLH"
    wide = _slot(
        _ELECTRON,
        "ptvarcone30_Nonprompt_All_MaxWeightTTVALooseCone_pt1000",
        "ptvarcone30_Nonprompt_All_MaxWeightTTVALooseCone_pt500",
        "ptvarcone30_TightTTVALooseCone_pt1000",
        "ptvarcone30_TightTTVA_pt1000",
    )
    narrow = _slot(
        _ELECTRON,
        "ptvarcone20_TightTTVALooseCone_pt1000",
        "ptvarcone20_TightTTVA_pt1000",
        "ptvarcone20",
    )
    return {
        **_lepton("electron", _ELECTRON),
        "electron.mass": (
            Rule("MeV to GeV", (_slot(_ELECTRON, "m"),), derive.from_mev),
            Rule("the electron mass", (_slot(_ELECTRON, "pt"),), derive.electron_mass_like),
        ),
        "electron.track_iso": (Rule("MeV to GeV", ((*wide, *narrow),), derive.from_mev),),
        "electron.track_cone": (_cone(_ELECTRON, wide, 0.3), _cone(_ELECTRON, narrow, 0.2)),
        "electron.is_loose": _flag(f"{identification}Loose"),
        "electron.is_loose_blayer": _flag(f"{identification}LooseBL"),
        "electron.is_medium": _flag(f"{identification}Medium"),
        "electron.is_tight": _flag(f"{identification}Tight"),
        "electron.object_quality": (
            Rule("bits as they are", (_slot(_ELECTRON, "OQ"),), derive.unchanged),
        ),
        "electron.is_trigger_matched": (
            triggers.matching_rule(_slot(_ELECTRON, "pt"), tracks.ELECTRONS_KEY),
        ),
        **_electron_tracks(),
    }


def _muons() -> dict[str, tuple[Rule, ...]]:
    isolation = _slot(
        _MUON,
        "ptvarcone30_Nonprompt_All_MaxWeightTTVA_pt1000",
        "ptvarcone30_Nonprompt_All_MaxWeightTTVA_pt500",
        "ptvarcone30_TightTTVA_pt1000",
        "ptvarcone30_TightTTVA_pt500",
        "ptvarcone30",
    )
    return {
        **_lepton("muon", _MUON),
        "muon.mass": (
            Rule("the muon mass: no branch has it", (_slot(_MUON, "pt"),), derive.muon_mass_like),
        ),
        "muon.track_iso": (Rule("MeV to GeV", (isolation,), derive.from_mev),),
        "muon.track_cone": (_cone(_MUON, isolation, 0.3),),
        "muon.quality": (
            Rule("the low three bits", (_slot(_MUON, "quality"),), derive.muon_quality),
        ),
        "muon.quality_word": (
            Rule("the byte as it is", (_slot(_MUON, "quality"),), derive.unchanged),
        ),
        "muon.type": (Rule("as it is", (_slot(_MUON, "muonType"),), derive.unchanged),),
        "muon.passes_preselection": _flag(f"{_MUON}.DFCommonMuonPassPreselection"),
        "muon.passes_id_cuts": _flag(f"{_MUON}.DFCommonMuonPassIDCuts"),
        "muon.is_trigger_matched": (triggers.matching_rule(_slot(_MUON, "pt"), tracks.MUONS_KEY),),
        **_muon_tracks(),
    }


_WEIGHTS = _slot(_EVENT, "mcEventWeights")

TTREE = Format(
    name="physlite",
    title="PHYSLITE trees",
    tree="CollectionTree",
    markers=(_slot(_EVENT, "runNumber"), _slot(_ELECTRON, "pt"), _slot(_MUON, "pt")),
    rules={
        "event.run": _event("as it is", "runNumber"),
        "event.lumi_block": _event("as it is", "lumiBlock"),
        "event.number": _event("as it is", "eventNumber"),
        "event.pileup": _event("as it is", "averageInteractionsPerCrossing"),
        "event.is_triggered": (triggers.any_chain_rule(),),
        **_electrons(),
        **_muons(),
    },
    simulation={
        "event.dsid": _event("as it is", "mcChannelNumber"),
        "event.generator_weight": (
            Rule("the first, nominal, weight", (_WEIGHTS,), derive.nominal_weight),
        ),
        "event.generator_weights": (Rule("all weights", (_WEIGHTS,), derive.all_weights),),
    },
    data={
        "event.dsid": (Rule("0", constant=0.0),),
        "event.generator_weight": (Rule("1", constant=1.0),),
        "event.scale_factor": (Rule("1", constant=1.0),),
    },
    simulated=(
        Rule("bit 0 of the event type", (_slot(_EVENT, "eventTypeBitmask"),), derive.is_simulated),
        Rule("a dataset identifier", (_slot(_EVENT, "mcChannelNumber"),), derive.is_nonzero),
        Rule("several generator weights", (_WEIGHTS,), derive.has_several),
        Rule("observed data, which may have none of them", constant=0.0),
    ),
    absences={
        "event.scale_factor": (
            "PHYSLITE holds no efficiency scale factors; a pile-up weight in it is not applied"
        ),
        "event.generator_weights": "observed data has no generator weights",
    },
    chain_branch=triggers.CHAIN_BRANCH,
    chain_rule=triggers.chain_rule,
)


def _with_colons(rule: Rule) -> Rule:
    return replace(
        rule,
        needs=tuple(
            tuple(name.replace("AuxDyn.", "AuxDyn:") for name in slot) for slot in rule.needs
        ),
        some=tuple(name.replace("AuxDyn.", "AuxDyn:") for name in rule.some),
    )


def _table_with_colons(
    table: dict[str, tuple[Rule, ...]],
) -> dict[str, tuple[Rule, ...]]:
    return {column: tuple(_with_colons(rule) for rule in rules) for column, rules in table.items()}


RNTUPLE = replace(
    TTREE,
    name="physlite-rntuple",
    title="PHYSLITE RNTuples",
    tree="EventData",
    markers=tuple(
        tuple(name.replace("AuxDyn.", "AuxDyn:") for name in slot) for slot in TTREE.markers
    ),
    rules=_table_with_colons(dict(TTREE.rules)),
    simulation=_table_with_colons(dict(TTREE.simulation)),
    data=_table_with_colons(dict(TTREE.data)),
    simulated=tuple(_with_colons(rule) for rule in TTREE.simulated),
    chain_branch=TTREE.chain_branch.replace("AuxDyn.", "AuxDyn:"),
    chain_rule=lambda chain: _with_colons(triggers.chain_rule(chain)),
)
