"""Columns asked of a file, resolved to its branches: what both readers start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Self

from fourlep.errors import ConfigError, MissingColumnError
from fourlep.events import COLUMNS, Cascade, is_trigger_column
from fourlep.io.branches import Format, Source


@dataclass(frozen=True, slots=True)
class Request:
    """How a file gives the columns that were asked for.

    Parameters
    ----------
    url, is_simulation
        Of the file.
    sources
        How each column is made that the file gives.
    absent
        Why it does not give the others.
    """

    url: str
    is_simulation: bool
    sources: Mapping[str, Source]
    absent: Mapping[str, str]

    @classmethod
    def resolve(
        cls,
        url: str,
        known: Format,
        names: AbstractSet[str],
        columns: Sequence[str],
        optional: Sequence[str] = (),
        *,
        is_simulation: bool,
    ) -> Self:
        """Look every column up.

        Parameters
        ----------
        url, is_simulation
            Of the file.
        known, names
            Format and branches of the file.
        columns, optional
            Canonical names that must be there, and that may be missing.

        Raises
        ------
        ConfigError
            If a name is no canonical column.
        MissingColumnError
            If the file lacks one of ``columns``; names all that it lacks.
        """
        sources: dict[str, Source] = {}
        absent: dict[str, str] = {}
        for column in dict.fromkeys((*columns, *optional)):
            _check(column)
            source = known.source(column, names, is_simulation=is_simulation)
            if source is None:
                absent[column] = known.reason(column, is_simulation=is_simulation)
            else:
                sources[column] = source
        missing = [column for column in dict.fromkeys(columns) if column in absent]
        if missing:
            raise MissingColumnError(
                "\n  ".join(
                    (
                        f"{url}: missing of what {known.title} have",
                        *(f"{name}: {absent[name]}" for name in missing),
                    )
                ),
                url=url,
                remedy="choose a selection that does without, or files of another production",
            )
        return cls(url, is_simulation, sources, absent)

    @property
    def branches(self) -> tuple[str, ...]:
        """Every branch that the columns need, once, in order of first use."""
        used = (branch for source in self.sources.values() for branch in source.branches)
        return tuple(dict.fromkeys(used))


def counting_columns(cascade: Cascade) -> tuple[str, ...]:
    """Columns from which leptons can be counted: the cascade's, and each flavour's pT.

    Without any cut on a flavour its leptons must still be there to be counted.
    """
    return tuple(dict.fromkeys((*cascade.columns, "electron.pt", "muon.pt")))


def _check(column: str) -> None:
    if column not in COLUMNS and not is_trigger_column(column):
        raise ConfigError(
            f"{column!r} is no column of the event model",
            remedy=f"use one of {', '.join(COLUMNS)} or trigger.HLT_...",
        )
