"""Write a PHYSLITE tree from arrays.

Baskets are cut as ROOT cuts them: at the end of every cluster of entries, and before a
basket would pass its size; they lie in the file in the order in which they fill up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from fourlep.synth.physlite.encode import Encoded, encode, sizes_of_split
from fourlep.synth.physlite.fill import EVENT, Filler
from fourlep.synth.physlite.layout import BranchLayout, Layout
from fourlep.synth.physlite.layout import layout as sample_layout
from fourlep.synth.physlite.ragged import Ragged
from fourlep.synth.rootfile.buffer import Buffer
from fourlep.synth.rootfile.codec import Compression
from fourlep.synth.rootfile.container import RootFile, basket_key_bytes
from fourlep.synth.rootfile.streamers import streamer_list
from fourlep.synth.rootfile.tree import Baskets, Branch, stream_tree

TREE = "CollectionTree"

Column = npt.NDArray[Any] | Ragged


@dataclass(frozen=True, slots=True)
class Clusters:
    """How entries are cut into baskets.

    Parameters
    ----------
    entries
        Every basket ends after this many (``fAutoFlush``).
    basket_bytes
        A basket ends before it would grow beyond this; a larger entry is alone in its.
    """

    entries: int = 1000
    basket_bytes: int = 128 * 1024

    def __post_init__(self) -> None:
        if self.entries < 1 or self.basket_bytes < 1:
            raise ValueError("clusters and baskets hold at least one entry and one byte")

    def bounds(self, encoded: Encoded) -> list[tuple[int, int]]:
        """First entry and one past the last of each basket."""
        n_entries = len(encoded.offsets) - 1
        per_entry = 0 if encoded.width else 4
        filled = encoded.offsets + per_entry * np.arange(n_entries + 1)
        made: list[tuple[int, int]] = []
        start = 0
        while start < n_entries:
            flush = min(n_entries, (start // self.entries + 1) * self.entries)
            stop = int(np.searchsorted(filled, filled[start] + self.basket_bytes, "right")) - 1
            stop = min(max(stop, start + 1), flush)
            made.append((start, stop))
            start = stop
        return made


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """A branch about to be written."""

    layout: BranchLayout
    content: Encoded | None
    bounds: list[tuple[int, int]]
    maximum: int
    baskets: Baskets = field(default_factory=Baskets)


def write_tree(
    path: Path,
    columns: Mapping[str, Column],
    *,
    layout: Layout | None = None,
    compression: Compression | None = None,
    clusters: Clusters | None = None,
    branch_clusters: Mapping[str, Clusters] | None = None,
    title: str = TREE,
    label: str = "",
    tree: str = TREE,
    is_big: bool = False,
) -> UUID:
    """Write one file with one tree.

    Parameters
    ----------
    path
        The file; it appears when it is complete.
    columns
        Values by name of branch, all of equal length. A split vector takes its links
        under the name of the vector.
    layout
        The branches of the file; all of the real sample's by default. Branches
        without values are filled.
    compression
        ZLIB level 1 by default, as the sample.
    clusters
        How all branches are cut.
    branch_clusters
        How single branches are cut, by name (a split vector's members by their own).
    title
        Of the tree.
    label
        Written as a ``TNamed`` called ``SYNTHETIC`` where it is not empty.
    tree
        Name of the tree.
    is_big
        Use the form of files beyond 2 GB.

    Returns
    -------
    UUID
        Of the file, derived from its content.

    Raises
    ------
    ValueError
        If columns differ in length, or one is in no branch of the layout.
    TypeError
        If a column does not have its branch's form.
    OutputError
        If the file cannot be written.
    """
    layout = layout or sample_layout()
    compression = compression or Compression()
    clusters = clusters or Clusters()
    n_entries = _n_entries(columns)
    unknown = sorted(set(columns) - layout.names())
    if unknown:
        raise ValueError(f"no such branches in the layout: {', '.join(unknown)}")
    plans = _plans(columns, n_entries, layout, clusters, branch_clusters or {})
    with RootFile(path, compression=compression, is_big=is_big) as file:
        _write_baskets(file, plans, tree)
        remaining = iter(plans)  # in the order of the layout, sub-branches after their branch
        branches = [_branch(branch, remaining) for branch in layout.branches]
        file.add_object(
            "TTree",
            tree,
            title,
            stream_tree(
                branches,
                name=tree,
                title=title,
                n_entries=n_entries,
                cluster_entries=clusters.entries,
                compression_code=compression.code,
                displacement=file.object_key_bytes("TTree", tree, title),
            ),
        )
        if label:
            _write_label(file, label)
        file.finish_streamers(streamer_list(layout.classes, file.streamer_key_bytes))
        return file.uuid


def _n_entries(columns: Mapping[str, Column]) -> int:
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        raise ValueError(f"columns differ in length: {sorted(lengths)}")
    return lengths.pop() if lengths else 0


def _plans(
    columns: Mapping[str, Column],
    n_entries: int,
    layout: Layout,
    clusters: Clusters,
    branch_clusters: Mapping[str, Clusters],
) -> list[_Plan]:
    """Decide what to write for every branch, sub-branches after their branch."""
    counts = _collection_counts(columns, layout)
    filler = Filler(n_entries, counts, layout.checksums)
    made: list[_Plan] = []
    cut: dict[tuple[int, Clusters], list[tuple[int, int]]] = {}
    for branch in layout.branches:
        for part, content, maximum in _contents(branch, columns, layout, filler):
            how = branch_clusters.get(part.name, clusters)
            key = (id(content), how)
            if content is not None and key not in cut:
                cut[key] = how.bounds(content)
            made.append(_Plan(part, content, cut.get(key, []), maximum))
    return made


def _collection_counts(
    columns: Mapping[str, Column], layout: Layout
) -> dict[str, npt.NDArray[Any]]:
    """Elements an event of every collection that has a column."""
    made: dict[str, npt.NDArray[Any]] = {}
    for branch in layout.branches:
        for part in branch.walk():
            column = columns.get(part.name)
            if isinstance(column, Ragged) and part.collection != EVENT:
                made.setdefault(part.collection, column.counts)
    return made


def _contents(
    branch: BranchLayout, columns: Mapping[str, Column], layout: Layout, filler: Filler
) -> Iterator[tuple[BranchLayout, Encoded | None, int]]:
    """Yield a branch and its sub-branches with their content and ``fMaximum``."""
    column = columns.get(branch.name)
    if branch.value == "count" and isinstance(column, Ragged):
        if isinstance(column.content, Ragged) or column.content.dtype.names is None:
            raise TypeError(f"{branch.name} takes links(keys, indices)")
        yield branch, sizes_of_split(column.counts), int(np.max(column.counts, initial=0))
        for child in branch.children:
            member = child.name.rpartition(".")[2]
            values = Ragged(column.counts, column.content[member])
            yield child, encode(child.value, values, layout.checksums), 0
        return
    try:
        yield (
            branch,
            filler.fill(branch)
            if column is None
            else encode(branch.value, column, layout.checksums),
            0,
        )
    except TypeError as error:
        raise TypeError(f"{branch.name}: {error}") from error
    for child in branch.children:
        yield from _contents(child, columns, layout, filler)


def _write_baskets(file: RootFile, plans: list[_Plan], tree: str) -> None:
    """Write all baskets, in the order in which they fill up."""
    prefixes = [file.basket_prefix(plan.layout.name, tree) for plan in plans]
    order = sorted(
        (stop, number, start) for number, plan in enumerate(plans) for start, stop in plan.bounds
    )
    packed: dict[tuple[int, int, int, int], tuple[bytes, int, int]] = {}
    for stop, number, start in order:
        plan, prefix = plans[number], prefixes[number]
        if plan.content is None:
            continue
        key_bytes = basket_key_bytes(prefix)
        place = 0 if plan.content.is_uniform else start
        key = (id(plan.content), place, stop - start, key_bytes)
        if key not in packed:
            packed[key] = _packed(file.compression, plan.content, start, stop, key_bytes)
        body, object_bytes, data_bytes = packed[key]
        seek = file.add_basket(
            prefix,
            body,
            object_bytes,
            buffer_bytes=max(8000, object_bytes + key_bytes),
            offset_width=plan.content.width or 4 * (stop - start + 1),
            n_entries=stop - start,
            last=key_bytes + data_bytes,
        )
        plan.baskets.add(
            start=start,
            seek=seek,
            record_bytes=key_bytes + len(body),
            object_bytes=key_bytes + object_bytes,
        )


def _packed(
    compression: Compression, content: Encoded, start: int, stop: int, key_bytes: int
) -> tuple[bytes, int, int]:
    """Make a basket's body; return also its size before compression and its data's."""
    data, offsets = content.part(start, stop)
    body = data.tobytes()
    if not content.width:
        table = np.empty(stop - start + 2, dtype=">i4")
        table[0] = stop - start + 1
        table[1:] = offsets + key_bytes
        table[-1] = 0  # ROOT leaves the last one empty: fLast says where the data end
        body += table.tobytes()
    return compression.compress(body), len(body), len(data)


def _branch(branch: BranchLayout, plans: Iterator[_Plan]) -> Branch:
    plan = next(plans)
    return Branch(
        branch.name,
        branch.kind,
        tuple(_branch(child, plans) for child in branch.children),
        has_offsets=plan.content is None or not plan.content.width,
        maximum=plan.maximum,
        baskets=plan.baskets,
    )


def _write_label(file: RootFile, label: str) -> None:
    body = Buffer(file.object_key_bytes("TNamed", "SYNTHETIC", label))
    body.tnamed("SYNTHETIC", label)
    file.add_object("TNamed", "SYNTHETIC", label, bytes(body))
