"""``fourlep bench``: measure this machine."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

import click

from fourlep.benchmark.figures import WITH_INDEX, Figure
from fourlep.cli.table import print_table


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

    Makes files with one in a hundred and one in ten thousand four-lepton events, of
    simulation and as of observed data, checks that both readers agree on them, and prints
    events per CPU second, their ratio, bytes an event, both with an index of baskets, the
    cost of opening, memory and the time of a first start. Takes several minutes and, for
    a while, three gigabytes of disk.
    """
    from rich.console import Console

    from fourlep.benchmark.reader import measure

    messages = Console(stderr=True)
    figures = list(measure(n_events, rounds, messages.print))
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(figure) for figure in figures], indent=1))
        return
    with_index = [figure for figure in figures if figure.what.endswith(WITH_INDEX)]
    compared = [figure for figure in figures if figure.setting and figure not in with_index]
    _print_compared("Thousand events per CPU second, and bytes an event", compared)
    _print_compared("With an index of baskets", with_index)
    others = [figure for figure in figures if not figure.setting]
    rows = [(each.what, f"{each.value:.3g} {each.unit}", _target(each)) for each in others]
    print_table("One file, and one process", ("what", "figure", "target"), rows, numbers=2)


def _print_compared(title: str, figures: Sequence[Figure]) -> None:
    """Print a row for each setting; all have the same figures."""
    rows: dict[str, list[str]] = {}
    for figure in figures:
        rows.setdefault(figure.setting, [figure.setting]).append(_told(figure))
    headings = dict.fromkeys(figure.what.removesuffix(WITH_INDEX) for figure in figures)
    print_table(title, ("four-lepton events", *headings), rows.values(), numbers=len(headings))


def _told(figure: Figure) -> str:
    """A figure to three digits, with its bound where it misses that."""
    number = f"{figure.value:,.0f}" if figure.value >= 100 else f"{figure.value:.3g}"
    if figure.is_met is not False:
        return number
    relation, _, bound = figure.target.partition(" ")
    return f"{number} {'<' if relation == '>=' else '>'} {bound}"


def _target(figure: Figure) -> str:
    met = {None: "", True: ", met", False: ", missed"}[figure.is_met]
    return f"{figure.target}{met}"
