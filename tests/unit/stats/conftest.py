"""Runs made of analytic templates, as `fourlep run` would leave them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

EDGES = np.linspace(80.0, 250.0, 69)
CHANNELS = {"4mu": 1.0, "4e": 0.5, "2e2mu": 1.3}
PROCESSES = {
    "ggF": "signal",
    "VBF": "signal",
    "ZZ": "background",
    "Zjets": "background",
}
VARIATIONS = (
    "EG_SCALE_ALL__1up",
    "EG_SCALE_ALL__1down",
    "MUON_EFF__1up",
    "MUON_EFF__1down",
)

Contents = dict[str, tuple[np.ndarray, np.ndarray]]


def _shape(process: str, scale: float = 1.0) -> np.ndarray:
    """Expected events of a process in bins of m4l (GeV), for one channel of weight 1."""
    if process in {"ggF", "VBF"}:
        rate = 22.0 if process == "ggF" else 2.0
        return rate * np.diff(norm.cdf(EDGES, 125.0 * scale, 2.2))
    centres = 0.5 * (EDGES[1:] + EDGES[:-1]) / scale
    if process == "ZZ":
        continuum = 0.25 + 1.6 * (centres > 180) * np.exp(-(centres - 180) / 50)
        return continuum + 30.0 * np.diff(norm.cdf(EDGES, 91.2 * scale, 2.5))
    return 0.25 * np.exp(-(centres - 80) / 60)


def _effect(variation: str, channel: str) -> tuple[float, float]:
    """Factor on m4l and factor on the rate."""
    sign = 1.0 if variation.endswith("up") else -1.0
    if variation.startswith("EG_SCALE"):
        return 1.0 + {"4e": 0.006, "2e2mu": 0.003, "4mu": 0.0}[channel] * sign, 1.0
    if variation.startswith("MUON_EFF"):
        return 1.0, 1.0 + {"4mu": 0.03, "2e2mu": 0.015, "4e": 0.0}[channel] * sign
    return 1.0, 1.0 + 0.02 * sign


def _contents(variations: tuple[str, ...], strength: float, seed: int) -> Contents:
    rng = np.random.default_rng(seed)
    contents: Contents = {}
    for channel, weight in CHANNELS.items():
        total = np.zeros(len(EDGES) - 1)
        for process, role in PROCESSES.items():
            nominal = weight * _shape(process)
            contents[f"{channel}/all/m4l/{process}"] = (nominal, 0.01 * nominal)
            total += nominal * (strength if role == "signal" else 1.0)
            for variation in variations:
                scale, rate = _effect(variation, channel)
                varied = weight * rate * _shape(process, scale)
                contents[f"{channel}/all/m4l/{process}_{variation}"] = (varied, 0.01 * varied)
        data = rng.poisson(total).astype(float)
        contents[f"{channel}/all/m4l/data"] = (data, data)
    names = {key.rpartition("/")[2] for key in contents}
    for name in names:
        values, variances = (
            np.sum([contents[f"{channel}/all/m4l/{name}"][part] for channel in CHANNELS], axis=0)
            for part in (0, 1)
        )
        contents[f"4l/all/m4l/{name}"] = (values, variances)
        above = EDGES[:-1] >= 180.0
        contents[f"4l/zz_control/m4l/{name}"] = (values * above, variances * above)
    return contents


def write_histograms(path: Path, contents: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
    import hist
    import uproot

    with uproot.recreate(path) as file:
        for name, (values, variances) in contents.items():
            histogram = hist.Hist(hist.axis.Variable(EDGES), storage=hist.storage.Weight())
            histogram.view().value = values
            histogram.view().variance = variances
            file[name] = histogram


def write_record(directory: Path, **changed: Any) -> None:
    """Write the ``run.json`` of a complete synthetic run; ``changed`` keys replace its own."""
    record = {
        "fingerprint": f"fingerprint-of-{directory.name}",
        "selection": "fourlepton",
        "luminosity_ifb": 36.6,
        "complete": True,
        "missing": [],
        "synthetic": True,
        "observed": False,
        "processes": {
            "data": {"role": "data"},
            "ggF": {"role": "signal"},
            "ZZ": {"role": "background"},
        },
    }
    (directory / "run.json").write_text(json.dumps({**record, **changed}))


MakeRun = Callable[..., Path]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Write a run; ``change`` may alter its histograms, keywords its ``run.json``."""

    def make(
        name: str = "run",
        *,
        strength: float = 1.0,
        seed: int = 7,
        variations: tuple[str, ...] = VARIATIONS,
        change: Callable[[Contents], None] = lambda contents: None,
        **record: Any,
    ) -> Path:
        directory = tmp_path / name
        directory.mkdir()
        contents = _contents(variations, strength, seed)
        change(contents)
        write_histograms(directory / "histograms.root", contents)
        processes = {
            "data": {"role": "data"},
            **{process: {"role": role} for process, role in PROCESSES.items()},
        }
        write_record(
            directory,
            **{"processes": processes, "variations": ["nominal", *variations], **record},
        )
        return directory

    return make


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Directories whose report a fit asks for: these runs have too little in them for one."""
    asked: list[Path] = []

    def write_report(directory: Path, *, unblind: bool) -> None:
        asked.append(directory)

    monkeypatch.setattr("fourlep.pipeline.fit.write_report", write_report)
    return asked
