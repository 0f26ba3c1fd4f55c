"""``fourlep datasets``: what there is to run over."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fourlep.cli.fileset_options import fileset_options, place_of
from fourlep.cli.table import print_table

if TYPE_CHECKING:
    from fourlep.datasets.catalogue import Catalogue
    from fourlep.datasets.model import Dataset, Fileset


@click.group()
def datasets() -> None:
    """List what there is to run over, and write filesets."""


@datasets.command("list")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def list_filesets(*, as_json: bool) -> None:
    """List the built-in filesets."""
    from fourlep.datasets.fileset import BUILT_IN, load_fileset

    summaries = [
        {"name": name, "description": definition.description, **summary(load_fileset(name))}
        for name, definition in BUILT_IN.items()
    ]
    if as_json:
        click.echo(json.dumps(summaries, indent=1))
        return
    print_table(
        "Built-in filesets",
        ("name", "description", "1/fb", "datasets", "files", "simulated events"),
        [
            (
                str(s["name"]),
                str(s["description"]),
                f"{s['luminosity_ifb']:.2f}",
                f"{s['datasets']:,}",
                f"{s['files']:,}",
                _count(s["simulated_events"]),
            )
            for s in summaries
        ],
        numbers=4,
    )
    click.echo("`synthetic` is a stand-in release, made when it is first asked for.", err=True)


@datasets.command(short_help="Show the datasets of FILESET and their numbers.")
@click.argument("fileset", metavar="FILESET")
@click.option("--dataset", "names", multiple=True, metavar="NAME", help="Only this dataset.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@fileset_options
def show(*, fileset: str, names: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Show the datasets of FILESET, their numbers and where those are from.

    FILESET is a built-in name, a fileset JSON, or a directory made by 'fourlep synth'.
    """
    from fourlep.datasets.fileset import load_fileset

    place = place_of(fileset)
    loaded = load_fileset(place, **options)
    chosen = [loaded.dataset(name) for name in names] or list(loaded.datasets)
    sources = _sources(place)
    if as_json:
        content = {
            "fileset": loaded.name,
            **summary(loaded),
            "sources": sources,
            "datasets": [_described(dataset, sources) for dataset in chosen],
        }
        click.echo(json.dumps(content, indent=1))
        return
    _print_datasets(loaded, chosen)
    for line in _remarks(loaded, chosen, sources, is_detailed=bool(names)):
        click.echo(line, err=not names)


@datasets.command("fileset")
@click.argument("fileset", metavar="FILESET")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file instead of standard output.",
)
@fileset_options
def write_fileset(*, fileset: str, output: Path | None, **options: Any) -> None:
    """Write FILESET as coffea's fileset JSON."""
    from fourlep.datasets.coffea_fileset import to_coffea
    from fourlep.datasets.fileset import load_fileset
    from fourlep.errors import OutputError

    text = json.dumps(to_coffea(load_fileset(place_of(fileset), **options)), indent=1)
    if output is None:
        click.echo(text)
        return
    try:
        output.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"cannot write {output}: {error}", remedy="choose a place that can be written"
        ) from error


def summary(fileset: Fileset) -> dict[str, Any]:
    """The totals of a fileset; events and bytes are None where a file's are unknown."""
    simulated = [dataset for dataset in fileset.datasets if not dataset.is_data]
    return {
        "datasets": len(fileset.datasets),
        "files": fileset.n_files,
        "data_files": sum(len(d.files) for d in fileset.datasets if d.is_data),
        "simulated_events": _total(dataset.n_events for dataset in simulated),
        "simulated_bytes": _total(f.n_bytes for d in simulated for f in d.files),
        "luminosity_ifb": fileset.luminosity_ifb,
        "luminosity_source": fileset.luminosity_source,
        "good_runs": fileset.good_runs.source if fileset.good_runs else None,
        "synthetic": fileset.is_synthetic,
        "notes": list(fileset.notes),
        "metadata": dict(fileset.metadata),
    }


def _total(values: Iterable[int | None]) -> int | None:
    listed = list(values)
    known = [value for value in listed if value is not None]
    return sum(known) if len(known) == len(listed) else None


def _count(value: int | None) -> str:
    return "not stated" if value is None else f"{value:,}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _print_datasets(fileset: Fileset, chosen: list[Dataset]) -> None:
    rows = []
    for dataset in chosen:
        weights = dataset.normalisation
        numbers = (
            (
                weights.cross_section_pb,
                weights.filter_efficiency,
                weights.k_factor,
                weights.sum_of_weights,
                weights.per_weight(fileset.luminosity_ifb) * weights.sum_of_weights,
            )
            if weights
            else (None,) * 5
        )
        rows.append(
            (
                dataset.name,
                dataset.process,
                dataset.role,
                f"{len(dataset.files):,}",
                _count(dataset.n_events),
                *map(_number, numbers),
            )
        )
    print_table(
        f"{fileset.name}: {fileset.luminosity_ifb:g} /fb",
        (
            *("dataset", "process", "role", "files", "events"),
            *("xsec/pb", "filter", "k", "sum of weights", "expected"),
        ),
        rows,
        numbers=7,
    )


def _remarks(
    fileset: Fileset, chosen: list[Dataset], sources: dict[str, list[str]], *, is_detailed: bool
) -> list[str]:
    lines = [f"luminosity: {fileset.luminosity_ifb:g} /fb ({fileset.luminosity_source})"]
    if fileset.good_runs is not None:
        good = fileset.good_runs
        lines.append(
            f"good runs: {good.n_runs} runs, {good.n_lumi_blocks:,} luminosity blocks"
            f" ({good.source})"
        )
    lines += [f"note: {note}" for note in fileset.notes]
    if is_detailed:
        for dataset in chosen:
            lines += [f"{dataset.name}: source: {text}" for text in sources.get(dataset.name, ())]
            lines += [f"{dataset.name}: file: {file.url}" for file in dataset.files]
    return lines


def _catalogue(fileset: str | Path) -> Catalogue | None:
    from fourlep.datasets.catalogue import read_catalogue
    from fourlep.datasets.fileset import BUILT_IN

    if str(fileset) in BUILT_IN:
        return read_catalogue(BUILT_IN[str(fileset)].catalogue)
    return read_catalogue(fileset) if Path(fileset).is_dir() else None


def _sources(fileset: str | Path) -> dict[str, list[str]]:
    """Where the numbers of each dataset are from."""
    catalogue = _catalogue(fileset)
    if catalogue is None:
        return {}
    return {
        entry.name: [catalogue.sources[key] for key in entry.sources] for entry in catalogue.entries
    }


def _described(dataset: Dataset, sources: dict[str, list[str]]) -> dict[str, Any]:
    described = asdict(dataset)
    described["n_events"] = dataset.n_events
    described["sources"] = sources.get(dataset.name, [])
    return described
