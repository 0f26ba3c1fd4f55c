"""``fourlep synth``: make the synthetic stand-in release."""

from __future__ import annotations

import time
from pathlib import Path

import click

from fourlep.cli.progress import file_counter


@click.command()
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where to put the release: an empty or a new directory.",
)
@click.option("--seed", default=1, show_default=True, help="Equal seeds give equal files.")
@click.option("--events", default=160_000, show_default=True, help="Simulated events in all.")
@click.option(
    "--files", default=2, show_default=True, help="Files of each dataset, and good runs of data."
)
@click.option(
    "--processes",
    "processes",
    default="",
    metavar="NAME,...",
    help="Processes to simulate and to draw the data from; all by default.",
)
@click.option("--mu", default=1.0, show_default=True, help="Signal strength in the data.")
@click.option(
    "--luminosity",
    default=36.64674,
    show_default=True,
    metavar="1/fb",
    help="Integrated luminosity of the data.",
)
@click.option(
    "--filler",
    default=30_000,
    show_default=True,
    help="Data events with fewer than four leptons.",
)
@click.option(
    "--compression",
    default="zlib",
    show_default=True,
    metavar="CODEC",
    help="zlib, zstd, lz4, lzma or none.",
)
@click.option("--level", default=1, show_default=True, help="Compression level, 1 to 9.")
@click.option(
    "--format",
    "file_format",
    default="physlite",
    show_default=True,
    metavar="FORMAT",
    help="physlite, or ntuple2020 with events of four leptons only.",
)
@click.option("--workers", type=int, default=None, help="Processes that write; all cores.")
def synth(
    *,
    output: Path,
    seed: int,
    events: int,
    files: int,
    processes: str,
    mu: float,
    luminosity: float,
    filler: int,
    compression: str,
    level: int,
    file_format: str,
    workers: int | None,
) -> None:
    """Make a synthetic stand-in of the release in DIR.

    It has simulation of every process, data drawn from their sum, and a catalogue, and
    stands wherever a command takes a fileset. It is no ATLAS data.
    """
    from fourlep.synth import Compression, Options, make_release

    start = time.monotonic()
    fileset = make_release(
        output,
        Options(
            seed=seed,
            events=events,
            files=files,
            processes=tuple(name.strip() for name in processes.split(",") if name.strip()),
            mu=mu,
            luminosity_ifb=luminosity,
            filler=filler,
            compression=Compression(compression, level),  # type: ignore[arg-type]  # it checks
            file_format=file_format,  # type: ignore[arg-type]  # Options checks it
        ),
        workers=workers,
        progress=file_counter(),
    )
    n_events = sum(dataset.n_events or 0 for dataset in fileset.datasets)
    n_bytes = sum(f.n_bytes or 0 for dataset in fileset.datasets for f in dataset.files)
    click.echo(
        f"{fileset.n_files} files, {n_events:,} synthetic events, {n_bytes / 1e6:,.0f} MB "
        f"in {time.monotonic() - start:.0f} s",
        err=True,
    )
    click.echo(str(output))
