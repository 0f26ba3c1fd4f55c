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

_ELECTRON = {
    "electron.pt": st.sampled_from(["gt", "ge", "lt", "le"]),
    "electron.eta": st.sampled_from(["abs_lt", "abs_le", "gt"]),
    "electron.is_loose": st.just("is_true"),
    "electron.charge": st.sampled_from(["eq", "gt"]),
    "electron.object_quality": st.sampled_from(["eq", "is_true"]),
}
_MUON = {
    "muon.pt": st.sampled_from(["gt", "lt"]),
    "muon.quality": st.sampled_from(["le", "eq", "ge", "is_true"]),
    "muon.phi": st.sampled_from(["abs_lt", "gt"]),
    "muon.type": st.sampled_from(["eq", "le"]),
}


def _cuts(kinds: dict[str, st.SearchStrategy[str]]) -> st.SearchStrategy[tuple[Cut, ...]]:
    one = st.sampled_from(sorted(kinds)).flatmap(
        lambda column: st.builds(
            Cut, st.just(column), kinds[column], st.sampled_from([-1.0, 0.0, 1.0, 2.0, 8.5, 26.0])
        )
    )
    return st.lists(one, max_size=4).map(tuple)


_CASCADES = st.builds(
    Cascade,
    _cuts(_ELECTRON),
    _cuts(_MUON),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=3).map(tuple),
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


@settings(max_examples=60, deadline=None)
@given(cascade=_CASCADES)
def test_the_scan_keeps_exactly_the_events_of_the_plain_definition(
    files: tuple[LeanFile, UprootFile], cascade: Cascade
) -> None:
    lean, plain = files
    everything = plain.read(["electron.pt", "muon.pt", *cascade.columns])
    expected = np.flatnonzero(cascade.keeps(everything))
    found = joined(lean.survivors(cascade, ["event.number"]))
    np.testing.assert_array_equal([] if found is None else found.entry, expected)
