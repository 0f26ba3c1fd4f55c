"""``fourlep bench``: measure this machine."""

from __future__ import annotations

import dataclasses
import json

import click


@click.group()
def bench() -> None:
    """Measure what this machine does."""


@bench.command(short_help="Compare the lean reader with coffea and with the limit.")
@click.option(
    "--events",
    "n_events",
    type=click.IntRange(min=1000),
    default=100_000,
    show_default=True,
    help="Events of each file that is made for it (5 kB of disk each).",
)
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="How often the readers take turns; medians are given.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def reader(n_events: int, rounds: int, as_json: bool) -> None:
    """Measure the lean reader against coffea and against inflation alone.

    Makes files with one in a hundred and one in ten thousand four-lepton events, checks
    that both readers agree on them, and prints events per CPU second, their ratio, bytes
    an event, the cost of opening, memory and the time of a first start. Takes several
    minutes and, for a while, two gigabytes of disk.
    """
    from rich.console import Console
    from rich.table import Table

    from fourlep.benchmark.reader import measure

    messages = Console(stderr=True)
    figures = list(measure(n_events, rounds, messages.print))
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(figure) for figure in figures], indent=1))
        return
    table = Table("what", "figure", "unit", "target", "met")
    for figure in figures:
        met = {None: "", True: "yes", False: "no"}[figure.is_met]
        table.add_row(figure.what, f"{figure.value:.4g}", figure.unit, figure.target, met)
    Console(width=120).print(table)
