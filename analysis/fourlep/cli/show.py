"""``fourlep show``: what a file holds, and what each selection would miss in it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from fourlep.cli.table import print_table
from fourlep.errors import UnknownFormatError

#: Of a column of more branches the table names the first; JSON names all.
_LISTED = 2

if TYPE_CHECKING:
    from fourlep.io.description import ColumnDescription, FileDescription, TreeDescription


@click.command(short_help="Show what a file holds and which selections it serves.")
@click.argument("file", metavar="FILE")
@click.option("--tree", default="", metavar="NAME", help="Look into this tree.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def show(*, file: str, tree: str, as_json: bool) -> None:
    """Show the trees and columns of FILE, and what each selection would find missing.

    FILE is a path, root:// or http(s)://. Only the table of contents is read.
    """
    from fourlep.io.description import describe, describe_trees

    try:
        description = describe(file, tree)
    except UnknownFormatError:
        if not as_json:
            _print_trees(describe_trees(file))
        raise
    missing = _missing(description)
    if as_json:
        click.echo(json.dumps({**asdict(description), "selections": missing}, indent=1))
        return
    _print_summary(description)
    _print_trees(description.trees)
    _print_columns(description)
    _print_selections(missing)


def _missing(description: FileDescription) -> dict[str, dict[str, list[str]]]:
    """By selection, the columns that it requires or could use and would not find."""
    from fourlep.physics.registry import CONFIGS, selection

    found = {column.name for column in description.columns}
    chosen = {name: selection(name) for name in CONFIGS}
    return {
        name: {
            "required": [column for column in each.required if column not in found],
            "optional": [column for column in each.optional if column not in found],
        }
        for name, each in chosen.items()
    }


def _print_summary(description: FileDescription) -> None:
    kind = "simulation" if description.is_simulation else "observed data"
    print_table(
        "File",
        ("property", "value"),
        [
            ("file", description.url),
            ("format", f"{description.format} ({description.title})"),
            ("tree", description.tree),
            ("entries", f"{description.n_entries:,}"),
            ("events", kind if description.n_entries else "none"),
            ("uuid", description.uuid),
        ],
    )


def _print_trees(trees: tuple[TreeDescription, ...]) -> None:
    click.echo()
    print_table(
        "Trees",
        ("tree", "class", "entries"),
        [(tree.name, tree.kind, f"{tree.n_entries:,}") for tree in trees],
        numbers=1,
    )


def _print_columns(description: FileDescription) -> None:
    from fourlep.events import is_trigger_column

    columns = [column for column in description.columns if not is_trigger_column(column.name)]
    chains = len(description.columns) - len(columns)
    click.echo()
    print_table(
        "Columns",
        ("column", "type", "unit", "made from", "how"),
        [
            (column.name, column.dtype, column.unit, _made_from(column), column.rule)
            for column in columns
        ],
    )
    if chains:
        click.echo(f"and trigger.CHAIN for {chains} trigger chains (--json names them)")
    if description.absent:
        click.echo()
        print_table("Columns that it lacks", ("column", "reason"), description.absent.items())


def _made_from(column: ColumnDescription) -> str:
    if len(column.branches) <= _LISTED:
        return ", ".join(f"{branch} ({kind})" for branch, kind in column.branches.items())
    first, *further = column.branches
    return f"{first} and {len(further)} more"


def _print_selections(missing: dict[str, Any]) -> None:
    click.echo()
    print_table(
        "Selections",
        ("selection", "runs", "required and missing", "left out"),
        [
            (
                name,
                "no" if each["required"] else "yes",
                ", ".join(each["required"]),
                ", ".join(each["optional"]),
            )
            for name, each in missing.items()
        ],
    )
