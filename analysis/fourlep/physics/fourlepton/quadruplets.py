"""What quadruplets of the full selection must meet, and which one an event keeps."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt

from fourlep.physics.fourlepton.config import FourleptonConfig, QuadrupletConfig
from fourlep.physics.fourlepton.leptons import CALO_TAGGED, SILICON_FORWARD, STAND_ALONE
from fourlep.physics.isolation import calo_isolation, track_isolation
from fourlep.physics.kinematics import Momenta, delta_r
from fourlep.physics.leptons import Leptons
from fourlep.physics.pairing import Quadruplets
from fourlep.units import Z_MASS

Masks = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def requirements(
    leptons: Leptons,
    momenta: Momenta,
    found: Quadruplets,
    is_triggered: Masks,
    config: FourleptonConfig,
) -> tuple[Masks, ...]:
    """Masks of the quadruplets that meet each requirement, in the order of the cutflow.

    Parameters
    ----------
    leptons, momenta, found
        All leptons that count, and all quadruplets of them.
    is_triggered : (n_events,) booleans
        Whether a trigger took each event.
    config
        Thresholds.

    Returns
    -------
    tuple of (n_quadruplets,) booleans
        Two pairs, leading pT, m12, m34, delta R, m(SFOS), trigger, quality (with at most
        so many special muons), trigger match, track isolation, calorimeter isolation, d0
        significance.
    """
    quad = config.quadruplet
    return (
        np.ones(len(found), dtype=np.bool_),
        _has_leading_pt(leptons, found, quad.pt_min),
        (found.m12 > quad.m12_min) & (found.m12 < quad.m12_max),
        (found.m34 > m34_minimum(found.m4l, quad)) & (found.m34 < quad.m34_max),
        _is_apart(leptons, found, quad),
        _has_heavy_pairs(leptons, momenta, found, quad.m_sfos_min),
        is_triggered[found.event],
        np.all(leptons["is_good"][found.lepton] != 0, axis=1)
        & _few_special_muons(leptons, found, quad.special_muons_max),
        np.logical_or.reduce(leptons["is_trigger_matched"][found.lepton] != 0, axis=1),
        _is_track_isolated(leptons, found, config),
        _is_calo_isolated(leptons, found, config),
        _below(
            leptons,
            found,
            np.abs(leptons["d0_significance"][found.lepton]),
            (config.electron.d0_significance_max, config.muon.d0_significance_max),
        ),
    )


def m34_minimum(m4l: Floats, config: QuadrupletConfig) -> Floats:
    """Lower limit of m34: constant, linear in m4l between two masses, constant.

    Examples
    --------
    >>> m34_minimum(np.array([120.0, 165.0, 300.0]), QuadrupletConfig()).tolist()
    [12.0, 31.0, 50.0]
    """
    return np.interp(
        m4l,
        (config.m34_rise_start, config.m34_rise_end),
        (config.m34_min_low, config.m34_min_high),
    )


def best(leptons: Leptons, found: Quadruplets) -> npt.NDArray[np.int64]:
    """Choose one quadruplet of each event.

    Returns
    -------
    (n_events_with_a_quadruplet,) int64
        Rows of ``found``, ordered by event.
    """
    is_muon = leptons.is_muon
    z1_is_muon, z2_is_muon = is_muon[found.z1[:, 0]], is_muon[found.z2[:, 0]]
    # 4mu, 2e2mu, 2mu2e, 4e: from the highest expected rate to the lowest.
    priority = np.array([[3, 1], [2, 0]])[z1_is_muon.astype(int), z2_is_muon.astype(int)]
    order = np.lexsort(
        (np.abs(found.m34 - Z_MASS), np.abs(found.m12 - Z_MASS), priority, found.event)
    )
    _, first = np.unique(found.event[order], return_index=True)
    return order[first]


def _few_special_muons(leptons: Leptons, found: Quadruplets, limit: int) -> Masks:
    kind = leptons["type"][found.lepton]
    is_special = np.isin(kind, (STAND_ALONE, CALO_TAGGED, SILICON_FORWARD))
    special = (is_special & leptons.is_muon[found.lepton]).sum(axis=1)
    return np.asarray(special <= limit)


def _has_leading_pt(
    leptons: Leptons, found: Quadruplets, limits: tuple[float, float, float]
) -> Masks:
    pt = leptons["pt"][found.lepton[:, :3]]  # rows stand by falling pT
    return np.asarray(np.all(pt > np.asarray(limits), axis=1))


def _is_apart(leptons: Leptons, found: Quadruplets, config: QuadrupletConfig) -> Masks:
    is_apart = np.ones(len(found), dtype=np.bool_)
    for first, second in combinations(range(4), 2):
        one, two = found.lepton[:, first], found.lepton[:, second]
        distance = delta_r(
            (leptons["eta"][one], leptons["eta"][two]), (leptons["phi"][one], leptons["phi"][two])
        )
        is_same = leptons.is_muon[one] == leptons.is_muon[two]
        limit = np.where(is_same, config.delta_r_same_flavour, config.delta_r_other_flavour)
        is_apart &= distance > limit
    return is_apart


def _has_heavy_pairs(leptons: Leptons, momenta: Momenta, found: Quadruplets, limit: float) -> Masks:
    """Whether every same-flavour opposite-sign pair is heavy, crossed pairs too."""
    is_heavy = np.ones(len(found), dtype=np.bool_)
    for first, second in combinations(range(4), 2):
        pair = found.lepton[:, (first, second)]
        one, two = pair[:, 0], pair[:, 1]
        is_sfos = (leptons.is_muon[one] == leptons.is_muon[two]) & (
            leptons["charge"][one] == -leptons["charge"][two]
        )
        is_heavy &= ~is_sfos | (momenta.sums(pair).mass > limit)
    return is_heavy


def _is_track_isolated(leptons: Leptons, found: Quadruplets, config: FourleptonConfig) -> Masks:
    isolation = track_isolation(leptons, found)
    limits = (config.electron.track_isolation_max, config.muon.track_isolation_max)
    return _below(leptons, found, isolation, limits)


def _is_calo_isolated(leptons: Leptons, found: Quadruplets, config: FourleptonConfig) -> Masks:
    isolation = calo_isolation(leptons, found, cone=config.quadruplet.calo_cone)
    limits = (config.electron.calo_isolation_max, config.muon.calo_isolation_max)
    return _below(leptons, found, isolation, limits)


def _below(
    leptons: Leptons, found: Quadruplets, values: Floats, limits: tuple[float, float]
) -> Masks:
    """Whether all four ``values`` (n, 4) are below the limit of their flavour."""
    limit = np.where(leptons.is_muon[found.lepton], limits[1], limits[0])
    return np.asarray(np.all(values < limit, axis=1))
