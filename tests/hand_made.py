"""Events written by hand, and at random, for tests of the physics.

The reference event is a decay at rest in the transverse plane: a pair of 45.594 GeV back
to back (m12 = 91.188 GeV, the Z mass) and, at right angles, one of 15 GeV (m34 = 30 GeV),
so that m4l = 121.188 GeV. Leptons are massless, which keeps the numbers exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import awkward as ak
import numpy as np
from hypothesis import strategies as st

from fourlep.events import Events

HALF_Z = 45.594


@dataclass(frozen=True, slots=True)
class Electron:
    """An electron that meets every requirement."""

    pt: float
    phi: float = 0.0
    charge: int = 1
    eta: float = 0.0
    mass: float = 0.0
    is_loose: bool = True
    object_quality: int = 0
    z0_sin_theta: float = 0.0
    d0: float = 0.0
    d0_significance: float = 0.0
    track_iso: float = 0.0
    track_cone: float = 0.3
    calo_iso: float = 0.0
    is_trigger_matched: bool = True


@dataclass(frozen=True, slots=True)
class Muon:
    """A muon that meets every requirement."""

    pt: float
    phi: float = 0.0
    charge: int = 1
    eta: float = 0.0
    mass: float = 0.0
    quality: int = 2
    quality_word: int = 2
    type: int = 0
    z0_sin_theta: float = 0.0
    d0: float = 0.0
    d0_significance: float = 0.0
    track_iso: float = 0.0
    track_cone: float = 0.3
    calo_iso: float = 0.0
    is_trigger_matched: bool = True


Lepton = Electron | Muon


def pair(kind: type[Lepton], pt: float, phi: float = 0.0, **same: Any) -> list[Lepton]:
    """Two leptons of opposite charge, back to back."""
    return [kind(pt, phi, 1, **same), kind(pt, phi + math.pi, -1, **same)]


def reference(z1: type[Lepton] = Electron, z2: type[Lepton] | None = None) -> list[Lepton]:
    """The reference event."""
    return [*pair(z1, HALF_Z), *pair(z2 or z1, 15.0, math.pi / 2)]


def changed(leptons: Sequence[Lepton], number: int, **values: Any) -> list[Lepton]:
    """The same leptons with lepton ``number`` changed."""
    result = list(leptons)
    result[number] = replace(result[number], **values)
    return result


def events_of(
    *events: Sequence[Lepton],
    is_simulation: bool = True,
    without: Sequence[str] = (),
    **columns: Any,
) -> Events:
    """Events of these leptons, in the order given.

    Parameters
    ----------
    events
        Leptons of each event.
    is_simulation
        Whether they are simulated.
    without
        Canonical columns that are absent.
    columns
        Event columns to set: ``generator_weight=[...]``, ``run=...``.
    """
    n = len(events)
    values: dict[str, Any] = {
        "run": np.full(n, 300000, dtype=np.int64),
        "lumi_block": np.full(n, 1, dtype=np.int64),
        "number": np.arange(n, dtype=np.uint64),
        "is_triggered": np.ones(n, dtype=np.bool_),
        "generator_weight": np.ones(n),
    }
    values |= {name: np.asarray(given) for name, given in columns.items()}
    absent = dict.fromkeys(without, "the test leaves it out")
    return Events(
        entry=np.arange(n, dtype=np.int64),
        event={name: v for name, v in values.items() if f"event.{name}" not in absent},
        electrons=_collection(events, Electron, absent),
        muons=_collection(events, Muon, absent),
        is_simulation=is_simulation,
        absent=absent,
    )


def _collection(
    events: Sequence[Sequence[Lepton]], kind: type[Lepton], absent: dict[str, str]
) -> ak.Array:
    chosen = [[lepton for lepton in event if isinstance(lepton, kind)] for event in events]
    counts = np.array([len(event) for event in chosen], dtype=np.int64)
    flat = [lepton for event in chosen for lepton in event]
    prefix = kind.__name__.lower()
    names = [f.name for f in fields(kind) if f"{prefix}.{f.name}" not in absent]
    kinds = {f.name: {"float": float, "int": int, "bool": bool}[str(f.type)] for f in fields(kind)}
    columns = {
        name: np.array([getattr(lepton, name) for lepton in flat], dtype=kinds[name])
        for name in names
    }
    return ak.unflatten(ak.zip(columns, depth_limit=1), counts)


#: Leptons near the thresholds of the selections, so that about half of them pass each.
_PT = st.floats(3.0, 90.0, allow_subnormal=False)
_ETA = st.floats(-2.8, 2.8)
_PHI = st.floats(-3.14, 3.14)
_SMALL = st.floats(-1.0, 1.0)


def _leptons(kind: type[Lepton], **own: st.SearchStrategy[Any]) -> st.SearchStrategy[Lepton]:
    return st.builds(
        kind,
        pt=_PT,
        phi=_PHI,
        charge=st.sampled_from((-1, 1)),
        eta=_ETA,
        mass=st.just(0.1),
        z0_sin_theta=_SMALL,
        d0=_SMALL,
        d0_significance=st.floats(-6.0, 6.0),
        track_iso=st.floats(0.0, 8.0),
        calo_iso=st.floats(-3.0, 8.0),
        is_trigger_matched=st.booleans(),
        **own,
    )


ELECTRONS = _leptons(
    Electron, is_loose=st.integers(0, 4).map(bool), object_quality=st.sampled_from((0, 0, 0, 2, 8))
)
MUONS = _leptons(
    Muon,
    quality=st.integers(0, 3),
    quality_word=st.sampled_from((0, 1, 2, 2, 3, 9, 10)),
    type=st.sampled_from((0, 0, 0, 1, 2, 3)),
)

#: One event of up to seven leptons, half of them decays that would be kept as they stand.
RANDOM_EVENT = st.one_of(
    st.lists(st.one_of(ELECTRONS, MUONS), max_size=7),
    st.builds(
        lambda z1, z2, more: [*reference(z1, z2), *more],
        st.sampled_from((Electron, Muon)),
        st.sampled_from((Electron, Muon)),
        st.lists(st.one_of(ELECTRONS, MUONS), max_size=2),
    ),
)
