"""``fourlep fit``: a run directory to a measurement."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@click.command(short_help="Fit a run: strength, significance, limit, figures.")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="TOML file whose [fit] table changes regions, strengths, normalisations, variations.",
)
@click.option("--unblind", is_flag=True, help="Fit observed data instead of the expectation.")
@click.option(
    "--luminosity-ifb",
    type=float,
    help="Luminosity that the data stands for (1/fb); needed for an incomplete run.",
)
@click.option("--per-mode", is_flag=True, help="One strength for each production mode.")
@click.option(
    "--discriminant",
    is_flag=True,
    help="Fit m4l in categories of a discriminant learned from candidates.parquet.",
)
@click.option(
    "--mass",
    is_flag=True,
    help="Also fit the Higgs boson mass with the strength; needs candidates.parquet.",
)
@click.option(
    "--toys",
    "n_toys",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Pseudo-experiments for the p-values of discovery and goodness of fit.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Of the pseudo-experiments.",
)
@click.option(
    "--workspace",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Fit this workspace.json of the same run instead of building one.",
)
def fit(directory: Path, **options: Any) -> None:
    """Fit the run in DIRECTORY; write workspace.json, fit.json and figures.

    Where the run holds observed data, the fit is made to the expectation and the data is
    not looked at, until --unblind.
    """
    from fourlep.pipeline.fit import FitOptions
    from fourlep.pipeline.fit import fit as fit_run

    content = fit_run(
        directory,
        FitOptions(**options),
        progress=lambda step: click.echo(f"fit: {step}", err=True),
    )
    for line in _summary(content):
        click.echo(line)
    click.echo(f"report: {directory / 'report.html'}")


def _summary(content: Mapping[str, Any]) -> Iterator[str]:
    if content["blinded"]:
        yield "blinded: fitted to the expectation, the data is not looked at (see --unblind)"
    for name, strength in {**content["strengths"], **content["modes"]}.items():
        yield f"{name} = {strength['value']:.3f} {_errors(strength)}"
        tests = strength["significance"]
        observed = tests["observed"]
        seen = "" if observed is None else f"{observed['z']:.2f} observed, "
        yield f"  significance: {seen}{tests['expected']['z']:.2f} expected (standard deviations)"
        limit = strength["upper_limit"]
        seen = "" if limit["observed"] is None else f"{limit['observed']:.3f} observed, "
        yield (
            f"  upper limit at {limit['level']:.0%}: {seen}"
            f"{limit['expected']['0']:.3f} expected from background alone"
        )
    yield from _mass(content["mass"])
    gain = content["discriminant"]
    if gain is not None:
        yield (
            f"discriminant: area {gain['area']:.3f}, expected significance "
            f"{gain['expected_without']:.2f} without, {gain['expected_with']:.2f} with it"
        )
        if gain["expected_with"] < gain["expected_without"]:
            yield (
                "  -> it loses: its categories hold too little simulated background; fit without "
                "it, or simulate more"
            )
    goodness = content["goodness_of_fit"]
    if goodness is not None and goodness["p_value"] is not None:
        yield (
            f"goodness of fit: {goodness['statistic']:.1f} for "
            f"{goodness['degrees_of_freedom']} degrees of freedom, p = {goodness['p_value']:.3f}"
        )


def _mass(mass: Mapping[str, Any] | None) -> Iterator[str]:
    if mass is not None:
        errors = " ".join(
            f"{sign}(beyond the range)" if value is None else f"{value:+.2f}"
            for sign, value in (("+", mass["high"]), ("-", mass["low"]))
        )
        yield (
            f"m_H = {mass['mass']:.2f} {errors} GeV, with {mass['strength']} = "
            f"{mass['value']:.3f} {_errors(mass)}"
        )


def _errors(strength: Mapping[str, Any]) -> str:
    low, high = strength["minos"]["low"], strength["minos"]["high"]
    if low is None or high is None:
        return f"+/- {strength['error']:.3f}"
    return f"+{high:.3f} {low:.3f}"
