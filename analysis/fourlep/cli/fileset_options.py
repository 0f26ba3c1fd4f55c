"""The options of every command that takes a FILESET."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from fourlep.cli.progress import file_counter

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--data-dir",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Take every file from this directory, by its name.",
    ),
    click.option(
        "--process",
        "processes",
        multiple=True,
        metavar="NAME",
        help="Only this process ('data' is data); may be repeated.",
    ),
    click.option(
        "--no-correction",
        "without_corrections",
        multiple=True,
        metavar="ID",
        help="Leave out a correction of published numbers; may be repeated.",
    ),
    click.option(
        "--correction",
        "with_corrections",
        multiple=True,
        metavar="ID",
        help="Apply a correction that is not a default; may be repeated.",
    ),
    click.option(
        "--luminosity-ifb",
        type=float,
        metavar="X",
        help="Scale simulation to this luminosity, 1/fb, instead of the fileset's own.",
    ),
)


def fileset_options(command: F) -> F:
    """Add the options; they arrive as the keywords of `load_fileset`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def place_of(fileset: str) -> str | Path:
    """What `load_fileset` takes for FILESET; makes the embedded release where that is it."""
    from fourlep.pipeline.embedded import EMBEDDED, embedded_release

    if fileset != EMBEDDED:
        return fileset
    return embedded_release(tell=lambda line: click.echo(line, err=True), progress=file_counter())
