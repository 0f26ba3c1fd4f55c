"""Templates to a HistFactory workspace, built by cabinetry.

This is the one place where our configuration becomes cabinetry's dictionary.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fourlep.errors import FitError
from fourlep.stats.config import FitConfig, Normalisation, Strength
from fourlep.stats.effects import Effect
from fourlep.stats.notices import without_known_notices
from fourlep.stats.preparation import Preparation, PreparedRegion, Sample
from fourlep.stats.run_directory import Run
from fourlep.stats.templates import Template

#: Name of the observed sample in cabinetry's configuration.
_DATA = "data"

#: Range of a free normalisation.
_FREE_RANGE = (0.0, 10.0)

Workspace = dict[str, Any]


def build_workspace(run: Run, config: FitConfig, preparation: Preparation) -> Workspace:
    """Build the workspace.

    Regions whose data may not be looked at hold the nominal expectation in their place,
    so that the workspace does not carry what is blinded.

    Parameters
    ----------
    run
        The run, whose fingerprint becomes the name of the measurement.
    config
        The measurement.
    preparation
        Its templates.

    Returns
    -------
    A HistFactory workspace in pyhf's JSON form.

    Raises
    ------
    FitError
        If a strength or a normalisation acts on nothing, or cabinetry refuses.
    """
    import cabinetry
    import pyhf

    simulated = {sample.process for region in preparation.regions for sample in region.samples}
    codes = _Codes.of(preparation)
    with tempfile.TemporaryDirectory(prefix="fourlep-fit-") as folder:
        _save_histograms(Path(folder), preparation, codes)
        settings = {
            "General": {
                "Measurement": measurement_name(run),
                "POI": config.strengths[0].name,
                "InputPath": "histograms.root",
                "HistogramFolder": folder,
            },
            "Regions": [{"Name": region.region.name} for region in preparation.regions],
            "Samples": list(_samples(config, preparation)),
            "NormFactors": list(_factors(run, config, simulated)),
            "Systematics": [
                *_rates(config, simulated, set(preparation.theory)),
                *_variations(preparation, codes),
            ],
        }
        try:
            cabinetry.configuration.validate(settings)
            with without_known_notices():
                return codes.removed(cabinetry.workspace.build(codes.put(settings)))
        except (ValueError, pyhf.exceptions.InvalidSpecification) as error:
            raise FitError(
                f"the statistical model cannot be built: {error}",
                remedy="look at the regions and processes of the configuration",
            ) from error


def measurement_name(run: Run) -> str:
    """Name that ties a workspace to its run."""
    return f"fourlep {run.fingerprint}"


def read_workspace(path: Path, run: Run) -> Workspace:
    """Read a workspace that was made from this run.

    Raises
    ------
    FitError
        If it is absent, no workspace, or belongs to another run.
    """
    try:
        workspace: Workspace = json.loads(path.read_text(encoding="utf-8"))
        name = workspace["measurements"][0]["name"]
    except FileNotFoundError as error:
        raise FitError(f"{path} is absent", remedy="leave --workspace away to build it") from error
    except (json.JSONDecodeError, KeyError, IndexError, TypeError) as error:
        raise FitError(
            f"{path} is no HistFactory workspace: {error!r}",
            remedy="leave --workspace away to build one",
        ) from error
    if name != measurement_name(run):
        raise FitError(
            f"{path} belongs to another run ({name!r}, this one is {measurement_name(run)!r})",
            remedy="leave --workspace away to build it from this run's histograms",
        )
    return workspace


@dataclass(frozen=True, slots=True)
class _Codes:
    """Plain names for regions and processes, from which cabinetry makes names of files.

    It takes what follows a dot for the file's type, a slash for a folder and a space for a
    dash: templates whose own names differ in these alone would replace one another.

    Parameters
    ----------
    regions, processes
        Plain name by own name.
    """

    regions: Mapping[str, str]
    processes: Mapping[str, str]

    @classmethod
    def of(cls, preparation: Preparation) -> _Codes:
        """Number the regions and the processes."""
        regions = [region.region.name for region in preparation.regions]
        processes = dict.fromkeys(s.process for r in preparation.regions for s in r.samples)
        return cls(
            {name: f"region{number}" for number, name in enumerate(regions)},
            {_DATA: _DATA, **{name: f"process{number}" for number, name in enumerate(processes)}},
        )

    def histogram(self, region: PreparedRegion, process: str) -> str:
        """Name of a nominal template's file."""
        return f"{self.regions[region.region.name]}_{self.processes[process]}"

    def entry(self, region: PreparedRegion, sample: Sample, effect: Effect) -> str:
        """Name of a variation of one process in one region, a part of its files' names."""
        variation = effect.variation.replace(".", "-").replace("/", "-").replace(" ", "-")
        return f"{variation}|{self.histogram(region, sample.process)}"

    def put(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Put plain names into cabinetry's configuration."""
        names = {"Regions": self.regions, "Samples": self.processes}

        def listed(entry: Mapping[str, Any]) -> dict[str, Any]:
            known = {kind: own for kind, own in names.items() if kind in entry}
            return {**entry, **{k: [own[name] for name in entry[k]] for k, own in known.items()}}

        lists = ("Regions", "Samples", "NormFactors", "Systematics")
        changed = {kind: [listed(entry) for entry in settings[kind]] for kind in lists}
        for kind, own in names.items():
            changed[kind] = [{**entry, "Name": own[entry["Name"]]} for entry in changed[kind]]
        return {**settings, **changed}

    def removed(self, workspace: Mapping[str, Any]) -> Workspace:
        """Put own names back into the workspace."""
        regions = {code: name for name, code in self.regions.items()}
        processes = {code: name for name, code in self.processes.items()}
        # Parameters have no spaces in their names.
        bins = {f"staterror_{c}": f"staterror_{n}".replace(" ", "-") for c, n in regions.items()}

        def renamed(entry: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
            return {**entry, "name": names.get(entry["name"], entry["name"])}

        def sample(entry: Mapping[str, Any]) -> dict[str, Any]:
            modifiers = [renamed(modifier, bins) for modifier in entry["modifiers"]]
            return {**renamed(entry, processes), "modifiers": modifiers}

        channels = [
            {**renamed(channel, regions), "samples": [sample(s) for s in channel["samples"]]}
            for channel in workspace["channels"]
        ]
        observations = [renamed(entry, regions) for entry in workspace["observations"]]
        return {**workspace, "channels": channels, "observations": observations}


def _samples(config: FitConfig, preparation: Preparation) -> Iterator[dict[str, Any]]:
    yield {"Name": _DATA, "Data": True}
    homes: dict[str, list[str]] = {}
    for region in preparation.regions:
        for sample in region.samples:
            homes.setdefault(sample.process, []).append(region.region.name)
    for process, regions in homes.items():
        sample_settings: dict[str, Any] = {"Name": process, "Regions": regions}
        if not config.mc_statistics:
            sample_settings["DisableStaterror"] = True
        yield sample_settings


def _factors(run: Run, config: FitConfig, simulated: set[str]) -> Iterator[dict[str, Any]]:
    for strength in config.strengths:
        yield _factor(
            strength.name,
            _acted_on(strength, strength.processes or run.signals, simulated),
            (strength.low, strength.high),
        )
    for normalisation in config.normalisations:
        processes = _present(normalisation, simulated)
        if normalisation.is_free and processes:
            yield _factor(normalisation.name, processes, _FREE_RANGE)


def _factor(name: str, processes: list[str], bounds: tuple[float, float]) -> dict[str, Any]:
    return {"Name": name, "Samples": processes, "Nominal": 1.0, "Bounds": list(bounds)}


def _acted_on(strength: Strength, processes: tuple[str, ...], simulated: set[str]) -> list[str]:
    present = [process for process in processes if process in simulated]
    if not present:
        raise FitError(
            f"strength {strength.name} acts on no process with events: {', '.join(processes)}",
            remedy="name signal processes that the regions contain",
        )
    return present


def _present(normalisation: Normalisation, simulated: set[str]) -> list[str]:
    wanted = normalisation.processes or tuple(sorted(simulated))
    return [process for process in wanted if process in simulated]


def _rates(
    config: FitConfig, simulated: set[str], with_theory: set[str]
) -> Iterator[dict[str, Any]]:
    for normalisation in config.normalisations:
        counted = with_theory if normalisation.is_cross_section else set()
        processes = _present(normalisation, simulated - counted)
        if normalisation.is_free or not processes:
            continue
        yield {
            "Name": normalisation.name,
            "Type": "Normalization",
            "Samples": processes,
            "Up": {"Normalization": normalisation.uncertainty},
            "Down": {"Normalization": -normalisation.uncertainty},
        }


def _variations(preparation: Preparation, codes: _Codes) -> Iterator[dict[str, Any]]:
    for region in preparation.regions:
        for sample in region.samples:
            for effect in sample.effects:
                yield _variation(region, sample, effect, codes)


def _variation(
    region: PreparedRegion, sample: Sample, effect: Effect, codes: _Codes
) -> dict[str, Any]:
    """One entry a region and process, because pruning decides for each alone."""
    settings: dict[str, Any] = {
        "Name": codes.entry(region, sample, effect),
        "ModifierName": effect.variation,
        "Regions": [region.region.name],
        "Samples": [sample.process],
    }
    if effect.has_shape:
        down: dict[str, Any] = {"Symmetrize": True} if effect.down is None else {}
        return {**settings, "Type": "NormPlusShape", "Up": {}, "Down": down}
    up = effect.up.total / sample.nominal.total - 1.0
    low = -up if effect.down is None else effect.down.total / sample.nominal.total - 1.0
    return {
        **settings,
        "Type": "Normalization",
        "Up": {"Normalization": up},
        "Down": {"Normalization": low},
    }


def _save_histograms(folder: Path, preparation: Preparation, codes: _Codes) -> None:
    """Write the templates where cabinetry looks for them."""
    for region in preparation.regions:
        data = region.expected if region.data is None else region.data
        _save(folder, codes.histogram(region, _DATA), Template(region.edges, data, data))
        for sample in region.samples:
            name = codes.histogram(region, sample.process)
            _save(folder, name, sample.nominal)
            for effect in filter(lambda effect: effect.has_shape, sample.effects):
                entry = codes.entry(region, sample, effect)
                _save(folder, f"{name}_{entry}_Up", effect.up)
                if effect.down is not None:
                    _save(folder, f"{name}_{entry}_Down", effect.down)


def _save(folder: Path, name: str, template: Template) -> None:
    import cabinetry

    histogram = cabinetry.histo.Histogram.from_arrays(
        template.edges, template.values, np.sqrt(template.variances)
    )
    histogram.save(folder / name)
