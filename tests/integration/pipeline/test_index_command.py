"""What ``fourlep index`` answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from integration.pipeline.conftest import Command, Writer

Filesets = Callable[..., Path]


def test_an_index_of_nothing_is_no_success(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    answer = fourlep("index", "build", fileset([ntuple("d.root")]), "--output", tmp_path / "index")
    assert answer.status == 1
    assert "d.root: left out: read by uproot" in answer.err
    assert "none of the files (1) could be indexed" in answer.err
