"""Small PHYSLITE files with everything that the selections read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from fourlep.benchmark.files import Content, columns
from fourlep.synth.physlite.layout import layout
from fourlep.synth.physlite.write import Clusters, Column, write_tree
from fourlep.synth.rootfile.codec import Codec, Compression
from lean_files import WriteLean


@pytest.fixture
def write_lean(tmp_path: Path) -> WriteLean:
    """Write a file; its branches are those that are given, and no others."""

    def write(
        n_events: int = 300,
        share: float = 0.05,
        *,
        codec: Codec = "zlib",
        clusters: Clusters | None = None,
        branch_clusters: Mapping[str, Clusters] | None = None,
        changed: Mapping[str, Column] | None = None,
        is_big: bool = False,
        name: str = "file.root",
    ) -> Path:
        content = {**columns(Content(n_events, share, seed=7)), **(changed or {})}
        path = tmp_path / name
        write_tree(
            path,
            content,
            layout=layout().only(frozenset(content)),
            compression=Compression(codec),
            clusters=clusters or Clusters(entries=40),
            branch_clusters=branch_clusters,
            is_big=is_big,
        )
        return path

    return write
