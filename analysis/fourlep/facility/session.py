"""What a notebook on the facility calls: its fileset, its caches, a run with live progress.

The hub puts the facility's fileset and caches into the environment of every server, so a
notebook names neither.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from html import escape
from pathlib import Path
from typing import Any

from fourlep.config.environment import cache_endpoints, cache_origin
from fourlep.config.settings import text
from fourlep.datasets.model import Fileset
from fourlep.errors import ConfigError, OutputError
from fourlep.execution import Progress
from fourlep.facility.published import facility_fileset
from fourlep.io.routes import RELEASE_ORIGIN, Routes
from fourlep.pipeline.configure import configured_analysis
from fourlep.pipeline.record import RunRecord
from fourlep.pipeline.run import RunOptions, run


def fileset(processes: Collection[str] = ()) -> Fileset:
    """Load the facility's fileset (``FOURLEP_FILESET``).

    Parameters
    ----------
    processes
        Only these; all when empty.

    Raises
    ------
    ConfigError
        If the facility names none.
    """
    name = text("FOURLEP_FILESET", "")
    if not name:
        raise ConfigError(
            "no facility is around this notebook: FOURLEP_FILESET is not set",
            remedy="open it on the hub (`make up` starts one), or set FOURLEP_FILESET to a "
            "built-in fileset, a stand-in's directory or a JSON file before the kernel starts; "
            'runs then need cluster="local"',
        )
    return facility_fileset(name, processes=processes)


def routes() -> Routes:
    """Read through the facility's caches, and from the origin where they fail."""
    return Routes.parse(cache_endpoints(), cache_origin(RELEASE_ORIGIN))


def nearest(url: str) -> str:
    """Address at which the file with the origin ``url`` is read first."""
    return routes().places(url)[0].url


def analyse(
    chosen: Fileset,
    output: str | Path,
    *,
    selection: str = "fourlepton",
    cluster: str = "gateway",
    workers: str = "2",
    resume: bool = False,
) -> RunRecord:
    """Run a selection over a fileset, with its progress below the cell.

    Parameters
    ----------
    chosen
        What to run over.
    output
        Run directory; histograms, figures and the report are there afterwards.
    selection
        Name of the selection.
    cluster
        ``gateway`` for a new cluster, ``gateway:NAME`` for one of yours, ``local`` for
        processes of your server, ``inline`` for the kernel itself.
    workers
        ``"8"``, or ``"2-64"`` to adapt.
    resume
        Continue what is in ``output``.

    Raises
    ------
    FourlepError
        Whatever stops the run.
    """
    analysis = configured_analysis(selection, None, chosen)
    options = RunOptions(cluster=cluster, workers=workers, resume=resume, routes=routes())
    return run(chosen, analysis, Path(output), options, progress=live_progress())


def figure(output: str | Path, name: str) -> Any:
    """Show a figure of a run directory.

    Parameters
    ----------
    output
        Run directory.
    name
        As in its folder ``plots``, without ``.png``.

    Raises
    ------
    OutputError
        If there is no such figure.
    """
    from IPython import display

    path = Path(output) / "plots" / f"{name}.png"
    if not path.is_file():
        there = ", ".join(sorted(found.stem for found in path.parent.glob("*.png")))
        raise OutputError(f"{output} has no figure {name}", remedy=f"choose one of {there}")
    image: Any = display.Image  # IPython is untyped
    return image(filename=str(path), width=640)


def live_progress() -> Callable[[Progress], None]:
    """Make a callable that shows a run's progress in the notebook, in place."""
    from IPython import display

    html: Any = display.HTML  # IPython's functions are untyped
    show_new: Any = display.display
    handle = show_new(html(_line("starting")), display_id=True)

    def show(progress: Progress) -> None:
        if handle is not None:
            handle.update(html(_line(describe(progress))))

    return show


def describe(progress: Progress) -> str:
    """Say in one line how far a run is."""
    seconds = max(progress.elapsed_s, 1e-3)
    failed = f", {progress.n_failed} failed" if progress.n_failed else ""
    return (
        f"{progress.n_done} of {progress.n_items} files{failed}, {progress.n_events:,} events, "
        f"{progress.read_bytes / 1e6:,.1f} MB read, {progress.n_events / seconds:,.0f} events/s"
    )


def _line(words: str) -> str:
    return f'<div style="font-family: monospace">{escape(words)}</div>'
