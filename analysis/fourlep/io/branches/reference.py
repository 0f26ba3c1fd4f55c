"""The tables of the formats as Markdown, for the reference documentation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fourlep.events import COLUMNS
from fourlep.io.branches.ntuples import NTUPLE2020, NTUPLE2025
from fourlep.io.branches.physlite import TTREE
from fourlep.io.branches.rule import Alternatives, Format, Rule
from fourlep.io.branches.triggers import LEPTON_CHAINS


def render() -> str:
    """Render every column of every format, and the trigger chains."""
    parts = [_columns(), *(_format(known) for known in (TTREE, NTUPLE2020, NTUPLE2025)), _chains()]
    return "\n".join(parts)


def _columns() -> str:
    rows = [
        (f"`{column.name}`", f"`{column.dtype}`", column.unit, column.meaning)
        for column in COLUMNS.values()
    ]
    return _table("Columns", ("column", "type", "unit", "meaning"), rows)


def _format(known: Format) -> str:
    rows = [
        (f"`{column}`{where}", _branches(rule), rule.text)
        for where, table in (
            ("", known.rules),
            (" in simulation", known.simulation),
            (" in data", known.data),
        )
        for column, rule in _in_order(table)
    ]
    lacking = [column for column in COLUMNS if not _has(known, column)]
    note = f"\nNot there: {', '.join(f'`{column}`' for column in lacking)}.\n" if lacking else ""
    return _table(f"`{known.tree}`: {known.title}", ("column", "branches", "rule"), rows) + note


def _in_order(table: Mapping[str, tuple[Rule, ...]]) -> Iterator[tuple[str, Rule]]:
    for column in COLUMNS:
        for rule in table.get(column, ()):
            yield column, rule


def _has(known: Format, column: str) -> bool:
    return any(column in table for table in (known.rules, known.simulation, known.data))


def _branches(rule: Rule) -> str:
    slots = [" or ".join(f"`{name}`" for name in _without_stores(slot)) for slot in rule.needs]
    if len(rule.some) > 5:
        slots.append("any of the trigger chains below")
    elif rule.some:
        slots.append("any of " + ", ".join(f"`{name}`" for name in rule.some))
    return "; ".join(slots)


def _without_stores(slot: Alternatives) -> list[str]:
    """Leave ``XAux.pt`` out where ``XAuxDyn.pt`` is listed: the page says so once."""
    dynamic = {name.replace("AuxDyn.", "Aux.") for name in slot if "AuxDyn." in name}
    return [name for name in slot if name not in dynamic]


def _chains() -> str:
    lines = "\n".join(f"- `{chain}`" for chain in LEPTON_CHAINS)
    return f"## Trigger chains\n\n{lines}\n"


def _table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, tuple("---" for _ in headings), *rows]
    body = "\n".join(f"| {' | '.join(map(_escaped, row))} |" for row in lines)
    return f"## {title}\n\n{body}\n"


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")
