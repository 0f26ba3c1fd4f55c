"""Settings of the corrections, and the tools that they make."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fourlep.config.toml import setting
from fourlep.corrections.bindings import BoundTool
from fourlep.corrections.calibration import Calibration
from fourlep.corrections.efficiency import EfficiencyTool, PileupTool
from fourlep.corrections.momentum import Flavour, KinematicTool, MomentumTool
from fourlep.corrections.payload import CONTRACT, Payload, read_payload
from fourlep.corrections.theory import TheoryTool, read_families
from fourlep.errors import ConfigError

_FLAVOURS: tuple[Flavour, ...] = ("electron", "muon")
_MOMENTUM = ("scale", "resolution")
_NONE = "none"


@dataclass(frozen=True, slots=True)
class BindingConfig:
    """One tool of the collaboration's Python bindings."""

    flavour: Flavour = setting("electron", "Which leptons it corrects.")
    tool: str = setting(
        "atlascp.EgammaTools.EgammaCalibrationAndSmearingTool", "Dotted name of its class."
    )
    systematics: tuple[str, ...] = setting(
        ("EG_SCALE_ALL__1up", "EG_SCALE_ALL__1down"), "Variations to take from it."
    )
    properties: tuple[tuple[str, str], ...] = setting(
        (), "Names and values that it is given before it is initialised."
    )


@dataclass(frozen=True, slots=True)
class CorrectionsConfig:
    """How simulation is corrected and varied."""

    payload: str = setting(
        "", "Path of a correctionlib JSON; '' is the illustrative set, 'none' is none."
    )
    theory: str = setting(
        "", "Path of a table of generator weights; '' is the one for the fileset, 'none' is none."
    )
    largest_pt_change: float = setting(
        0.05, "Largest relative change of pT, which a correction is limited to."
    )
    exclude: tuple[str, ...] = setting((), "Variations to leave out, by name.")
    bindings: tuple[BindingConfig, ...] = setting(
        (), "Tools of the collaboration, in place of the payload's for their leptons."
    )

    def __post_init__(self) -> None:
        if not 0.0 <= self.largest_pt_change < 1.0:
            raise ValueError("largest_pt_change must be at least 0 and below 1")


def make_corrections(
    config: CorrectionsConfig | None = None, *, is_synthetic: bool = False
) -> Calibration:
    """Make the corrections of a run.

    Parameters
    ----------
    config
        Settings; None for the defaults.
    is_synthetic
        Whether simulation is the stand-in's, whose generator weights have a meaning of
        their own.

    Raises
    ------
    ConfigError
        If a payload or table is wrong, or an excluded variation does not exist.
    """
    settings = config or CorrectionsConfig()
    payload = _payload(settings)
    made = Calibration(
        kinematic=_kinematic(settings, payload),
        efficiencies=_efficiencies(payload),
        pileup=PileupTool(payload) if payload and payload.has("pileup") else None,
        theory=_theory(settings, is_synthetic=is_synthetic),
        largest_pt_change=settings.largest_pt_change,
    )
    known = (*made.kinematic_variations, *made.weight_variations)
    for name in settings.exclude:
        if name not in known:
            raise ConfigError(
                f"corrections.exclude: there is no variation {name!r}",
                remedy=f"there are {', '.join(known) or 'none'}",
            )
    return Calibration(
        made.kinematic,
        made.efficiencies,
        made.pileup,
        made.theory,
        made.largest_pt_change if made.kinematic else 0.0,
        settings.exclude,
    )


def _payload(settings: CorrectionsConfig) -> Payload | None:
    if settings.payload == _NONE:
        return None
    return read_payload(Path(settings.payload) if settings.payload else None)


def _kinematic(settings: CorrectionsConfig, payload: Payload | None) -> tuple[KinematicTool, ...]:
    bound = tuple(
        BoundTool(b.flavour, b.tool, b.systematics, b.properties, settings.largest_pt_change)
        for b in settings.bindings
    )
    taken = {tool.flavour for tool in bound}
    own = tuple(
        MomentumTool(flavour, payload, settings.largest_pt_change)
        for flavour in _FLAVOURS
        if payload and flavour not in taken
        if any(payload.has(f"{flavour}_{quantity}") for quantity in _MOMENTUM)
    )
    return (*bound, *own)


def _efficiencies(payload: Payload | None) -> tuple[EfficiencyTool, ...]:
    if payload is None:
        return ()
    return tuple(
        EfficiencyTool(flavour, quantity, payload)
        for flavour in _FLAVOURS
        for correction in CONTRACT
        if (quantity := correction.removeprefix(f"{flavour}_")) != correction
        if quantity not in _MOMENTUM and payload.has(correction)
    )


def _theory(settings: CorrectionsConfig, *, is_synthetic: bool) -> TheoryTool | None:
    if settings.theory == _NONE:
        return None
    default = "theory_synthetic.toml" if is_synthetic else "theory_release2024.toml"
    path = Path(settings.theory) if settings.theory else Path(__file__).with_name("data") / default
    return TheoryTool(read_families(path))
