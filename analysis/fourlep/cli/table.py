"""Tables on standard output: drawn on a terminal, tab-separated elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import click

#: Room that a column of text needs to be read, and what stands between two columns.
_TEXT_WIDTH, _BORDER_WIDTH = 12, 3


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
        Cells as text, one for each heading; off a terminal every row is one line, and on
        one that is too narrow for the table each row stands on lines of its own.
    numbers
        How many of the last columns are aligned to the right, and never folded.
    """
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            click.echo("\t".join(" ".join(cell.split()) for cell in row))
        return
    from rich.console import Console
    from rich.table import Table

    console, cells = Console(), list(rows)
    n_text = len(columns) - numbers
    widths = [max(map(len, each)) for each in zip(columns, *cells, strict=True)]
    least = [*(min(_TEXT_WIDTH, width) for width in widths[:n_text]), *widths[n_text:]]
    if sum(least) + _BORDER_WIDTH * len(columns) + 1 > console.width:
        _print_apart(title, columns, cells)
        return
    table = Table(title=title, title_justify="left")
    for heading in columns[:n_text]:
        table.add_column(heading, overflow="fold")
    for heading in columns[n_text:]:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in cells:
        table.add_row(*row)
    console.print(table)


def _print_apart(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print each row as its first cell, and below it the others with their headings."""
    click.echo(title)
    for first, *others in rows:
        click.echo(f"\n{first}")
        for heading, cell in zip(columns[1:], others, strict=True):
            if cell:
                click.echo(f"  {heading}: {cell}")
