"""Theory variations from the generator's own weights, by a table of indices.

A simulated event carries one weight for each choice of scales and parton densities. Files
do not say which is which, so a table does, by dataset: `WeightFamily`. A dataset without
a family has no theory variations.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fourlep.corrections.flat import Floats
from fourlep.corrections.momentum import check_offered
from fourlep.corrections.payload import NOMINAL
from fourlep.errors import ConfigError, DatasetError
from fourlep.events import Events

#: Endings of a pair of variations.
UP, DOWN = "__1up", "__1down"


@dataclass(frozen=True, slots=True)
class WeightFamily:
    """Meaning of the generator weights of some datasets.

    Parameters
    ----------
    label
        Part of the variations' names, ``THEORY_LABEL_...``: what is correlated.
    dsids
        Datasets.
    n_weights
        Weights that an event has; another number is refused.
    pairs
        (name, index of the variation up, index of that down) of single weights.
    pdf_members
        Indices of the members of a symmetric Hessian set of parton densities; empty for
        none.
    source
        How the meaning is known.
    """

    label: str
    dsids: tuple[int, ...]
    n_weights: int
    pairs: tuple[tuple[str, int, int], ...]
    pdf_members: tuple[int, ...] = ()
    source: str = ""

    @property
    def systematics(self) -> tuple[str, ...]:
        """Its variations."""
        names = [name for name, _, _ in self.pairs] + (["PDF"] if self.pdf_members else [])
        return tuple(f"THEORY_{self.label}_{name}{end}" for name in names for end in (UP, DOWN))

    def factor(self, weights: npt.NDArray[np.floating[Any]], sys: str) -> Floats:
        """Compute the ratio of a variation's weight to the nominal one.

        Parameters
        ----------
        weights : (n_events, n_weights)
            All generator weights, the nominal one first.
        sys
            One of `systematics`.

        Returns
        -------
        (n_events,)
            1 where the nominal weight is zero. Parton densities: 1 plus or minus the
            members' differences added in quadrature, which takes them as correlated
            between events and so overestimates.

        Raises
        ------
        DatasetError
            If the number of weights is another than the table says, or one is no number.
        """
        if weights.shape[1] != self.n_weights:
            raise DatasetError(
                f"events have {weights.shape[1]} generator weights where the table of"
                f" {self.label} says {self.n_weights}",
                remedy="correct the table (corrections.theory), or set it to 'none'",
            )
        nominal = weights[:, 0].astype(np.float64)
        is_zero = nominal == 0.0
        divisor = np.where(is_zero, 1.0, nominal)
        name = sys.removeprefix(f"THEORY_{self.label}_")
        if name in (f"PDF{UP}", f"PDF{DOWN}"):
            members = weights[:, list(self.pdf_members)].astype(np.float64)
            relative = members / divisor[:, np.newaxis] - 1.0
            width = np.sqrt(np.sum(relative**2, axis=1))
            ratio = 1.0 + width if name.endswith(UP) else 1.0 - width
        else:
            ratio = weights[:, self._index(name)] / divisor
        if not np.isfinite(ratio).all():
            raise DatasetError(
                f"a generator weight of {sys} is no number",
                remedy="exclude the variation (corrections.exclude)",
            )
        return np.where(is_zero, 1.0, ratio)

    def _index(self, name: str) -> int:
        for pair, up, down in self.pairs:
            if name.startswith(f"{pair}__"):
                return up if name.endswith(UP) else down
        raise ConfigError(f"no theory variation {name!r}", remedy="take one of its systematics")


@dataclass(frozen=True, slots=True)
class TheoryTool:
    """Factors on the weight of an event from its generator weights.

    Parameters
    ----------
    families
        Tables; no dataset is in two.
    """

    families: tuple[WeightFamily, ...]

    @property
    def systematics(self) -> tuple[str, ...]:
        """Variations of all families."""
        return tuple(dict.fromkeys(sys for family in self.families for sys in family.systematics))

    def __call__(self, events: Events, sys: str = NOMINAL) -> Floats:
        """Weigh events.

        Parameters
        ----------
        events
            With ``dsid``, and ``generator_weights`` where a family has their dataset.
        sys
            ``nominal`` or one of `systematics`.

        Returns
        -------
        (n_events,)
            1 for nominal, and for datasets without this variation.

        Raises
        ------
        ConfigError
            If the tool does not have ``sys``.
        DatasetError
            As `WeightFamily.factor`.
        """
        check_offered(self, sys)
        factors = np.ones(len(events))
        if sys == NOMINAL or not events.has("event.generator_weights"):
            return factors
        dsid = events.event.get("dsid", np.zeros(len(events), dtype=np.int64))
        for family in self.families:
            chosen = np.isin(dsid, family.dsids)
            if sys in family.systematics and chosen.any():
                weights = events.event["generator_weights"][chosen]
                factors[chosen] = family.factor(weights, sys)
        return factors


def read_families(path: Path) -> tuple[WeightFamily, ...]:
    """Read a table of weight families, TOML.

    Raises
    ------
    ConfigError
        If it cannot be read, or a key is unknown, missing or impossible.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"theory table {path} cannot be read: {error}", remedy="give a TOML file"
        ) from error
    if set(content) != {"family"}:
        raise ConfigError(
            f"theory table {path} has the keys {', '.join(content) or 'none'}",
            remedy="it is a list of [[family]] tables",
        )
    families = tuple(_family(path, entry) for entry in content["family"])
    dsids = [dsid for family in families for dsid in family.dsids]
    if len(dsids) != len(set(dsids)):
        raise ConfigError(
            f"theory table {path} has a dataset in two families",
            remedy="list each dataset once",
        )
    return families


def _family(path: Path, entry: Mapping[str, Any]) -> WeightFamily:
    known = {"label", "dsids", "n_weights", "pairs", "pdf_members", "source"}
    if unknown := set(entry) - known:
        raise ConfigError(
            f"theory table {path}: unknown {', '.join(sorted(unknown))}",
            remedy=f"known are {', '.join(sorted(known))}",
        )
    try:
        family = WeightFamily(
            label=str(entry["label"]),
            dsids=tuple(int(dsid) for dsid in entry["dsids"]),
            n_weights=int(entry["n_weights"]),
            pairs=tuple((str(n), int(up), int(down)) for n, (up, down) in entry["pairs"].items()),
            pdf_members=_members(entry.get("pdf_members", [])),
            source=str(entry["source"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"theory table {path}: a family lacks or misstates {error}",
            remedy="give label, dsids, n_weights, pairs = {NAME = [up, down]} and source",
        ) from error
    indices = [i for _, *pair in family.pairs for i in pair] + list(family.pdf_members)
    if any(not 0 <= index < family.n_weights for index in indices):
        raise ConfigError(
            f"theory table {path}: {family.label} has an index outside its"
            f" {family.n_weights} weights",
            remedy="indices count from 0, the nominal weight",
        )
    return family


def _members(listed: list[int]) -> tuple[int, ...]:
    """Indices, or ``[first, last, step]`` written out: three numbers are always a range."""
    if len(listed) == 3:
        first, last, step = listed
        return tuple(range(first, last + 1, step))
    return tuple(int(index) for index in listed)
