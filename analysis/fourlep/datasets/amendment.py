"""Amendments: published numbers that are known to be wrong, and what is taken instead.

Each is a record with its reason; it is applied by default or on request, and every
result names those that were applied.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from fourlep.datasets.model import Normalisation
from fourlep.errors import DatasetError

Quantity = Literal["cross_section_pb", "filter_efficiency", "k_factor", "sum_of_weights"]


@dataclass(frozen=True, slots=True)
class Amendment:
    """Another value for one number of one dataset.

    Parameters
    ----------
    id
        Name on the command line.
    dsid
        Dataset that it is about.
    quantity
        Field of `Normalisation`.
    published, value
        What the release says and what is taken instead, in the unit of the field.
    reason
        Why, with its source.
    is_default
        Whether it is applied without asking.
    """

    id: str
    dsid: int
    quantity: Quantity
    published: float
    value: float
    reason: str
    is_default: bool = True

    def applied(self, normalisation: Normalisation) -> Normalisation:
        """The normalisation with the other value, and a line that says so."""
        line = f"{self.id}: {self.quantity} {self.published:g} -> {self.value:g} ({self.reason})"
        changed = {self.quantity: self.value, "corrections": (*normalisation.corrections, line)}
        return replace(normalisation, **changed)  # type: ignore[arg-type]  # keys are Quantity


def chosen(
    amendments: Iterable[Amendment], *, without: Collection[str] = (), with_: Collection[str] = ()
) -> tuple[Amendment, ...]:
    """Those to apply: the defaults less ``without``, and ``with_``.

    Raises
    ------
    DatasetError
        If an id is unknown.
    """
    known = tuple(amendments)
    ids = {amendment.id for amendment in known}
    for wanted in (*without, *with_):
        if wanted not in ids:
            raise DatasetError(
                f"no correction {wanted!r} for this fileset",
                remedy=f"it has {', '.join(sorted(ids)) or 'none'}",
            )
    return tuple(a for a in known if a.id in with_ or (a.is_default and a.id not in without))
