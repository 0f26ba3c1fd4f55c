"""``fourlep status``: how far a run is, from any terminal."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fourlep.cli.table import print_table

if TYPE_CHECKING:
    from fourlep.execution.model import Progress, Sample, Traffic

#: Seconds between two looks at a running ledger.
_LOOK_S = 2.0

#: Samples that the present rate is taken over.
_RECENT = 15


@dataclass(frozen=True, slots=True)
class _State:
    """What a ledger says at one time."""

    is_running: bool
    progress: Progress
    traffic: tuple[Traffic, ...]
    samples: tuple[Sample, ...]

    @property
    def n_pending(self) -> int:
        return self.progress.n_items - self.progress.n_done - self.progress.n_failed

    @property
    def files_per_s(self) -> float:
        """Over the last samples of the present session, 0 where there are none."""
        recent = [s for s in self.samples if s.session == self.samples[-1].session][-_RECENT:]
        if len(recent) < 2:
            return 0.0
        seconds = recent[-1].elapsed_s - recent[0].elapsed_s
        return (recent[-1].n_done - recent[0].n_done) / seconds if seconds > 0.0 else 0.0


@click.command(short_help="Show how far a run is.")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--watch", is_flag=True, help="Look again every two seconds until the run ends.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def status(*, directory: Path, watch: bool, as_json: bool) -> None:
    """Show how far the run in DIRECTORY is, and what each server delivered.

    The run is not disturbed: its ledger can be read while it is written.
    """
    while True:
        state = _look(directory)
        if as_json:
            click.echo(json.dumps(_plain(state), indent=None if watch else 1))
        else:
            _print(directory, state, clear=watch)
        if not (watch and state.is_running):
            return
        time.sleep(_LOOK_S)


def _look(directory: Path) -> _State:
    from fourlep.execution.durable import is_held
    from fourlep.execution.ledger import LOCK_NAME
    from fourlep.execution.ledger_view import view_ledger

    with view_ledger(directory) as view:
        return _State(
            is_running=is_held(directory / LOCK_NAME),
            progress=view.progress(),
            traffic=view.traffic(),
            samples=view.samples(),
        )


def _plain(state: _State) -> dict[str, object]:
    return {
        "is_running": state.is_running,
        "n_items": state.progress.n_items,
        "n_done": state.progress.n_done,
        "n_failed": state.progress.n_failed,
        "n_pending": state.n_pending,
        "n_events": state.progress.n_events,
        "read_bytes": state.progress.read_bytes,
        "files_per_s": state.files_per_s,
        "traffic": [asdict(traffic) for traffic in state.traffic],
    }


def _print(directory: Path, state: _State, *, clear: bool) -> None:
    if clear:
        click.clear()
    rows = [
        ("state", _phase(state)),
        ("files", f"{state.progress.n_items:,}"),
        ("done", f"{state.progress.n_done:,}"),
        ("failed", f"{state.progress.n_failed:,}"),
        ("pending", f"{state.n_pending:,}"),
        ("events", f"{state.progress.n_events:,}"),
        ("read", f"{state.progress.read_bytes / 1e6:,.1f} MB"),
        ("rate", f"{state.files_per_s:,.1f} files/s"),
        ("left", _time_left(state)),
    ]
    print_table(str(directory), ("run", "value"), rows, numbers=1)
    if state.traffic:
        by_server = [
            (t.endpoint, f"{t.n_items:,}", f"{t.n_events:,}", f"{t.read_bytes / 1e6:,.1f}")
            for t in state.traffic
        ]
        print_table("by server", ("server", "files", "events", "MB"), by_server, numbers=3)


def _phase(state: _State) -> str:
    if state.is_running:
        return "running"
    if state.progress.n_done == state.progress.n_items:
        return "complete"
    return "incomplete" if state.n_pending == 0 else "stopped; --resume goes on"


def _time_left(state: _State) -> str:
    if not state.is_running or state.files_per_s == 0.0:
        return "unknown" if state.is_running else "-"
    minutes, seconds = divmod(round(state.n_pending / state.files_per_s), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
