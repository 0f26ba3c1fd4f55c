"""``fourlep plan``: what a run will take, before it is begun."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from fourlep.cli.fileset_options import place_of
from fourlep.cli.table import print_table

if TYPE_CHECKING:
    from fourlep.execution.planning import Plan


@click.command(short_help="Predict time, core-hours, bytes and bottleneck of a run.")
@click.argument("fileset")
@click.option("--workers", type=click.IntRange(min=1), required=True, help="One core each.")
@click.option(
    "--bandwidth",
    type=click.FloatRange(min=0.0, min_open=True),
    required=True,
    help="Of the way to the files, shared by all workers, Gbit/s.",
)
@click.option(
    "--round-trip-ms",
    type=click.FloatRange(min=0.0),
    default=1.0,
    show_default=True,
    help="To the server that is read.",
)
@click.option("--cold", is_flag=True, help="The caches hold nothing yet.")
@click.option(
    "--price",
    type=click.FloatRange(min=0.0),
    help="Of a core for an hour, in any currency: adds the cost.",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def plan(
    *,
    fileset: str,
    workers: int,
    bandwidth: float,
    round_trip_ms: float,
    cold: bool,
    price: float | None,
    as_json: bool,
) -> None:
    """Predict time, core-hours, bytes and bottleneck of a run over FILESET.

    The prediction rests on rates that were measured on one machine; see the reference page
    on scale for them and for how well it held.
    """
    from fourlep.datasets.fileset import load_fileset
    from fourlep.execution.planning import EVENTS_OF_A_DATA_FILE, Site
    from fourlep.execution.planning import plan as predict

    files = [file for dataset in load_fileset(place_of(fileset)).datasets for file in dataset.files]
    n_unknown = sum(file.n_events is None for file in files)
    n_events = sum(file.n_events or 0 for file in files) + n_unknown * EVENTS_OF_A_DATA_FILE
    site = Site(workers, bandwidth, round_trip_ms / 1e3, is_cold=cold)
    predicted = predict(len(files), n_events, site)
    if as_json:
        figures = {**asdict(predicted), "bottleneck": predicted.bottleneck, "n_events": n_events}
        if price is not None:
            figures["cost"] = predicted.core_hours * price
        click.echo(json.dumps(figures, indent=1))
        return
    _print(predicted, n_files=len(files), n_events=n_events, price=price)
    if n_unknown:
        click.echo(
            f"{n_unknown:,} files without a number of events in the catalogue count as "
            f"{EVENTS_OF_A_DATA_FILE:,} each",
            err=True,
        )


def _print(predicted: Plan, *, n_files: int, n_events: int, price: float | None) -> None:
    rows = [
        ("files", f"{n_files:,}"),
        ("events", f"{n_events:,}"),
        ("batches", f"{predicted.n_batches:,}"),
        ("time", _duration(predicted.elapsed_s)),
        ("core-hours", f"{predicted.core_hours:,.2f}"),
        ("bytes asked for", f"{predicted.asked_bytes / 1e9:,.1f} GB"),
        ("bytes moved", f"{predicted.moved_bytes / 1e9:,.1f} GB"),
    ]
    if price is not None:
        rows.append(("cost", f"{predicted.core_hours * price:,.2f}"))
    rows += [
        (f"{name} alone", _duration(seconds) + (" <- limit" * (name == predicted.bottleneck)))
        for name, seconds in predicted.terms_s.items()
    ]
    print_table("predicted", ("plan", "value"), rows, numbers=1)


def _duration(seconds: float) -> str:
    if seconds < 120.0:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60.0)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
