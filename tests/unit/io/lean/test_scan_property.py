from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fourlep.benchmark.files import Content, columns
from fourlep.events import Cascade, Cut
from fourlep.io.lean.reader import LeanFile
from fourlep.io.uproot_reader import UprootFile
from fourlep.synth.physlite.layout import layout
from fourlep.synth.physlite.write import Clusters, write_tree
from same_events import joined

#: Operators and thresholds by column, chosen so that some leptons pass and some do not.
_ELECTRON = {
    "electron.pt": (("gt", "ge", "lt", "le"), (10.0, 20.0)),
    "electron.eta": (("abs_lt", "abs_le", "gt"), (0.5, 1.5)),
    "electron.is_loose": (("is_true",), (0.0,)),
    "electron.charge": (("eq", "gt"), (-1.0, 1.0)),
    "electron.object_quality": (("eq", "is_true"), (0.0,)),
}
_MUON = {
    "muon.pt": (("gt", "lt"), (10.0, 20.0)),
    "muon.quality": (("le", "eq", "ge"), (1.0, 2.0)),
    "muon.phi": (("abs_lt", "gt"), (0.5, 1.5)),
    "muon.type": (("eq", "le"), (0.0,)),
}
_Kinds = dict[str, tuple[tuple[str, ...], tuple[float, ...]]]


def _cuts(kinds: _Kinds) -> st.SearchStrategy[tuple[Cut, ...]]:
    every = [
        Cut(column, operator, value)
        for column, (operators, values) in kinds.items()
        for operator in operators
        for value in values
    ]
    return st.lists(st.sampled_from(every), max_size=3).map(tuple)


_CASCADES = st.builds(
    Cascade,
    _cuts(_ELECTRON),
    _cuts(_MUON),
    st.lists(
        st.sampled_from([(0, 1), (1, 0), (1, 1), (2, 0), (0, 2), (2, 2)]), min_size=1, max_size=2
    ).map(tuple),
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[LeanFile, UprootFile]:
    path = tmp_path_factory.mktemp("scan") / "file.root"
    content = columns(Content(200, 0.2, seed=3))
    write_tree(
        path,
        content,
        layout=layout().only(frozenset(content)),
        clusters=Clusters(entries=60),
        branch_clusters={"AnalysisElectronsAuxDyn.pt": Clusters(entries=13)},
    )
    return LeanFile(str(path)), UprootFile(str(path))


@settings(max_examples=80, deadline=None, derandomize=True)
@given(cascade=_CASCADES)
def test_the_scan_keeps_exactly_the_events_of_the_plain_definition(
    files: tuple[LeanFile, UprootFile], cascade: Cascade
) -> None:
    lean, plain = files
    everything = plain.read(["electron.pt", "muon.pt", *cascade.columns])
    expected = np.flatnonzero(cascade.keeps(everything))
    found = joined(lean.survivors(cascade, ["event.number"]))
    np.testing.assert_array_equal([] if found is None else found.entry, expected)
