"""All tools together: what a chunk asks for corrected events, and for factors on weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

import awkward as ak
import numpy as np

from fourlep.corrections.efficiency import EfficiencyTool, PileupTool
from fourlep.corrections.flat import FlatLeptons, Floats
from fourlep.corrections.momentum import Flavour, KinematicTool
from fourlep.corrections.noise import with_seeds
from fourlep.corrections.payload import NOMINAL
from fourlep.corrections.theory import TheoryTool
from fourlep.errors import ConfigError
from fourlep.events import Events


@dataclass(frozen=True, slots=True)
class Calibration:
    """Every correction of a run; frozen and picklable.

    Parameters
    ----------
    kinematic
        Tools that change leptons, applied in this order.
    efficiencies
        Tools that weigh leptons.
    pileup, theory
        Tools that weigh events, None for none.
    largest_pt_change
        Largest relative change of pT that the kinematic tools make.
    excluded
        Variations that are left out.
    """

    kinematic: tuple[KinematicTool, ...] = ()
    efficiencies: tuple[EfficiencyTool, ...] = ()
    pileup: PileupTool | None = None
    theory: TheoryTool | None = None
    largest_pt_change: float = 0.0
    excluded: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Canonical columns that it reads where the file has them."""
        pileup = ("event.pileup",) if self.pileup else ()
        theory = ("event.dsid", "event.generator_weights") if self.theory else ()
        return (*pileup, *theory)

    @property
    def kinematic_variations(self) -> tuple[str, ...]:
        """Variations that change leptons: events are selected again."""
        return self._kept(sys for tool in self.kinematic for sys in tool.systematics)

    @property
    def weight_variations(self) -> tuple[str, ...]:
        """Variations that change weights alone."""
        tools = (*self.efficiencies, self.pileup, self.theory)
        return self._kept(sys for tool in tools if tool for sys in tool.systematics)

    def _kept(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name in dict.fromkeys(names) if name not in self.excluded)

    def apply(self, events: Events, variations: tuple[str, ...]) -> Events:
        """Correct the leptons of events, once for each variation.

        All variations come as one array of events, so that a selection decides them in
        one pass.

        Parameters
        ----------
        events
            As read.
        variations
            ``nominal`` or of `kinematic_variations`.

        Returns
        -------
        (n_variations * n_events) Events
            All events of the first variation, then all of the next; several without
            the generator's further weights, which are large and vary no lepton.

        Raises
        ------
        ConfigError
            If there is no such variation.
        """
        self._check(variations, self.kinematic_variations)
        seeded = with_seeds(events)
        repeated = seeded if len(variations) == 1 else _repeated(seeded, len(variations))
        return replace(
            repeated,
            electrons=self._varied("electron", seeded.electrons, repeated.electrons, variations),
            muons=self._varied("muon", seeded.muons, repeated.muons, variations),
        )

    def _varied(
        self, flavour: Flavour, leptons: ak.Array, repeated: ak.Array, variations: tuple[str, ...]
    ) -> ak.Array:
        """``repeated`` with the pT of each variation."""
        tools = [tool for tool in self.kinematic if tool.flavour == flavour]
        if not tools or not ak.fields(leptons):
            return repeated
        flat = FlatLeptons.of(leptons)
        pt = [self._pt(tools, flat, variation) for variation in variations]
        counts = np.tile(flat.counts, len(variations))
        return ak.with_field(repeated, ak.unflatten(np.concatenate(pt), counts), "pt")

    def _pt(self, tools: list[KinematicTool], leptons: FlatLeptons, variation: str) -> Floats:
        """Corrected pT; each tool works on what the one before it gave."""
        for tool in tools:
            sys = variation if variation in tool.systematics else NOMINAL
            pt = leptons.inputs["pt"] * tool.changes(leptons, sys)
            leptons = replace(leptons, inputs={**leptons.inputs, "pt": pt})
        return leptons.inputs["pt"]

    def weights(self, events: Events, variations: tuple[str, ...]) -> Floats:
        """Compute factors on the generator weight.

        Parameters
        ----------
        events
            Selected events, with no other leptons than the candidate's.
        variations
            ``nominal`` or of `weight_variations`.

        Returns
        -------
        (n_variations, n_events) float64

        Raises
        ------
        ConfigError
            If there is no such variation.
        """
        self._check(variations, self.weight_variations)
        sources = self._sources(events)
        nominal = [weigh(NOMINAL) for _, weigh in sources]
        factors = np.ones((len(variations), len(events)))
        for row, variation in enumerate(variations):
            for (systematics, weigh), unvaried in zip(sources, nominal, strict=True):
                factors[row] *= weigh(variation) if variation in systematics else unvaried
        return factors

    def _sources(self, events: Events) -> list[tuple[tuple[str, ...], Callable[[str], Floats]]]:
        """What weighs these events: variations and the function from one to (n_events,)."""
        leptons = {
            "electron": FlatLeptons.of(events.electrons),
            "muon": FlatLeptons.of(events.muons),
        }
        sources: list[tuple[tuple[str, ...], Callable[[str], Floats]]] = [
            (tool.systematics, partial(tool.of_events, leptons[tool.flavour]))
            for tool in self.efficiencies
        ]
        if self.pileup and events.has("event.pileup"):
            pileup = np.asarray(events.event["pileup"], dtype=np.float64)
            sources.append((self.pileup.systematics, partial(self.pileup, pileup)))
        if self.theory:
            sources.append((self.theory.systematics, partial(self.theory, events)))
        return sources

    def _check(self, variations: tuple[str, ...], known: tuple[str, ...]) -> None:
        for variation in variations:
            if variation != NOMINAL and variation not in known:
                raise ConfigError(
                    f"no variation {variation!r}", remedy=f"there are {', '.join(known) or 'none'}"
                )


def _repeated(events: Events, times: int) -> Events:
    slim = {name: v for name, v in events.event.items() if name != "generator_weights"}
    return replace(events, event=slim)[np.tile(np.arange(len(events)), times)]
