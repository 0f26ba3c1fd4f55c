"""Scale and resolution of electron energies and muon momenta."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import awkward as ak
import numpy as np

from fourlep.corrections.flat import FlatLeptons, Floats
from fourlep.corrections.noise import normal
from fourlep.corrections.payload import NOMINAL, Payload
from fourlep.errors import ConfigError

Flavour = Literal["electron", "muon"]


class HasSystematics(Protocol):
    """Anything that lists its variations."""

    @property
    def systematics(self) -> tuple[str, ...]:
        """Its variations."""


class KinematicTool(HasSystematics, Protocol):
    """A tool that corrects the pT of leptons."""

    @property
    def flavour(self) -> Flavour:
        """Which leptons it corrects."""

    def __call__(self, leptons: ak.Array, sys: str = NOMINAL) -> ak.Array:
        """Correct leptons."""

    def changes(self, leptons: FlatLeptons, sys: str) -> Floats:
        """Compute the factor on pT of each lepton, (n_leptons,)."""


@dataclass(frozen=True, slots=True)
class MomentumTool:
    """Correct pT by a scale factor and by additional smearing.

    A change beyond ``largest_change`` is limited to it, so that a reader may skip
    events by loosened thresholds and lose none.

    Parameters
    ----------
    flavour
        Which leptons it corrects.
    payload
        With ``FLAVOUR_scale`` or ``FLAVOUR_resolution``, or both.
    largest_change
        Of pT, relative, 0 to 1.

    Examples
    --------
    >>> from fourlep.corrections.payload import read_payload
    >>> tool = MomentumTool("electron", read_payload())
    >>> tool.systematics
    ('EG_SCALE_ALL__1up', 'EG_SCALE_ALL__1down', 'EG_RESOLUTION_ALL__1up')
    """

    flavour: Flavour
    payload: Payload
    largest_change: float = 0.05

    @property
    def systematics(self) -> tuple[str, ...]:
        """Variations of scale, then of resolution."""
        return (
            *self.payload.systematics(f"{self.flavour}_scale"),
            *self.payload.systematics(f"{self.flavour}_resolution"),
        )

    def __call__(self, leptons: ak.Array, sys: str = NOMINAL) -> ak.Array:
        """Correct leptons.

        Parameters
        ----------
        leptons : (n_events, var) records
            With ``pt`` (GeV), ``eta``, ``phi``, and for smearing ``seed``
            (`fourlep.corrections.noise.with_seeds`).
        sys
            ``nominal`` or one of `systematics`.

        Returns
        -------
        (n_events, var) records
            With corrected ``pt``; everything else is unchanged.

        Raises
        ------
        ConfigError
            If the tool does not have ``sys``, or smearing lacks the seeds.
        """
        return corrected(self, leptons, sys)

    def changes(self, leptons: FlatLeptons, sys: str) -> Floats:
        """Compute the factor on pT of each lepton, (n_leptons,).

        Raises
        ------
        ConfigError
            If smearing lacks the seeds.
        """
        change = np.ones(len(leptons))
        scale, resolution = f"{self.flavour}_scale", f"{self.flavour}_resolution"
        if self.payload.has(scale):
            change *= self.payload.evaluate(scale, self._for(scale, sys), leptons.inputs)
        if self.payload.has(resolution):
            width = self.payload.evaluate(resolution, self._for(resolution, sys), leptons.inputs)
            if np.any(width != 0.0):
                change *= 1.0 + width * normal(leptons.needed_seeds())
        return np.clip(change, 1.0 - self.largest_change, 1.0 + self.largest_change)

    def _for(self, correction: str, sys: str) -> str:
        return sys if sys in self.payload.systematics(correction) else NOMINAL


def corrected(tool: KinematicTool, leptons: ak.Array, sys: str) -> ak.Array:
    """Apply a tool to jagged records; a collection without fields stays as it is.

    Raises
    ------
    ConfigError
        If the tool does not have ``sys``.
    """
    check_offered(tool, sys)
    if not ak.fields(leptons):
        return leptons
    flat = FlatLeptons.of(leptons)
    pt = flat.inputs["pt"] * tool.changes(flat, sys)
    return ak.with_field(leptons, flat.jagged(pt), "pt")


def check_offered(tool: HasSystematics, sys: str) -> None:
    """Refuse a variation that a tool does not have.

    Raises
    ------
    ConfigError
        Listing those that it has.
    """
    if sys != NOMINAL and sys not in tool.systematics:
        raise ConfigError(
            f"no systematic variation {sys!r} in {type(tool).__name__}",
            remedy=f"it has {', '.join((NOMINAL, *tool.systematics))}",
        )
