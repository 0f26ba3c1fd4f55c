"""The ``fourlep`` command: one module a command, loaded when it is called.

Results go to standard output, messages to standard error. Exit status 0 is success,
1 a run that failed, 2 wrong usage.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import click

from fourlep import __version__
from fourlep.errors import FourlepError

#: Where each command is defined; nothing is imported before it is called.
COMMANDS = {
    "bench": "fourlep.cli.bench:bench",
    "cluster": "fourlep.cli.cluster:cluster",
    "datasets": "fourlep.cli.datasets:datasets",
    "doctor": "fourlep.cli.doctor:doctor",
    "facility": "fourlep.cli.facility:facility",
    "failed": "fourlep.cli.failed:failed",
    "fit": "fourlep.cli.fit:fit",
    "index": "fourlep.cli.index:index",
    "plan": "fourlep.cli.plan:plan",
    "report": "fourlep.cli.report:report",
    "run": "fourlep.cli.run:run",
    "show": "fourlep.cli.show:show",
    "status": "fourlep.cli.status:status",
    "synth": "fourlep.cli.synth:synth",
}


class _LazyGroup(click.Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command = getattr(importlib.import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{COMMANDS[cmd_name]} is no click command")
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fourlep")
def cli() -> None:
    """H -> ZZ* -> 4l over ATLAS open data: run, fit, report, and what they need.

    To begin: `fourlep run synthetic --output DIR --fit`.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Parameters
    ----------
    arguments
        Command-line arguments without the program's name; ``sys.argv`` by default.
    """
    try:
        cli.main(args=arguments, prog_name="fourlep", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("fourlep: interrupted", err=True)
        sys.exit(130)
    except FourlepError as error:
        click.echo(f"fourlep: {error}", err=True)
        sys.exit(error.exit_code)
    sys.exit(0)
