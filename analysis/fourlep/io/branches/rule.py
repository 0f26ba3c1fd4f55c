"""How a canonical column is made from branches, and what a format is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from fourlep.events import is_trigger_column

#: Names of one quantity in different productions, newest first.
Alternatives = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A column of one particular file: these branches, through this function.

    Parameters
    ----------
    branches
        Names in the file, in the order in which ``derive`` takes their arrays.
    derive
        From arrays as the file holds them to the column in canonical units; every array
        has one item an event. None where the column is ``constant``.
    constant
        Value of every event, where no branch is needed.
    text
        One line for people.
    """

    branches: tuple[str, ...]
    derive: Callable[..., Any] | None
    constant: float = 0.0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One way of making a column.

    Parameters
    ----------
    text
        One line for the reference documentation.
    needs
        What ``derive`` takes, each with its names in different productions.
    derive
        As in `Source`.
    some
        Further branches of which at least one must be there; those that are follow
        ``needs`` in the call of ``derive``.
    constant
        As in `Source`.
    """

    text: str
    needs: tuple[Alternatives, ...] = ()
    derive: Callable[..., Any] | None = None
    some: tuple[str, ...] = ()
    constant: float = 0.0

    def resolve(self, names: AbstractSet[str]) -> Source | None:
        """Find the rule's branches among ``names``; None where the file lacks one."""
        found = [next((name for name in slot if name in names), "") for slot in self.needs]
        further = [name for name in self.some if name in names]
        if not all(found) or (self.some and not further):
            return None
        return Source((*found, *further), self.derive, self.constant, self.text)


@dataclass(frozen=True, slots=True)
class Format:
    """One of the forms in which events are published.

    Parameters
    ----------
    name, title
        Short name, and one line for people.
    tree
        Usual name of the tree or RNTuple.
    markers
        A tree is of this format when it has one name of each; a tree with the usual name
        also when it has most of them.
    rules
        Ways of making each column, the preferred one first.
    simulation, data
        The same for columns that are made differently in simulation and observed data.
    simulated
        Rules that give for each event whether it is simulated, the preferred one first.
    absences
        Why a column cannot be had in this format, where there is more to say than that
        the branches are missing.
    chain_branch
        Name of the branch that holds the matched objects of a trigger chain, with
        ``{chain}`` in it; "" where there are none.
    chain_rule
        Makes the rule of a trigger chain's column; None where there are none.
    """

    name: str
    title: str
    tree: str
    markers: tuple[Alternatives, ...]
    rules: Mapping[str, tuple[Rule, ...]]
    simulation: Mapping[str, tuple[Rule, ...]]
    data: Mapping[str, tuple[Rule, ...]]
    simulated: tuple[Rule, ...]
    absences: Mapping[str, str] = field(default_factory=dict)
    chain_branch: str = ""
    chain_rule: Callable[[str], Rule] | None = None

    def matches(self, names: AbstractSet[str]) -> bool:
        """Whether a tree with branches ``names`` is of this format."""
        return self._n_markers(names) == len(self.markers)

    def resembles(self, tree: str, names: AbstractSet[str]) -> bool:
        """Whether a tree is of this format by its name and most markers."""
        return tree == self.tree and 2 * self._n_markers(names) > len(self.markers)

    def _n_markers(self, names: AbstractSet[str]) -> int:
        return sum(any(name in names for name in slot) for slot in self.markers)

    def rules_of(self, column: str, *, is_simulation: bool) -> tuple[Rule, ...]:
        """Ways of making ``column``, the preferred one first; none for unknown columns."""
        if is_trigger_column(column):
            chain = column.partition(".")[2]
            return (self.chain_rule(chain),) if self.chain_rule else ()
        special = self.simulation if is_simulation else self.data
        return special.get(column) or self.rules.get(column, ())

    def source(self, column: str, names: AbstractSet[str], *, is_simulation: bool) -> Source | None:
        """How a file with branches ``names`` gives ``column``; None where it does not."""
        for rule in self.rules_of(column, is_simulation=is_simulation):
            found = rule.resolve(names)
            if found is not None:
                return found
        return None

    def columns(self, names: AbstractSet[str], *, is_simulation: bool) -> frozenset[str]:
        """Columns that a file with branches ``names`` gives, trigger chains included."""
        special = self.simulation if is_simulation else self.data
        known = {*self.rules, *special, *self._chains(names)}
        return frozenset(
            column
            for column in known
            if self.source(column, names, is_simulation=is_simulation) is not None
        )

    def reason(self, column: str, *, is_simulation: bool) -> str:
        """Why a file does not give ``column``: what was looked for."""
        rules = self.rules_of(column, is_simulation=is_simulation)
        if not rules:
            return self.absences.get(column, f"{self.title} have no such quantity")
        why = self.absences.get(column)
        return no_branch(rules) + (f" ({why})" if why else "")

    def asked(self) -> frozenset[str]:
        """Every branch that a rule can ask for, trigger chains excepted."""
        groups = (*self.rules.values(), *self.simulation.values(), *self.data.values())
        rules = (*self.simulated, *(rule for group in groups for rule in group))
        slots = (*(slot for rule in rules for slot in rule.needs), *(rule.some for rule in rules))
        return frozenset(name for slot in slots for name in slot)

    def _chains(self, names: AbstractSet[str]) -> set[str]:
        if not self.chain_branch:
            return set()
        before, _, after = self.chain_branch.partition("{chain}")
        return {
            "trigger." + name[len(before) : -len(after)]
            for name in names
            if name.startswith(before) and name.endswith(after)
        }


def no_branch(rules: Sequence[Rule]) -> str:
    """Say what was looked for and not found."""
    return f"no branch {' or '.join(map(_looked_for, rules))}"


def _looked_for(rule: Rule) -> str:
    wanted = [slot[0] if len(slot) == 1 else f"({' or '.join(slot)})" for slot in rule.needs]
    if rule.some:
        wanted.append(f"{rule.some[0]} (or another of {len(rule.some)} of its kind)")
    return " with ".join(wanted)
