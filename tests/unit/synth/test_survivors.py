"""Files with a chosen share of four-lepton events."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fourlep.io import open_events
from fourlep.physics.registry import selection
from fourlep.synth import Compression, make_file
from fourlep.synth.physlite import Clusters


@pytest.mark.parametrize("share", [0.0, 0.01, 1.0])
def test_the_share_of_events_that_the_counting_keeps_is_the_one_asked_for(
    tmp_path: Path, share: float
) -> None:
    path = tmp_path / "SYNTHETIC.root"
    made = make_file(path, events=1000, four_leptons=share, compression=Compression("none"))
    chosen = selection("fourlepton")
    with open_events(str(path)) as file:
        events = file.read([*chosen.cascade.columns])
    kept = chosen.cascade.keeps(events)
    assert made.n_events == len(kept) == 1000
    # Reconstructed leptons are loose and within acceptance, but electrons below 7 GeV and
    # muons below 5 GeV do not count.
    assert np.sum(kept) <= round(1000 * share)
    assert np.sum(kept) >= 0.7 * round(1000 * share)


def test_equal_seeds_give_equal_files_and_others_do_not(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        folder = tmp_path / name
        folder.mkdir()
        make_file(folder / "SYNTHETIC.root", events=50, four_leptons=0.1, seed=seed)
    first, again, other = ((tmp_path / n / "SYNTHETIC.root").read_bytes() for n in "abc")
    assert first == again
    assert first != other


def test_one_event_with_clusters_of_one_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "SYNTHETIC.root"
    make_file(path, events=1, four_leptons=1.0, clusters=Clusters(1))
    with open_events(str(path)) as file:
        assert file.n_entries == 1
