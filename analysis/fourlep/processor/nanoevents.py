"""coffea's NanoEvents of PHYSLITE to `Events`, through the same derivations as our readers.

`PHYSLITESchema` regroups branches: ``AnalysisElectronsAuxDyn.pt`` becomes
``events.Electrons.pt``. Here the names are turned back, so that a column has one
definition, in `fourlep.io.branches`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import awkward as ak
import numpy as np

from fourlep.errors import CorruptFileError
from fourlep.events import Cascade, Events
from fourlep.io.assemble import assemble
from fourlep.io.branches.physlite import TTREE
from fourlep.io.request import Request, counting_columns

#: Collections of the schema that columns are made of, with their names in the file.
_COLLECTIONS = {
    "EventInfo": "EventInfo",
    "Electrons": "AnalysisElectrons",
    "Muons": "AnalysisMuons",
    "GSFTrackParticles": "GSFTrackParticles",
    "InDetTrackParticles": "InDetTrackParticles",
    "CombinedMuonTrackParticles": "CombinedMuonTrackParticles",
    "PrimaryVertices": "PrimaryVertices",
}
_LINK_PARTS = ("m_persKey", "m_persIndex")

Path = tuple[str, ...]


class NanoFile:
    """NanoEvents of one range of one file.

    Parameters
    ----------
    events
        From `NanoEventsFactory` with `PHYSLITESchema`, in virtual or eager mode.

    Raises
    ------
    CorruptFileError
        If they are no PHYSLITE events.
    """

    def __init__(self, events: ak.Array) -> None:
        self._events = events
        self._url = str(events.metadata.get("filename", "events"))
        self._paths = _paths(events)
        if not TTREE.matches(self._paths.keys()):
            raise CorruptFileError(
                f"{self._url}: no PHYSLITE events",
                url=self._url,
                remedy="give the Runner schema=PHYSLITESchema",
            )
        self.is_simulation = self._find_is_simulation()

    def __len__(self) -> int:
        return len(self._events)

    def survivors(
        self, cascade: Cascade, columns: Sequence[str], *, optional: Sequence[str] = ()
    ) -> Events:
        """Read the events that ``cascade`` keeps.

        Raises
        ------
        MissingColumnError
            If one of ``columns`` is not there.
        """
        wanted = self._request(columns, optional)
        counting = self._request((), counting_columns(cascade))
        entry = np.arange(len(self), dtype=np.int64) + int(
            self._events.metadata.get("entrystart", 0)
        )
        cheap = {branch: self._array(branch) for branch in counting.branches}
        keep = cascade.keeps(assemble(counting, cheap, entry))
        kept = {
            branch: (cheap[branch] if branch in cheap else self._array(branch))[keep]
            for branch in wanted.branches
        }
        return assemble(wanted, kept, entry[keep])

    def _request(self, columns: Sequence[str], optional: Sequence[str]) -> Request:
        return Request.resolve(
            self._url,
            TTREE,
            self._paths.keys(),
            columns,
            optional,
            is_simulation=self.is_simulation,
        )

    def _array(self, branch: str) -> Any:
        """Get a branch as uproot would give it, without coffea's names and behaviours."""
        values: Any = self._events
        for part in self._paths[branch]:
            values = values[part]
        if branch.endswith(".TrigMatchedObjects"):
            values = ak.zip({part: values[part] for part in _LINK_PARTS})
        plain = ak.Array(ak.without_parameters(ak.materialize(values)).layout)
        return ak.to_numpy(plain) if plain.ndim == 1 and not ak.fields(plain) else plain

    def _find_is_simulation(self) -> bool:
        for rule in TTREE.simulated:
            source = rule.resolve(self._paths.keys())
            if source is not None and source.derive is not None and len(self):
                arrays = (self._array(branch)[:1] for branch in source.branches)
                return bool(source.derive(*arrays)[0])
        return False


def _paths(events: ak.Array) -> Mapping[str, Path]:
    """Where each branch is in the schema."""
    paths: dict[str, Path] = {}
    for collection in set(_COLLECTIONS) & set(events.fields):
        prefix = f"{_COLLECTIONS[collection]}AuxDyn."
        for name in events[collection].fields:
            paths[prefix + name] = (collection, name)
            if name.endswith("Link"):
                paths |= {f"{prefix}{name}.{p}": (collection, name, p) for p in _LINK_PARTS}
    for name in events.fields:
        if name.startswith("TrigMatch_"):
            paths[f"Analysis{name}AuxDyn.TrigMatchedObjects"] = (name,)
    return paths
