"""Lepton trigger chains, and how a file tells that one fired and which lepton it matched.

PHYSLITE has one collection a chain, whose matched objects are the combinations of
electrons and muons that fired it: the chain fired, for leptons at hand, where there is
any. The bit words of the trigger decision itself need the menu of the run to be read,
which is not in the event tree: they are not used.
"""

from __future__ import annotations

from collections.abc import Callable

import awkward as ak
import numpy as np
import numpy.typing as npt

from fourlep.io.branches.rule import Rule
from fourlep.io.derive import any_true

CHAIN_BRANCH = "AnalysisTrigMatch_{chain}AuxDyn.TrigMatchedObjects"

#: Lowest unprescaled single-, di- and tri-lepton chains of 2015 and 2016, from ATLAS's
#: trigger menus of those years (the reduced trigger lists in its public software, made
#: from "LowestUnprescaled"). A chain counts in both years: simulation covers both, and a
#: chain that was prescaled in a part of a year only adds events that others missed.
LEPTON_CHAINS = (
    # 2015: one lepton
    "HLT_e24_lhmedium_L1EM20VH",
    "HLT_e60_lhmedium",
    "HLT_e120_lhloose",
    "HLT_mu20_iloose_L1MU15",
    "HLT_mu40",
    "HLT_mu60_0eta105_msonly",
    # 2015: two and three leptons
    "HLT_2e12_lhloose_L12EM10VH",
    "HLT_e17_lhloose_mu14",
    "HLT_e24_lhmedium_L1EM20VHI_mu8noL1",
    "HLT_e7_lhmedium_mu24",
    "HLT_2mu10",
    "HLT_mu18_mu8noL1",
    "HLT_e17_lhloose_2e9_lhloose",
    "HLT_2e12_lhloose_mu10",
    "HLT_e12_lhloose_2mu10",
    "HLT_mu18_2mu4noL1",
    "HLT_3mu6",
    "HLT_3mu6_msonly",
    # 2016: one lepton
    "HLT_e24_lhtight_nod0_ivarloose",
    "HLT_e26_lhtight_nod0_ivarloose",
    "HLT_e60_lhmedium_nod0",
    "HLT_e60_medium",
    "HLT_e140_lhloose_nod0",
    "HLT_e300_etcut",
    "HLT_mu24_iloose",
    "HLT_mu24_iloose_L1MU15",
    "HLT_mu24_ivarloose",
    "HLT_mu24_ivarloose_L1MU15",
    "HLT_mu24_ivarmedium",
    "HLT_mu24_imedium",
    "HLT_mu26_ivarmedium",
    "HLT_mu26_imedium",
    "HLT_mu50",
    # 2016: two and three leptons
    "HLT_2e15_lhvloose_nod0_L12EM13VH",
    "HLT_2e17_lhvloose_nod0",
    "HLT_e17_lhloose_nod0_mu14",
    "HLT_e7_lhmedium_nod0_mu24",
    "HLT_e24_lhmedium_nod0_L1EM20VHI_mu8noL1",
    "HLT_e26_lhmedium_nod0_L1EM22VHI_mu8noL1",
    "HLT_2mu10_nomucomb",
    "HLT_2mu14",
    "HLT_2mu14_nomucomb",
    "HLT_mu20_mu8noL1",
    "HLT_mu20_nomucomb_mu6noL1_nscan03",
    "HLT_mu22_mu8noL1",
    "HLT_e17_lhloose_nod0_2e9_lhloose_nod0",
    "HLT_2e12_lhloose_nod0_mu10",
    "HLT_e12_lhloose_nod0_2mu10",
    "HLT_mu20_2mu4noL1",
)


def chain_branch(chain: str) -> str:
    """Branch with the matched objects of a chain.

    Examples
    --------
    >>> chain_branch("HLT_2mu14")
    'AnalysisTrigMatch_HLT_2mu14AuxDyn.TrigMatchedObjects'
    """
    return CHAIN_BRANCH.format(chain=chain)


def fired(*chains: ak.Array) -> npt.NDArray[np.bool_]:
    """Whether any of the chains has a matched combination, (n_events,).

    Parameters
    ----------
    chains : (n_events, n_combinations, n_objects) links
    """
    return any_true(*(ak.to_numpy(ak.num(chain, axis=1)) > 0 for chain in chains))


def matched(container: int) -> Callable[..., ak.Array]:
    """Make the function that flags the leptons of ``container`` that any chain matched.

    Returns
    -------
    callable
        From a lepton column (n_events, n_leptons) and the links of chains to flags of
        the column's shape. A link beyond the event's leptons flags nothing.
    """

    def derived(leptons: ak.Array, *chains: ak.Array) -> ak.Array:
        n_leptons = ak.to_numpy(ak.num(leptons))
        first = np.cumsum(n_leptons) - n_leptons
        flags = np.zeros(int(n_leptons.sum()), dtype=np.bool_)
        for chain in chains:
            links = ak.flatten(chain, axis=2)
            event = np.repeat(np.arange(len(links)), ak.to_numpy(ak.num(links)))
            flat = ak.flatten(links)
            index = ak.to_numpy(flat["m_persIndex"]).astype(np.int64)
            hit = (ak.to_numpy(flat["m_persKey"]) == container) & (index < n_leptons[event])
            flags[first[event[hit]] + index[hit]] = True
        return ak.unflatten(flags, n_leptons)

    return derived


def chain_rule(chain: str) -> Rule:
    """Make the rule of one chain's column."""
    return Rule(f"any matched combination of {chain}", ((chain_branch(chain),),), fired)


def any_chain_rule() -> Rule:
    """Make the rule of ``event.is_triggered``."""
    return Rule(
        "any of the lepton chains has a matched combination",
        some=tuple(chain_branch(chain) for chain in LEPTON_CHAINS),
        derive=fired,
    )


def matching_rule(leptons: tuple[str, ...], container: int) -> Rule:
    """Make the rule of ``is_trigger_matched``; ``leptons`` names a column of them."""
    return Rule(
        "in a matched combination of any of the lepton chains",
        (leptons,),
        matched(container),
        some=tuple(chain_branch(chain) for chain in LEPTON_CHAINS),
    )
