"""Trees: what a reader has to know of every branch and basket, streamed as ROOT does.

`BranchKind` and `LeafKind` hold what branches of one type share, `Branch` one branch
with its baskets; `stream_tree` makes the body of a ``TTree`` record (version 20, with
``TBranch`` 13, ``TBranchElement`` 10, ``TLeafElement`` 1).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from fourlep.synth.rootfile.buffer import Buffer

#: ``ROOT::TIOFeatures`` without features, as streamed: byte count, checksum, bits.
_IO_FEATURES = bytes.fromhex("4000000700001aa12f1000")
_ENTRY_OFFSETS = 1000
#: The minimum and maximum of a leaf, by its class.
_LEAF_LIMITS = {"TLeafB": "bb", "TLeafI": "ii", "TLeafL": "qq", "TLeafF": "ff", "TLeafO": "??"}
_MIN_BASKETS = 10


@dataclass(frozen=True, slots=True)
class ElementInfo:
    """What a ``TBranchElement`` says of its class."""

    class_name: str
    parent_name: str
    clones_name: str
    checksum: int
    version: int
    member_id: int
    branch_type: int
    streamer_type: int


@dataclass(frozen=True, slots=True)
class LeafKind:
    """What a leaf says of its values; names are patterns as in `BranchKind`."""

    class_name: str
    name: str
    title: str
    bits: int
    width: int
    is_unsigned: bool
    is_counted: bool


@dataclass(frozen=True, slots=True)
class BranchKind:
    """What branches of one type share.

    Parameters
    ----------
    class_name
        ``TBranch`` or ``TBranchElement``.
    value
        What a basket holds, in the grammar of `fourlep.synth.physlite.layout`.
    title
        Pattern with ``{name}``, ``{last}`` (the part after the last dot), ``{parent}``.
    bits, split_level
        Members of ROOT's class.
    element
        None for a ``TBranch``.
    leaf
        Its one leaf.
    """

    class_name: str
    value: str
    title: str
    bits: int
    split_level: int
    element: ElementInfo | None
    leaf: LeafKind


@dataclass(slots=True)
class Baskets:
    """The baskets of a branch as they are written, in order of their entries.

    Parameters
    ----------
    record_bytes, first_entries, seeks
        Of each basket.
    total_bytes, packed_bytes
        Sums over baskets before and after compression, keys included.
    buffer_bytes
        Size of the largest.
    """

    record_bytes: list[int] = field(default_factory=list)
    first_entries: list[int] = field(default_factory=list)
    seeks: list[int] = field(default_factory=list)
    total_bytes: int = 0
    packed_bytes: int = 0
    buffer_bytes: int = 8000

    def add(self, *, start: int, seek: int, record_bytes: int, object_bytes: int) -> None:
        """Note one more basket, its key counted in both lengths.

        Parameters
        ----------
        start
            First entry in it.
        seek
            Where it begins in the file.
        record_bytes, object_bytes
            Its length after and before compression.
        """
        self.first_entries.append(start)
        self.seeks.append(seek)
        self.record_bytes.append(record_bytes)
        self.packed_bytes += record_bytes
        self.total_bytes += object_bytes
        self.buffer_bytes = max(self.buffer_bytes, object_bytes)


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch.

    Parameters
    ----------
    name
        As the file has it.
    kind
        What it shares with others.
    children
        Sub-branches.
    has_offsets
        Whether its baskets end with entry offsets.
    maximum
        ``fMaximum``: the largest size of a split collection.
    baskets
        Its baskets; none for a branch whose sub-branches hold everything.
    """

    name: str
    kind: BranchKind
    children: tuple[Branch, ...]
    has_offsets: bool
    maximum: int
    baskets: Baskets


def stream_tree(
    branches: Sequence[Branch],
    *,
    name: str,
    title: str,
    n_entries: int,
    cluster_entries: int,
    compression_code: int,
    displacement: int,
) -> bytes:
    """Stream the body of a ``TTree`` record.

    Parameters
    ----------
    branches
        Top-level branches in order.
    name, title
        Of the tree.
    n_entries
        Entries of every branch.
    cluster_entries
        ``fAutoFlush``.
    compression_code
        ``fCompress`` of every branch.
    displacement
        Length of the record's key.
    """
    return _TreeStreamer(n_entries, compression_code, displacement).tree(
        branches, name=name, title=title, cluster_entries=cluster_entries
    )


class _TreeStreamer:
    """Streams one tree; remembers where its leaves are, for the list at the end."""

    def __init__(self, n_entries: int, compression_code: int, displacement: int) -> None:
        self._out = Buffer(displacement)
        self._n_entries = n_entries
        self._compression_code = compression_code
        self._leaf_references: dict[int, int] = {}  # by identity: names repeat

    def tree(
        self, branches: Sequence[Branch], *, name: str, title: str, cluster_entries: int
    ) -> bytes:
        out = self._out
        with out.versioned(20):
            out.tnamed(name, title, 0x01000008)
            self._attributes()
            self._numbers(branches, cluster_entries)
            out.append(_IO_FEATURES)
            with out.object_array(len(branches)):
                for branch in branches:
                    self._branch(branch, None, 0)
            every = list(_walk(branches))
            with out.object_array(len(every)):
                for branch in every:
                    self._leaf(branch, None)
            out.reference()  # aliases
            out.pack("ii", 0, 0)  # index values and index
            for _ in ("tree index", "friends", "user info", "reference table"):
                out.reference()
        return bytes(out)

    def _attributes(self) -> None:
        """Line, fill and marker attributes: ROOT's defaults."""
        for version, layout, values in (
            (2, "hhh", (602, 1, 1)),
            (2, "hh", (0, 1001)),
            (2, "hhf", (1, 1, 1.0)),
        ):
            with self._out.versioned(version):
                self._out.pack(layout, *values)

    def _numbers(self, branches: Sequence[Branch], cluster_entries: int) -> None:
        every = list(_walk(branches))
        total = sum(branch.baskets.total_bytes for branch in every)
        packed = sum(branch.baskets.packed_bytes for branch in every)
        self._out.pack("qqqqq", self._n_entries, total, packed, 0, 0)
        self._out.pack("diiiii", 1.0, 0, 25, 0, _ENTRY_OFFSETS, 0)
        self._out.pack("qqqqqq", 10**12, 10**12, 0, 16_777_000, cluster_entries, 10**6)
        self._out.append(b"\0\0")  # no cluster ranges: two empty arrays

    def _branch(self, branch: Branch, parent: Branch | None, parent_reference: int) -> None:
        """Stream a branch and all below it; ``parent_reference`` refers to the one above."""
        out, kind = self._out, branch.kind
        with out.any_object(kind.class_name) as reference:
            if kind.element is None:
                self._branch_base(branch, parent, reference)
                return
            with out.versioned(10):
                self._branch_base(branch, parent, reference)
                element = kind.element
                for text in (element.class_name, element.parent_name, element.clones_name):
                    out.string(text)
                out.pack(
                    "Ihiii",
                    element.checksum,
                    element.version,
                    element.member_id,
                    element.branch_type,
                    element.streamer_type,
                )
                out.pack("i", branch.maximum)
                out.reference(parent_reference if kind.leaf.is_counted else 0)
                out.reference()

    def _branch_base(self, branch: Branch, parent: Branch | None, reference: int) -> None:
        out, kind, baskets = self._out, branch.kind, branch.baskets
        n_baskets = len(baskets.seeks)
        n_slots = max(_MIN_BASKETS, n_baskets + 1)
        with out.versioned(13):
            out.tnamed(branch.name, kind.title.format(**_names(branch, parent)), kind.bits)
            with out.versioned(2):
                out.pack("hh", 0, 1001)
            out.pack(
                "iiiiq",
                self._compression_code,
                baskets.buffer_bytes,
                _ENTRY_OFFSETS if branch.has_offsets else 0,
                n_baskets,
                self._n_entries,
            )
            out.append(_IO_FEATURES)
            out.pack("iiiqq", 0, n_slots, kind.split_level, self._n_entries, 0)
            out.pack("qq", baskets.total_bytes, baskets.packed_bytes)
            with out.object_array(len(branch.children)):
                for child in branch.children:
                    self._branch(child, branch, reference)
            with out.object_array(1):
                self._leaf(branch, parent)
            with out.object_array(n_baskets + 1):
                out.append(b"\0\0\0\0" * (n_baskets + 1))  # none in memory: null pointers
            self._basket_arrays(baskets, n_slots)
            out.string("")  # baskets are in this file

    def _leaf(self, branch: Branch, parent: Branch | None) -> None:
        """Point to the branch's leaf: write the leaf itself the first time.

        The leaf that counts a split collection is met first inside its sub-branches'.
        """
        out, kind = self._out, branch.kind.leaf
        if id(branch) in self._leaf_references:
            out.reference(self._leaf_references[id(branch)])
            return
        names = _names(branch, parent)
        with out.any_object(kind.class_name) as reference:
            self._leaf_references[id(branch)] = reference
            with out.versioned(1):
                with out.versioned(2):
                    out.tnamed(kind.name.format(**names), kind.title.format(**names), kind.bits)
                    out.pack("iii??", 1, kind.width, 0, False, kind.is_unsigned)
                    if kind.is_counted and parent is not None:
                        self._leaf(parent, None)
                    else:
                        out.reference()
                if branch.kind.element is None:
                    out.pack(_LEAF_LIMITS[kind.class_name], 0, 0)
                else:
                    element = branch.kind.element
                    out.pack("ii", element.member_id, element.streamer_type)

    def _basket_arrays(self, baskets: Baskets, n_slots: int) -> None:
        entries = [*baskets.first_entries, self._n_entries]
        for values, dtype in (
            (baskets.record_bytes, ">i4"),
            (entries, ">i8"),
            (baskets.seeks, ">i8"),
        ):
            padded = np.zeros(n_slots, dtype=dtype)
            padded[: len(values)] = values
            self._out.append(b"\x01" + padded.tobytes())


def _walk(branches: Sequence[Branch]) -> Iterator[Branch]:
    for branch in branches:
        yield branch
        yield from _walk(branch.children)


def _names(branch: Branch, parent: Branch | None) -> dict[str, str]:
    """Say what the patterns of titles stand for."""
    return {
        "name": branch.name,
        "last": branch.name.rpartition(".")[2],
        "parent": parent.name if parent else "",
    }
