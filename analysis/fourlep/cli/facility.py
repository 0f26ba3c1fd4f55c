"""``fourlep facility``: the facility on one machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fourlep.facility.embedded.state import FacilityReport

_DIRECTORY = click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".facility"),
    show_default=True,
    help="Where the facility keeps homes, secrets, cache, data and logs.",
)


@click.group(short_help="Run the whole facility on this machine.")
def facility() -> None:
    """Run the whole facility on this machine: hub, gateway, caches, origin."""


@facility.command()
@_DIRECTORY
@click.option(
    "--port", default=8000, show_default=True, help="Port of the hub; 0 for any free one."
)
@click.option(
    "--origin",
    default="",
    metavar="HOST:PORT",
    help="XRootD origin to cache; by default the facility serves its own folder `data`.",
)
@click.option(
    "--export",
    default="/fourlep",
    show_default=True,
    metavar="PATH",
    help="Path prefix of the data at the origin.",
)
@click.option(
    "--release",
    type=click.Path(path_type=Path, exists=True),
    help="Directory of a release, or fileset JSON, with local files: the facility serves it.",
)
@click.option("--fileset", default="", help="What the notebooks run over: a name or a file.")
@click.option(
    "--user",
    "users",
    multiple=True,
    default=("analyst",),
    show_default=True,
    help="Who may log in; repeat for several.",
)
def up(
    *,
    directory: Path,
    port: int,
    origin: str,
    export: str,
    release: Path | None,
    fileset: str,
    users: tuple[str, ...],
) -> None:
    """Start it and wait until every part is healthy."""
    from fourlep.facility.embedded.control import Choices, start

    choices = Choices(
        port=port, origin=origin, export=export, release=release, fileset=fileset, users=users
    )
    started = start(directory, choices, lambda line: click.echo(line, err=True))
    click.echo(f"Open {started.url} and log in as {' or '.join(started.run.users)}.")
    click.echo(f"The password is in {started.password_file}.")
    click.echo("`fourlep facility down` ends it.")


@facility.command()
@_DIRECTORY
def status(directory: Path) -> None:
    """Say how each part is; exit status 1 unless all are up."""
    from fourlep.facility.embedded.control import look, running

    report = look(directory)
    if report is None:
        running(directory)  # raises: says that none runs
        sys.exit(1)
    _show(report)
    sys.exit(0 if report.is_well else 1)


@facility.command()
@_DIRECTORY
def down(directory: Path) -> None:
    """End it: every process that it started, and no other."""
    from fourlep.facility.embedded.control import stop

    count = stop(directory)
    click.echo(f"{count} processes ended." if count else "Nothing was running.", err=True)


@facility.command(short_help="Do what an analyst does first, through the hub's API.")
@_DIRECTORY
@click.option(
    "--hub",
    default="",
    metavar="URL",
    help="Public address of another hub; by default, that of the facility in the directory.",
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File with the token of the hub's service `smoke`; needed with --hub.",
)
@click.option(
    "--notebooks",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of the notebooks; by default the checkout's.",
)
def smoke(directory: Path, hub: str, token_file: Path | None, notebooks: Path | None) -> None:
    """Do what an analyst does first, through the hub's API; the exit status says it all."""
    import asyncio

    from fourlep.facility.embedded.control import running
    from fourlep.facility.embedded.layout import repository
    from fourlep.facility.smoke import smoke as run_smoke

    if bool(hub) != (token_file is not None):
        raise click.UsageError("--hub and --token-file go together")
    if token_file is None:
        found = running(directory)
        hub, token_file = found.url, found.layout.secrets / "smoke-token"
    token = token_file.read_text(encoding="utf-8").strip()
    folder = notebooks or repository() / "notebooks"
    result = asyncio.run(run_smoke(hub, token, folder, lambda line: click.echo(line, err=True)))
    click.echo(f"The facility works: {len(result.figures)} figures in {result.seconds:.0f} s.")


@facility.command("stand-in", short_help="Make a synthetic release for an origin to serve.")
@click.option(
    "--directory",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder that an origin serves.",
)
@click.option(
    "--address", required=True, metavar="URL", help="Of that folder: root://host:port//prefix."
)
@click.option(
    "--events", default=20_000, show_default=True, help="Simulated events of the release."
)
def stand_in(directory: Path, address: str, events: int) -> None:
    """Make a synthetic release for an origin to serve, unless it is there."""
    from fourlep.facility.published import publish_stand_in

    click.echo(str(publish_stand_in(directory, address, events)))


@facility.command(short_help="Offer the caches' statistics to Prometheus.")
def collect() -> None:
    """Collect the caches' statistics and offer them to Prometheus, until ended."""
    from fourlep.config.settings import text
    from fourlep.facility.cache_metrics.server import serve

    serve(
        text("FOURLEP_METRICS_UDP", "127.0.0.1:9930"),
        text("FOURLEP_METRICS_HTTP", "127.0.0.1:9931"),
        text("FOURLEP_XCACHE_DIR", ""),
        text("FOURLEP_XCACHE_NAME", "cache"),
    )


def _show(report: FacilityReport) -> None:
    width = max(len(part.title) for part in report.parts)
    for part in report.parts:
        again = f"started again {part.restarts} times" if part.restarts else ""
        remarks = "; ".join(filter(None, (again, part.note)))
        process = f"process {part.pid}" if part.pid > 0 else ""
        click.echo(
            f"{part.title:<{width}}  {part.condition:<10}  {process:<15}  {remarks}".rstrip()
        )
