"""Weights: efficiencies of leptons, and pile-up."""

from __future__ import annotations

from dataclasses import dataclass

import awkward as ak

from fourlep.corrections.flat import FlatLeptons, Floats
from fourlep.corrections.momentum import Flavour, check_offered
from fourlep.corrections.payload import NOMINAL, Payload


@dataclass(frozen=True, slots=True)
class EfficiencyTool:
    """Ratio of an efficiency in data to that in simulation, for each lepton.

    Parameters
    ----------
    flavour
        Which leptons it is for.
    quantity
        ``reconstruction``, ``identification``, ``isolation`` or ``vertex_association``.
    payload
        With ``FLAVOUR_QUANTITY``.

    Examples
    --------
    >>> from fourlep.corrections.payload import read_payload
    >>> EfficiencyTool("muon", "isolation", read_payload()).systematics[0]
    'MUON_EFF_ISO_STAT__1up'
    """

    flavour: Flavour
    quantity: str
    payload: Payload

    @property
    def correction(self) -> str:
        """Its name in the payload."""
        return f"{self.flavour}_{self.quantity}"

    @property
    def systematics(self) -> tuple[str, ...]:
        """Its variations."""
        return self.payload.systematics(self.correction)

    def __call__(self, leptons: ak.Array, sys: str = NOMINAL) -> ak.Array:
        """Weigh leptons.

        Parameters
        ----------
        leptons : (n_events, var) records
            With ``pt`` (GeV), ``eta`` and ``phi``.
        sys
            ``nominal`` or one of `systematics`.

        Returns
        -------
        (n_events, var) float64

        Raises
        ------
        ConfigError
            If the tool does not have ``sys``.
        """
        check_offered(self, sys)
        flat = FlatLeptons.of(leptons)
        return flat.jagged(self.payload.evaluate(self.correction, sys, flat.inputs))

    def of_events(self, leptons: FlatLeptons, sys: str) -> Floats:
        """Multiply the weights of each event's leptons, (n_events,); 1 where it has none."""
        return leptons.products(self.payload.evaluate(self.correction, sys, leptons.inputs))


@dataclass(frozen=True, slots=True)
class PileupTool:
    """Weight of an event by the number of interactions in its bunch crossing.

    Parameters
    ----------
    payload
        With ``pileup``.
    """

    payload: Payload

    @property
    def systematics(self) -> tuple[str, ...]:
        """Its variations."""
        return self.payload.systematics("pileup")

    def __call__(self, pileup: Floats, sys: str = NOMINAL) -> Floats:
        """Weigh events.

        Parameters
        ----------
        pileup : (n_events,)
            Average interactions per crossing.
        sys
            ``nominal`` or one of `systematics`.

        Returns
        -------
        (n_events,) float64

        Raises
        ------
        ConfigError
            If the tool does not have ``sys``.
        """
        check_offered(self, sys)
        return self.payload.evaluate("pileup", sys, {"pileup": pileup})
