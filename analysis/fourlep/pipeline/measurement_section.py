"""The section of the page that shows ``fit.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fourlep.report import Fact, FigureBlock, Section, Table

#: What each figure of a fit shows, by its file's name, in the order of the page.
_CAPTIONS = {
    "fit_scan_mu": "Profile likelihood of the signal strength",
    "fit_strengths": "Signal strengths",
    "fit_scan_mass": "Profile likelihood of the Higgs boson mass",
    "fit_mass_contours": "Mass and strength",
    "fit_impacts": "Impact of each parameter on the signal strength",
    "fit_pulls": "Pulls and constraints of the nuisance parameters",
    "fit_correlation": "Correlations of the parameters",
    "fit_discriminant_roc": "Signal kept and background rejected by the discriminant",
    "fit_discriminant_scores": "Scores of events that the discriminant has and has not seen",
    "fit_discriminant_importances": "Loss of area when one input is shuffled",
}
_PLACES = {stem: place for place, stem in enumerate(_CAPTIONS)}
#: How the names of spectra end.
_SPECTRA = {"_postfit": "after the fit", "_prefit": "before the fit"}


def measurement_section(
    directory: Path, figures: Path, fingerprint: str, *, shows_data: bool
) -> Section | None:
    """The measurement of a run; None where it was not fitted.

    Parameters
    ----------
    directory
        Of the run.
    figures
        Folder of its figures.
    fingerprint
        Of the run: a fit of another one is not shown.
    shows_data
        Whether observed data may be seen; without it a fit to them is named and not shown.
    """
    try:
        fit: dict[str, Any] = json.loads((directory / "fit.json").read_bytes())
    except FileNotFoundError:
        return None
    if fit["fingerprint"] != fingerprint:
        return None
    if not (shows_data or fit["blinded"]):
        return Section("Measurement", "Fitted to the data; hidden on this page until --unblind.")
    blocks = tuple(
        FigureBlock(path, _caption(path.stem))
        for path in sorted(figures.glob("fit_*.png"), key=lambda path: _place(path.stem))
    )
    text = (
        "Blinded: fitted to the expectation; the data was not looked at (see --unblind)."
        if fit["blinded"]
        else "Fitted to the data."
    )
    facts = tuple(
        fact for name, strength in fit["strengths"].items() for fact in _facts(name, strength)
    )
    facts += _mass(fit.get("mass")) + _goodness(fit)
    return Section("Measurement", text, facts, blocks, _tables(fit))


def _caption(stem: str) -> str:
    """What a figure shows."""
    if stem in _CAPTIONS:
        return _CAPTIONS[stem]
    name = stem.removeprefix("fit_")
    for ending, when in _SPECTRA.items():
        if name.endswith(ending):
            observable, _, region = name.removesuffix(ending).partition("_")
            return ", ".join((observable, region.replace("_", " "), when))
    return name.replace("_", " ")


def _place(stem: str) -> tuple[int, int, bool, str]:
    """Spectra after the fit first, all channels together before each; those before it last."""
    part = 0 if stem.endswith("_postfit") else 2 if stem.endswith("_prefit") else 1
    return part, _PLACES.get(stem, len(_PLACES)), "combined" not in stem, stem


def _facts(name: str, strength: Mapping[str, Any]) -> list[Fact]:
    tests, limit = strength["significance"], strength["upper_limit"]
    expected = f"{tests['expected']['z']:.2f} σ expected"
    observed = tests["observed"]
    facts = [
        Fact(f"Signal strength {name}", _with_errors(strength), "MINOS errors"),
        Fact("Significance", expected, "asymptotic q₀")
        if observed is None
        else Fact("Significance", f"{observed['z']:.2f} σ", f"{expected}; asymptotic q₀"),
    ]
    found = limit["observed"]
    median = f"{limit['expected']['0']:.3g}"
    shown = median if found is None else f"{found:.3g}"
    facts.append(
        Fact(f"Upper limit on {name}", shown, f"CLs, {limit['level']:.0%}; expected {median}")
    )
    return facts


def _mass(mass: Mapping[str, Any] | None) -> tuple[Fact, ...]:
    if mass is None:
        return ()
    ends = [
        f"{sign}{abs(value):.2f}"
        for sign, value in (("+", mass["high"]), ("−", mass["low"]))
        if value is not None
    ]
    return (
        Fact(
            "Higgs boson mass",
            " ".join([f"{mass['mass']:.2f}", *ends, "GeV"]),
            f"together with {mass['strength']} = {_with_errors(mass)}; "
            f"simulated at {mass['simulated']:g} GeV",
        ),
    )


def _with_errors(strength: Mapping[str, Any]) -> str:
    low, high = strength["minos"]["low"], strength["minos"]["high"]
    if low is None or high is None:
        return f"{strength['value']:.3f} ± {strength['error']:.3f}"
    return f"{strength['value']:.3f} +{abs(high):.3f} −{abs(low):.3f}"


def _goodness(fit: Mapping[str, Any]) -> tuple[Fact, ...]:
    goodness = fit["goodness_of_fit"]
    if goodness is None or goodness["p_value"] is None:
        return ()
    return (
        Fact(
            "Goodness of fit",
            f"p = {goodness['p_value']:.3f}",
            f"saturated model, {goodness['statistic']:.1f} for "
            f"{goodness['degrees_of_freedom']} degrees of freedom",
        ),
    )


def _tables(fit: Mapping[str, Any]) -> tuple[Table, ...]:
    tables = []
    if fit["modes"]:
        rows = tuple((name, _with_errors(mode)) for name, mode in fit["modes"].items())
        tables.append(Table(("Production mode", "Strength"), rows))
    rows = tuple(
        (
            region["name"],
            "" if region["data"] is None else f"{sum(region['data']):,.0f}",
            *(_yield(region[when]["total"]) for when in ("before", "after")),
        )
        for region in fit["regions"]
    )
    has_sum = any(region["name"] == "combined" for region in fit["regions"])
    caption = "Yields; combined is the sum of the signal regions" if has_sum else "Yields"
    tables.append(
        Table(("Region", "Data", "Expected before the fit", "After the fit"), rows, caption)
    )
    return tuple(tables)


def _yield(total: Mapping[str, float]) -> str:
    return f"{total['events']:.1f} ± {total['error']:.1f}"
