"""``fourlep run``: a fileset through a selection into a run directory."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fourlep.cli.fileset_options import fileset_options, place_of
from fourlep.cli.progress import progress_bar
from fourlep.errors import FourlepError

if TYPE_CHECKING:
    from fourlep.io.source import ReaderChoice
    from fourlep.pipeline.record import RunRecord


@click.command(short_help="Run a selection over a fileset.")
@click.argument("fileset")
@click.option(
    "--selection",
    default="fourlepton",
    show_default=True,
    metavar="NAME",
    help="fourlepton, scipy2024 or demonstrator2020.",
)
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Run directory; made where it is absent.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="TOML that changes thresholds, corrections and the fit.",
)
@click.option(
    "--workers", default="", help='"8", or "2-64" to adapt; one for each core if not said.'
)
@click.option(
    "--cluster",
    default="local",
    show_default=True,
    help="Where to run: inline (this process), local (processes of this machine), gateway (a new"
    " cluster there), gateway:NAME (one that you have), or a scheduler's tcp:// or tls:// address.",
)
@click.option("--resume", is_flag=True, help="Continue the run in the output directory.")
@click.option(
    "--allow-missing",
    is_flag=True,
    help="Normalise although files are missing, and account for it.",
)
@click.option(
    "--reader",
    type=click.Choice(["auto", "lean", "uproot"]),
    default="auto",
    show_default=True,
    help="How to read PHYSLITE trees: auto is lean, with uproot to fall back on.",
)
@click.option("--no-variations", is_flag=True, help="Leave out corrections and their variations.")
@click.option("--candidates", is_flag=True, help="Also write candidates.parquet.")
@click.option("--fit", "with_fit", is_flag=True, help="Fit when the run is complete.")
@click.option("--unblind", is_flag=True, help="Show and fit observed data in the Higgs window.")
@fileset_options
def run(
    *,
    fileset: str,
    selection: str,
    output: Path,
    config: Path | None,
    reader: ReaderChoice,
    no_variations: bool,
    with_fit: bool,
    candidates: bool,
    data_dir: Path | None,
    processes: tuple[str, ...],
    without_corrections: tuple[str, ...],
    with_corrections: tuple[str, ...],
    luminosity_ifb: float | None,
    **options: Any,
) -> None:
    """Run a selection over FILESET; write histograms, cutflow, record and report.

    FILESET is a built-in name (see `fourlep datasets list`), the directory of a stand-in
    release, or coffea's fileset JSON. `synthetic` is the embedded stand-in, which is made
    when it is first asked for.
    """
    from fourlep.config.environment import cache_endpoints, cache_origin
    from fourlep.datasets.fileset import load_fileset
    from fourlep.io.routes import RELEASE_ORIGIN, Routes
    from fourlep.pipeline.configure import configured_analysis
    from fourlep.pipeline.fit import fit_config
    from fourlep.pipeline.run import RunOptions
    from fourlep.pipeline.run import run as run_analysis

    if with_fit:
        fit_config(config, selection)  # a wrong table is told before the run, not after it
    chosen = load_fileset(
        place_of(fileset),
        data_dir=data_dir,
        processes=processes,
        without_corrections=without_corrections,
        with_corrections=with_corrections,
        luminosity_ifb=luminosity_ifb,
    )
    analysis = configured_analysis(
        selection,
        config,
        chosen,
        reader=reader,
        with_variations=not no_variations,
        keep_candidates=candidates,
    )
    routes = Routes.parse(cache_endpoints(), cache_origin(RELEASE_ORIGIN))
    with _resumable(), progress_bar() as progress:
        record = run_analysis(
            chosen,
            analysis,
            output,
            RunOptions(**options, routes=routes, leave_report=with_fit),
            progress=progress,
        )
    _print_summary(record)
    if with_fit:
        _fit(output, config, unblind=options["unblind"])
    else:
        click.echo(f"report: {output / 'report.html'}")


@contextmanager
def _resumable() -> Iterator[None]:
    """Say how to go on where somebody, or the batch system, interrupts the run."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        click.echo("the same command with --resume goes on where this ends", err=True)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _fit(output: Path, config: Path | None, *, unblind: bool) -> None:
    """Fit; where that fails, the run has its figures and its page all the same."""
    from fourlep.cli.fit import fit
    from fourlep.pipeline.page import write_report

    try:
        click.get_current_context().invoke(fit, directory=output, config=config, unblind=unblind)
    except FourlepError:
        page = write_report(output, unblind=unblind)
        click.echo(f"report: {page} (without a fit; `fourlep fit {output}` tries again)")
        raise


def _print_summary(record: RunRecord) -> None:
    kind, n_files = _kind(record), len(record.files)
    click.echo(
        f"{record.n_events:,} {kind} in {n_files:,} file{'s' * (n_files != 1)}, "
        f"{record.n_selected:,} selected, {record.wall_s:.1f} s"
    )
    for sentence in record.doubts:
        click.echo(f"warning: {sentence}", err=True)


def _kind(record: RunRecord) -> str:
    """What the events of a run are called."""
    if not record.synthetic:
        return "events"
    return "events (simulation: synthetic)" if record.observed else "synthetic events"
