"""Generated events: leptons before the detector, by process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fourlep.synth import decays
from fourlep.synth.parameters import Base, Parameters, ProcessParameters
from fourlep.synth.sampling import Floats, Generator, MassTriple

#: Where a lepton is from.
PROMPT, HEAVY, LIGHT = 0, 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Leptons of generated events.

    Parameters
    ----------
    n_events
        How many events.
    event : (n_leptons,) int64
        Event of each lepton, ascending.
    pt, eta, phi : (n_leptons,) float64
        GeV, and angles.
    is_muon : (n_leptons,) booleans
        Else an electron.
    charge, origin : (n_leptons,) int64
        Charge in units of e; `PROMPT`, `HEAVY` or `LIGHT`.
    m4l, m12, m34 : (n_events,) float64
        Generated masses of the four leptons and of its pairs, NaN where there are none.
    """

    n_events: int
    event: npt.NDArray[np.int64]
    pt: Floats
    eta: Floats
    phi: Floats
    is_muon: npt.NDArray[np.bool_]
    charge: npt.NDArray[np.int64]
    origin: npt.NDArray[np.int64]
    m4l: Floats
    m12: Floats
    m34: Floats

    def take(self, order: npt.NDArray[np.int64]) -> Truth:
        """Select events by number, in the order given, each at most once."""
        place = np.full(self.n_events, -1, dtype=np.int64)
        place[order] = np.arange(len(order))
        event = place[self.event]
        kept = np.flatnonzero(event >= 0)
        kept = kept[np.argsort(event[kept], kind="stable")]
        return Truth(
            n_events=len(order),
            event=event[kept],
            **{name: getattr(self, name)[kept] for name in _OF_LEPTONS},
            **{name: getattr(self, name)[order] for name in _OF_EVENTS},
        )


#: Columns of `Truth`, by what they are of.
_OF_LEPTONS = ("pt", "eta", "phi", "is_muon", "charge", "origin")
_OF_EVENTS = ("m4l", "m12", "m34")


@dataclass(frozen=True, slots=True, eq=False)
class _Leptons:
    """Some leptons of some events, in any order."""

    event: npt.NDArray[np.int64]
    pt: Floats
    eta: Floats
    phi: Floats
    is_muon: npt.NDArray[np.bool_]
    charge: npt.NDArray[np.int64]
    origin: npt.NDArray[np.int64]


def generate(
    rng: Generator, process: ProcessParameters, size: int, parameters: Parameters
) -> Truth:
    """Generate events that have four leptons, those from jets counted.

    Parameters
    ----------
    rng
        Generator.
    process
        What to generate.
    size
        How many events.
    parameters
        Everything else.
    """
    minimum = 2 if process.needs_nonprompt else 0
    number = _poisson(rng, size, process.nonprompt_rate, low=minimum, high=None)
    return _assemble(rng, process, process.base, number, parameters)


def generate_filler(
    rng: Generator, process: ProcessParameters, size: int, parameters: Parameters
) -> Truth:
    """Generate events of a process that have fewer than four leptons."""
    number = _poisson(rng, size, process.nonprompt_rate, low=0, high=1)
    return _assemble(rng, process, process.base, number, parameters)


def generate_few(
    rng: Generator, process: ProcessParameters, base: Base, size: int, parameters: Parameters
) -> Truth:
    """Generate events with what ``base`` gives alone, with the boson of ``process``."""
    return _assemble(rng, process, base, np.zeros(size, dtype=np.int64), parameters)


def four_lepton_share(process: ProcessParameters) -> float:
    """Probability that an event of the process has four leptons, those from jets counted."""
    if not process.needs_nonprompt:
        return 1.0
    rate = process.nonprompt_rate
    # P(n >= 2) of a Poisson distribution, without cancellation for small rates.
    return float(-np.expm1(-rate) - rate * np.exp(-rate))


def joined(parts: list[Truth]) -> Truth:
    """Put the events of several samples one after another."""
    starts = np.cumsum([0, *(part.n_events for part in parts)])

    def together(name: str) -> Any:
        return np.concatenate([getattr(part, name) for part in parts])

    return Truth(
        n_events=int(starts[-1]),
        event=np.concatenate([part.event + s for part, s in zip(parts, starts, strict=False)]),
        **{name: together(name) for name in (*_OF_LEPTONS, *_OF_EVENTS)},
    )


def _assemble(
    rng: Generator,
    process: ProcessParameters,
    base: Base,
    n_nonprompt: npt.NDArray[np.int64],
    parameters: Parameters,
) -> Truth:
    size = len(n_nonprompt)
    nowhere = np.full(size, np.nan)
    masses = (nowhere, nowhere, nowhere)
    parts: list[_Leptons] = []
    if base in ("higgs", "continuum"):
        four, masses = _four(rng, process, base, size, parameters)
        parts.append(four)
    elif base == "z":
        parts.append(_z(rng, process, size))
    elif base == "tops":
        parts.append(_from_w(rng, np.full(size, 2), parameters))
    else:
        parts.append(_from_w(rng, np.full(size, 1), parameters))
    parts.append(_from_w(rng, _n_extra(rng, process, size), parameters))
    parts.append(_nonprompt(rng, process, n_nonprompt, parameters))
    return _sorted(size, parts, masses)


def _four(
    rng: Generator, process: ProcessParameters, base: Base, size: int, parameters: Parameters
) -> tuple[_Leptons, MassTriple]:
    if base == "higgs":
        m4l, first, second = decays.higgs_masses(rng, size, parameters.higgs)
        longitudinal = rng.random(size) < decays.longitudinal_share(m4l, first, second)
    else:
        m4l, first, second = _continuum(rng, size, parameters)
        longitudinal = np.zeros(size, dtype=np.bool_)
    parent = decays.boson(
        rng,
        m4l,
        pt_mean=process.boson_pt_mean,
        pt_shape=process.boson_pt_shape,
        rapidity_width=process.rapidity_width,
    )
    vectors = decays.four_leptons(rng, parent, first, second, longitudinal)
    is_muon = rng.random((2, size)) < 0.5
    flavours = [is_muon[0], is_muon[0], is_muon[1], is_muon[1]]
    return _prompt(vectors, flavours), (m4l, first, second)


def _continuum(rng: Generator, size: int, parameters: Parameters) -> MassTriple:
    components = parameters.continuum
    which = rng.choice(len(components), size, p=[c.fraction for c in components])
    masses = np.empty((3, size))
    for number, component in enumerate(components):
        here = np.flatnonzero(which == number)
        low = parameters.higgs.pair_mass_min
        masses[:, here] = decays.continuum_masses(rng, len(here), component, low)
    return masses[0], masses[1], masses[2]


def _z(rng: Generator, process: ProcessParameters, size: int) -> _Leptons:
    parent = decays.boson(
        rng,
        decays.z_masses(rng, size),
        pt_mean=process.boson_pt_mean,
        pt_shape=process.boson_pt_shape,
        rapidity_width=process.rapidity_width,
    )
    flavour = rng.random(size) < 0.5
    return _prompt(decays.two_leptons(rng, parent), [flavour, flavour])


def _prompt(vectors: list[Floats], flavours: list[npt.NDArray[np.bool_]]) -> _Leptons:
    """Leptons of pairs, one array of four-vectors each; charges alternate."""
    size = len(vectors[0])
    stacked = np.concatenate(vectors)
    pt = np.hypot(stacked[:, 1], stacked[:, 2])
    charges = [(-1) ** (position + 1) for position in range(len(vectors))]
    return _Leptons(
        event=np.tile(np.arange(size), len(vectors)),
        pt=pt,
        eta=np.arcsinh(stacked[:, 3] / pt),
        phi=np.arctan2(stacked[:, 2], stacked[:, 1]),
        is_muon=np.concatenate(flavours),
        charge=np.repeat(charges, size),
        origin=np.zeros(size * len(vectors), dtype=np.int64),
    )


def _n_extra(rng: Generator, process: ProcessParameters, size: int) -> npt.NDArray[np.int64]:
    number, probability = process.extra_prompt, process.extra_prompt_probability
    if process.extra_prompt_together:
        return number * rng.binomial(1, probability, size)
    return rng.binomial(number, probability, size)


def _from_w(rng: Generator, number: npt.NDArray[np.int64], parameters: Parameters) -> _Leptons:
    """Leptons from W bosons or tops; two of an event have opposite charge."""
    prompt = parameters.prompt
    event = np.repeat(np.arange(len(number)), number)
    total = len(event)
    position = np.arange(total) - np.repeat(np.cumsum(number) - number, number)
    first_charge = np.repeat(rng.choice([-1, 1], len(number)), number)
    return _Leptons(
        event=event,
        pt=2.0 + rng.gamma(prompt.pt_shape, prompt.pt_mean / prompt.pt_shape, total),
        eta=rng.normal(0.0, prompt.eta_width, total),
        phi=rng.uniform(-np.pi, np.pi, total),
        is_muon=rng.random(total) < 0.5,
        charge=np.where(position % 2 == 0, first_charge, -first_charge),
        origin=np.full(total, PROMPT),
    )


def _nonprompt(
    rng: Generator,
    process: ProcessParameters,
    number: npt.NDArray[np.int64],
    parameters: Parameters,
) -> _Leptons:
    """Leptons from hadrons in jets, and jets taken for electrons."""
    fake = parameters.nonprompt
    event = np.repeat(np.arange(len(number)), number)
    total = len(event)
    is_heavy = rng.random(total) < process.heavy_fraction
    mean = np.where(is_heavy, fake.heavy_pt_mean, fake.light_pt_mean)
    muon_share = np.where(is_heavy, 0.5, 1.0 - fake.light_electrons)
    return _Leptons(
        event=event,
        pt=fake.pt_min + rng.exponential(1.0, total) * mean,
        eta=rng.normal(0.0, fake.eta_width, total),
        phi=rng.uniform(-np.pi, np.pi, total),
        is_muon=rng.random(total) < muon_share,
        charge=rng.choice([-1, 1], total),
        origin=np.where(is_heavy, HEAVY, LIGHT),
    )


def _sorted(size: int, parts: list[_Leptons], masses: MassTriple) -> Truth:
    event = np.concatenate([part.event for part in parts])
    order = np.argsort(event, kind="stable")

    def column(name: str) -> Any:
        return np.concatenate([getattr(part, name) for part in parts])[order]

    m4l, first, second = masses
    return Truth(
        n_events=size,
        event=event[order],
        m4l=m4l,
        m12=first,
        m34=second,
        **{name: column(name) for name in _OF_LEPTONS},
    )


def _poisson(
    rng: Generator, size: int, rate: float, *, low: int, high: int | None
) -> npt.NDArray[np.int64]:
    """Draw Poisson numbers, conditional on ``low <= n <= high``."""
    top = (low + 12) if high is None else high
    numbers = np.arange(low, top + 1)
    logarithm = numbers * np.log(rate) if rate > 0.0 else np.where(numbers == 0, 0.0, -np.inf)
    factorial = np.cumsum(np.log(np.maximum(np.arange(top + 1), 1)))[low:]
    weights = np.exp(logarithm - factorial - np.max(logarithm - factorial))
    return rng.choice(numbers, size, p=weights / np.sum(weights))
