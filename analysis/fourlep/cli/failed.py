"""``fourlep failed``: the files that a run gave up, as a fileset or with the reasons."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fourlep.cli.table import print_table

if TYPE_CHECKING:
    from fourlep.datasets.model import Fileset


@click.command(short_help="List the files that a run gave up.")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--why", is_flag=True, help="Show the reasons instead of a fileset.")
def failed(*, directory: Path, why: bool) -> None:
    """Write the failed files of the run in DIRECTORY as coffea's fileset JSON.

    The JSON goes to standard output, ready for `fourlep run` in another directory. In the
    same directory, `fourlep run --resume` tries them again.
    """
    from fourlep.execution.ledger_view import view_ledger

    with view_ledger(directory) as view:
        given_up = view.failed()
    if why:
        rows = [
            (one.key, one.failure.kind, str(one.attempts), one.endpoint, one.failure.message)
            for one in given_up
        ]
        print_table("failed", ("file", "error", "attempts", "asked last", "reason"), rows)
        return
    from fourlep.datasets.coffea_fileset import to_coffea
    from fourlep.datasets.fileset import load_fileset
    from fourlep.pipeline.directory import FILESET

    fileset = _only(load_fileset(directory / FILESET), {one.url for one in given_up})
    click.echo(json.dumps(to_coffea(fileset, with_entries=True), indent=1))
    click.echo(f"failed files: {len(given_up)}, datasets: {len(fileset.datasets)}", err=True)


def _only(fileset: Fileset, urls: Collection[str]) -> Fileset:
    """Drop every file but those of ``urls``, and datasets without files."""
    reduced = (
        replace(dataset, files=tuple(file for file in dataset.files if file.url in urls))
        for dataset in fileset.datasets
    )
    return replace(fileset, datasets=tuple(dataset for dataset in reduced if dataset.files))
