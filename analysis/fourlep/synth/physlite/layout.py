"""Names, types and class descriptions of trees, as real samples have them.

``layouts/*.json`` are derived by ``analysis/scripts/build_layout.py``. What a basket
holds is written in a small grammar:

=================  ==================================================================
``f4``             one number an entry (NumPy type)
``*f4``            ``vector<float>``; ``**f4`` is a vector of vectors
``*ElementLink..`` vector of links
``count``          size of a split vector, whose members are in sub-branches
``[u4``            one member of a split vector
``object:HEX``     an object that is the same for every event
``objects:HEX``    a container object: byte count, these bytes, then its size
``*string``        vector of strings
``[string``        string members of a split vector
``none``           nothing: sub-branches hold it all
=================  ==================================================================
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from fourlep.synth.rootfile.streamers import ClassInfo, Element
from fourlep.synth.rootfile.tree import BranchKind, ElementInfo, LeafKind

#: Branches that only simulated files have: truth, generator and filter information.
_SIMULATION_ONLY = re.compile(
    r"truth|^EventInfoAuxDyn\.(mc|GenFilt|HTXS|pileUpMixture|RandomRun|Pileup|beamSpotWeight"
    r"|hardScatter)|^BornLeptons|^HardScatter|TruthLink|PdgIdTypeOrigin",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class BranchLayout:
    """A branch and what is below it.

    Parameters
    ----------
    name
        As in the file.
    kind
        Type, titles, leaf.
    children
        Sub-branches.
    """

    name: str
    kind: BranchKind
    children: tuple[BranchLayout, ...] = ()

    @property
    def collection(self) -> str:
        """``AnalysisElectrons`` for all branches of the electrons."""
        head = self.name.partition(".")[0]
        return head.removesuffix("Dyn").removesuffix("Aux")

    @property
    def value(self) -> str:
        """What a basket holds, in the module's grammar."""
        return self.kind.value

    def walk(self) -> Iterator[BranchLayout]:
        """Yield the branch and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Layout:
    """The branches of a tree and the classes in them.

    Parameters
    ----------
    branches
        Top-level branches in the order of the file.
    classes
        Class descriptions.
    """

    branches: tuple[BranchLayout, ...]
    classes: tuple[ClassInfo, ...]

    @property
    def checksums(self) -> Mapping[str, int]:
        """Checksum of each class by name."""
        return {info.name: info.checksum for info in self.classes}

    def names(self) -> frozenset[str]:
        """Names of all branches, sub-branches included."""
        return frozenset(part.name for branch in self.branches for part in branch.walk())

    def of_data(self) -> Layout:
        """Without the branches that only simulation has."""
        kept = tuple(b for b in self.branches if not _SIMULATION_ONLY.search(b.name))
        return Layout(kept, self.classes)

    def only(self, names: frozenset[str]) -> Layout:
        """Keep the branches of ``names`` alone, for small files in tests."""
        return Layout(tuple(b for b in self.branches if b.name in names), self.classes)


@cache
def layout(name: str = "physlite") -> Layout:
    """Load a layout.

    Parameters
    ----------
    name
        ``physlite``: ``CollectionTree`` with 1343 branches, 151 sub-branches and 107
        classes; ``ntuple2020``: ``mini`` with 81 branches.
    """
    folder = resources.files("fourlep.synth").joinpath("layouts")
    facts = json.loads(folder.joinpath(f"{name}.json").read_text("utf-8"))
    kinds = [
        BranchKind(
            class_name,
            value,
            title,
            bits,
            split_level,
            ElementInfo(*element) if element else None,
            LeafKind(*leaf),
        )
        for class_name, value, title, bits, split_level, element, leaf in facts["kinds"]
    ]
    classes = tuple(
        ClassInfo(name, version, checksum, bits, tuple(_element(e) for e in elements))
        for name, version, checksum, bits, elements in facts["classes"]
    )
    rows = facts["branches"]
    below: dict[int, list[int]] = {}
    for number, (_, _, parent) in enumerate(rows):
        below.setdefault(parent, []).append(number)

    def build(number: int) -> BranchLayout:
        children = tuple(build(child) for child in below.get(number, ()))
        return BranchLayout(rows[number][0], kinds[rows[number][1]], children)

    return Layout(tuple(build(number) for number in below[-1]), classes)


def _element(row: Any) -> Element:
    kind, name, title, type_name, type_code, size, max_index, extra = row
    return Element(kind, name, title, type_name, type_code, size, tuple(max_index), tuple(extra))
