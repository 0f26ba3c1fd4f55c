"""Cuts of a cascade on canonical columns, as cuts on a file's own numbers.

The canonical value of a column is what `fourlep.io.derive` makes of the branch; the few
functions that a kernel can repeat on one number, to the last bit, are listed here. A cut
on anything else is left to the plain definition, which decides the survivors again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fourlep.events import COLUMNS, Cascade, Cut
from fourlep.io import derive
from fourlep.io.branches import Source
from fourlep.io.lean.arrays import OPERATOR_CODES, NumberCut, code_of
from fourlep.io.lean.index import Table
from fourlep.io.lean.layout import Form
from fourlep.io.lean.tree import Branch
from fourlep.units import MeV


@dataclass(frozen=True, slots=True)
class ScanCut:
    """A cut on the numbers of one branch.

    Parameters
    ----------
    branch
        A branch of vectors.
    cut
        What `fourlep.io.lean.scan_kernels` applies to them.
    """

    branch: Branch
    cut: NumberCut


@dataclass(frozen=True, slots=True)
class ScanPlan:
    """A cascade in terms of one file.

    Parameters
    ----------
    electron, muon
        Cuts that kernels can decide, in the cascade's order.
    minimum
        As in `Cascade`.
    is_exact
        Whether that is all of the cascade. Otherwise survivors are decided again.
    """

    electron: tuple[ScanCut, ...]
    muon: tuple[ScanCut, ...]
    minimum: tuple[tuple[int, int], ...]
    is_exact: bool

    @property
    def stages(self) -> tuple[tuple[tuple[bool, ScanCut], ...], ...]:
        """Cuts that are tried together, with whether they are on electrons."""
        depth = max(len(self.electron), len(self.muon))
        return tuple(
            (
                *((True, cut) for cut in self.electron[k : k + 1]),
                *((False, cut) for cut in self.muon[k : k + 1]),
            )
            for k in range(depth)
        )


def plan_scan(cascade: Cascade, sources: Mapping[str, Source], tree: Table) -> ScanPlan:
    """Translate a cascade.

    Parameters
    ----------
    cascade
        What to decide.
    sources
        How the file gives the cascade's columns. One that it does not give is passed by
        every lepton.
    tree
        The file's tree.
    """
    flavours: list[tuple[ScanCut, ...]] = []
    is_exact = True
    for number, cuts in enumerate((cascade.electron, cascade.muon)):
        known = [cut for cut in cuts if cut.column in sources]
        found = [_scan_cut(cut, sources[cut.column], tree) for cut in known]
        flavours.append(tuple(cut for cut in found if cut is not None))
        matters = any(pair[number] > 0 for pair in cascade.minimum)
        is_exact &= None not in found and (bool(found) or not matters)
    return ScanPlan(flavours[0], flavours[1], cascade.minimum, is_exact)


#: Bit mask and factor of the functions that a kernel repeats.
_STEPS: Mapping[Callable[..., Any] | None, tuple[int, float]] = {
    derive.from_mev: (0, MeV),
    derive.unchanged: (0, 1.0),
    derive.muon_quality: (7, 1.0),
    derive.is_nonzero: (0, 1.0),
}


def _scan_cut(cut: Cut, source: Source, tree: Table) -> ScanCut | None:
    if source.derive not in _STEPS or len(source.branches) != 1:
        return None
    if source.derive is derive.is_nonzero and cut.operator != "is_true":
        return None  # compares the flag, 0 or 1, and not the number
    branch = tree.branch(source.branches[0])
    dtype = branch.layout.dtype
    code = code_of(dtype)
    if code is None or branch.layout.form is not Form.VECTOR:
        return None
    is_cast = source.derive is derive.unchanged and COLUMNS[cut.column].dtype[0] in "iu?"
    if is_cast and dtype.kind == "f":
        return None  # the canonical column is rounded before it is compared
    bits, scale = _STEPS[source.derive]
    if bits and not np.issubdtype(dtype, np.integer):
        return None
    operator, threshold = OPERATOR_CODES[cut.operator], float(cut.value)
    return ScanCut(branch, NumberCut(dtype.itemsize, code, bits, scale, operator, threshold))
