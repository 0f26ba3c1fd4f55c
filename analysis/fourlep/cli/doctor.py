"""``fourlep doctor``: examine an installation or a facility from the inside."""

from __future__ import annotations

import sys

import click


@click.command(short_help="Look for what is wrong with an installation or a facility.")
def doctor() -> None:
    """Look at versions, caches, origin, Gateway, limits and disk; say what to do.

    Exit status 1 if something is wrong.
    """
    from fourlep.facility.doctor import machine, services

    examinations = (
        machine.packages,
        machine.memory,
        machine.disk,
        machine.descriptors,
        services.caches,
        services.origin,
        services.fileset,
        services.gateway,
    )
    has_problem = False
    for examine in examinations:
        for finding in examine():
            has_problem = has_problem or finding.state == "problem"
            click.echo(f"{finding.state:<8} {finding.subject:<17} {finding.detail}")
            if finding.remedy:
                click.echo(f"{'':<26} -> {finding.remedy}")
    sys.exit(1 if has_problem else 0)
