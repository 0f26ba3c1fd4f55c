"""``fourlep index``: keep tables of baskets, so that opening files costs less."""

from __future__ import annotations

from pathlib import Path

import click

from fourlep.cli.fileset_options import place_of
from fourlep.errors import DatasetError


@click.group()
def index() -> None:
    """Keep tables of baskets, so that opening files costs less."""


@index.command()
@click.argument("fileset")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the index; FOURLEP_CACHE_DIR/index by default, where runs look for it.",
)
@click.option(
    "--selection",
    "names",
    multiple=True,
    default=("fourlepton", "scipy2024"),
    show_default=True,
    help="Selections whose columns are kept; may be repeated.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=16,
    show_default=True,
    help="Files that are opened at a time.",
)
def build(fileset: str, output: Path | None, names: tuple[str, ...], threads: int) -> None:
    """Index the files of FILESET, one shard a dataset.

    FILESET is a built-in name, coffea's fileset JSON or a directory with a catalogue. An
    index is a cache: a file that is not in it, or has changed, is read as without it.
    Files that cannot be read are named, and left out; it fails where that is all of them.
    """
    from fourlep.config.environment import index_dir
    from fourlep.datasets.fileset import load_fileset
    from fourlep.io.indexing import index_dataset
    from fourlep.io.request import counting_columns
    from fourlep.physics.registry import selection

    columns: dict[str, None] = {"event.generator_weight": None}
    for name in names:
        chosen = selection(name)
        counted = counting_columns(chosen.cascade)
        columns |= dict.fromkeys((*counted, *chosen.required, *chosen.optional))
    folder = output or index_dir()
    n_files = n_indexed = 0
    for dataset in load_fileset(place_of(fileset)).datasets:
        done = index_dataset(dataset, folder, tuple(columns), threads)
        for url, reason in done.left_out.items():
            click.echo(f"{url}: left out: {reason}", err=True)
        size = done.path.stat().st_size
        click.echo(f"{done.path}: {done.n_files} of {len(dataset.files)} files, {size:,} bytes")
        n_files, n_indexed = n_files + len(dataset.files), n_indexed + done.n_files
    if n_files and not n_indexed:
        raise DatasetError(
            f"none of the files ({n_files:,}) could be indexed",
            remedy="runs read them without an index; why is said above",
        )
