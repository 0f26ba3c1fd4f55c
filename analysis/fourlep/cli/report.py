"""``fourlep report``: draw a run's figures and write its page again."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Make the report and the figures of a run again.")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--unblind", is_flag=True, help="Show observed data in the Higgs window.")
def report(directory: Path, *, unblind: bool) -> None:
    """Write report.html and plots/ of the run in DIRECTORY again."""
    from fourlep.pipeline.page import write_report

    click.echo(f"report: {write_report(directory, unblind=unblind)}")
