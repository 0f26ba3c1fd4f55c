"""How far a command is, on standard error; nothing where that is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fourlep.execution.model import Progress


@contextmanager
def progress_bar() -> Iterator[Callable[[Progress], None]]:
    """Yield a callable that shows files, events/s, bytes/s and the time left."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("files"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rates]}"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("files", total=None, rates="starting workers")
        started = time.monotonic()

        def show(progress: Progress) -> None:
            seconds = max(progress.elapsed_s, time.monotonic() - started, 1e-6)
            failed = f", {progress.n_failed} failed" if progress.n_failed else ""
            bar.update(
                task,
                total=progress.n_items,
                completed=progress.n_done + progress.n_failed,
                rates=f"{_scaled(progress.n_events / seconds)} events/s, "
                f"{_scaled(progress.read_bytes / seconds)}B/s{failed}",
            )

        yield show


def file_counter() -> Callable[[int, int, str], None] | None:
    """Count files that are written, in one line on a terminal; None where there is none."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int, name: str) -> None:
        end = "\n" if done == total else ""
        click.echo(f"\r\033[K{done}/{total} files  {name}{end}", err=True, nl=False)

    return show


def _scaled(number: float) -> str:
    for unit in ("", "k", "M"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} G"
