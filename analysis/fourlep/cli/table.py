"""Tables on standard output: drawn on a terminal, tab-separated elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import click


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int = 0
) -> None:
    """Print a table.

    Parameters
    ----------
    title
        Above the table, on a terminal only.
    columns
        Headings.
    rows
        Cells as text, one for each heading; off a terminal every row is one line.
    numbers
        How many of the last columns are aligned to the right.
    """
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            click.echo("\t".join(" ".join(cell.split()) for cell in row))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for index, heading in enumerate(columns):
        is_number = index >= len(columns) - numbers
        table.add_column(heading, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
