"""``fourlep fit``: what it writes, what it prints, and that a failed fit leaves nothing."""

from __future__ import annotations

import json
from pathlib import Path

import click
import numpy as np
import pytest
import uproot
from click.testing import CliRunner, Result
from matplotlib.figure import Figure

from fourlep.cli import cli
from fourlep.errors import ConfigError, FitError, FourlepError, IncompleteRunError
from fourlep.physics.specs import HistogramSpec, weighted_hist
from fourlep.pipeline import fit_figures
from fourlep.pipeline.measurement_section import measurement_section
from fourlep.plots.spectrum import Spectrum, draw_spectrum
from fourlep.plots.style import Caption
from unit.stats.conftest import MakeRun

pytestmark = pytest.mark.usefixtures("reported")

QUICK = """
[fit]
variations = ["EG_SCALE_ALL"]
mc_statistics = false

[[fit.normalisations]]
name = "luminosity"
uncertainty = 0.01

[[fit.regions]]
name = "4mu"
channel = "4mu"
bin_width = 5.0
"""
TWO_REGIONS = (
    QUICK.replace("mc_statistics = false", "")
    + """
[[fit.regions]]
name = "2e2mu"
channel = "2e2mu"
bin_width = 5.0
"""
)


def _fit(directory: Path, *options: str, config: str = QUICK) -> Result:
    path = directory.parent / "fit.toml"
    path.write_text(config)
    arguments = ["fit", str(directory), "--config", str(path), *options]
    return CliRunner().invoke(cli, arguments, standalone_mode=False)


def _left(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()} - {"run.json", "histograms.root"}


def _at(captions: list[str], begin: str) -> int:
    return next(place for place, caption in enumerate(captions) if caption.startswith(begin))


def test_run_is_fitted_and_everything_is_written(make_run: MakeRun, reported: list[Path]) -> None:
    directory = make_run()
    result = _fit(directory, config=TWO_REGIONS)
    assert result.exception is None
    assert result.stdout.startswith("mu = ")
    assert "goodness of fit" in result.stdout
    content = json.loads((directory / "fit.json").read_text())
    assert content["fingerprint"] == "fingerprint-of-run"
    assert content["fitted_to"] == "data"
    assert content["strengths"]["mu"]["significance"]["observed"]["z"] > 5
    workspace = json.loads((directory / "workspace.json").read_text())
    assert workspace["measurements"][0]["name"] == "fourlep fingerprint-of-run"
    figures = {path.name for path in (directory / "plots").iterdir()}
    for name in ("pulls", "correlation", "impacts", "scan_mu", "m4l_4mu_prefit"):
        assert {f"fit_{name}.png", f"fit_{name}.pdf"} <= figures
    assert "fit_m4l_combined_postfit.png" in figures
    assert _left(directory) == {"fit.json", "workspace.json", "plots"}
    assert reported == [directory]


def test_a_negative_seed_is_wrong_usage(make_run: MakeRun) -> None:
    answer = _fit(make_run(), "--toys", "2", "--seed", "-1")
    assert isinstance(answer.exception, click.UsageError)


def test_what_a_killed_fit_had_drawn_is_removed_by_the_next(make_run: MakeRun) -> None:
    directory = make_run()
    (directory / ".fit-killed").mkdir()
    (directory / ".fit-killed" / "pulls.png").touch()
    assert _fit(directory, config=TWO_REGIONS).exception is None
    assert _left(directory) == {"fit.json", "workspace.json", "plots"}


def test_the_page_begins_with_the_fitted_spectrum_of_all_channels(make_run: MakeRun) -> None:
    directory = make_run()
    _fit(directory, config=TWO_REGIONS)
    section = measurement_section(
        directory, directory / "plots", "fingerprint-of-run", shows_data=True
    )
    assert section is not None
    captions = [figure.caption for figure in section.figures]
    assert captions[0] == "m4l, combined, after the fit"
    assert captions[-1] == "m4l, 4mu, before the fit"
    scan, correlations = _at(captions, "Profile likelihood"), _at(captions, "Correlations")
    assert 0 < scan < correlations < len(captions) - 1
    assert section.tables[-1].caption == "Yields; combined is the sum of the signal regions"


def test_observed_data_stays_blinded_until_told(make_run: MakeRun) -> None:
    directory = make_run(observed=True, synthetic=False)
    result = _fit(directory)
    assert result.exception is None
    assert result.stdout.startswith("blinded: ")
    content = json.loads((directory / "fit.json").read_text())
    assert content["blinded"] is True
    assert content["strengths"]["mu"]["value"] == pytest.approx(1.0, abs=1e-4)
    assert all(region["data"] is None for region in content["regions"])
    observations = json.loads((directory / "workspace.json").read_text())["observations"]
    counts = np.concatenate([channel["data"] for channel in observations])
    assert np.any(counts != np.rint(counts))


def test_unblinding_fits_the_data_and_the_workspace_can_be_fitted_again(
    make_run: MakeRun,
) -> None:
    directory = make_run(observed=True, synthetic=False)
    assert _fit(directory, "--unblind").exception is None
    first = json.loads((directory / "fit.json").read_text())
    assert first["blinded"] is False
    assert first["regions"][0]["data"] is not None
    workspace = str(directory / "workspace.json")
    assert _fit(directory, "--unblind", "--workspace", workspace).exception is None
    assert json.loads((directory / "fit.json").read_text()) == first


def test_strength_of_each_mode_is_given_beside_the_common_one(make_run: MakeRun) -> None:
    directory = make_run()
    result = _fit(directory, "--per-mode")
    assert result.exception is None
    content = json.loads((directory / "fit.json").read_text())
    assert list(content["modes"]) == ["mu_ggF", "mu_VBF"]
    errors = {name: mode["error"] for name, mode in content["modes"].items()}
    assert errors["mu_VBF"] > 5 * errors["mu_ggF"]
    assert (directory / "plots" / "fit_strengths.png").is_file()


def _negative(contents) -> None:
    contents["4mu/all/m4l/ZZ"][0][:] *= -1.0


def _gap(contents) -> None:
    del contents["4mu/all/m4l/ZZ_EG_SCALE_ALL__1up"]


def _empty(contents) -> None:
    for name in contents:
        if name.startswith("4mu/"):
            contents[name][0][:] = 0.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_negative, "negative total"),
        (_gap, "lacks 4mu/all/m4l/ZZ_EG_SCALE_ALL__1up"),
        (_empty, "region 4mu is empty"),
    ],
)
def test_bad_histograms_leave_neither_number_nor_figure(
    make_run: MakeRun, change, message: str
) -> None:
    directory = make_run(change=change)
    result = _fit(directory)
    assert isinstance(result.exception, FitError)
    assert message in str(result.exception)
    assert result.exception.remedy
    assert result.stdout == ""
    assert _left(directory) == set()


def test_fit_that_does_not_converge_leaves_neither_number_nor_figure(make_run: MakeRun) -> None:
    directory = make_run()
    free = '[[fit.normalisations]]\nname = "{name}"\nprocesses = ["ZZ"]\n'
    config = QUICK + "".join(free.format(name=name) for name in ("first", "second"))
    result = _fit(directory, config=config)
    assert isinstance(result.exception, FitError)
    assert result.stdout == ""
    assert _left(directory) == set()


def test_failed_fit_leaves_an_earlier_result_as_it_was(make_run: MakeRun) -> None:
    directory = make_run()
    (directory / "fit.json").write_text("earlier")
    assert _fit(directory, config=QUICK.replace("EG_SCALE_ALL", "PILEUP")).exception is not None
    assert (directory / "fit.json").read_text() == "earlier"


def test_workspace_of_another_run_is_refused(make_run: MakeRun) -> None:
    directory = make_run()
    other = directory.parent / "workspace.json"
    other.write_text('{"measurements": [{"name": "fourlep fingerprint-of-other"}]}')
    result = _fit(directory, "--workspace", str(other))
    assert isinstance(result.exception, FitError)
    assert "belongs to another run" in str(result.exception)
    assert _left(directory) == set()


def test_incomplete_run_is_refused_until_a_luminosity_is_given(make_run: MakeRun) -> None:
    directory = make_run(complete=False, missing=[{"url": "root://x//y.root"}])
    refused = _fit(directory)
    assert isinstance(refused.exception, IncompleteRunError)
    assert _left(directory) == set()
    assert _fit(directory, "--luminosity-ifb", "36.6").exception is None
    assert json.loads((directory / "fit.json").read_text())["luminosity_ifb"] == 36.6


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("[fit]\nsmothing = 'none'\n", "unknown key 'fit.smothing'"),
        ("[fits]\n", "unknown key 'fits'"),
        ("[fit]\nprune_rate = 'much'\n", "fit.prune_rate is 'much'"),
        ("[fit\n", "fit.toml"),
    ],
)
def test_wrong_configuration_is_refused_by_file_and_key(
    make_run: MakeRun, config: str, message: str
) -> None:
    result = _fit(make_run(), config=config)
    assert isinstance(result.exception, ConfigError)
    assert message in str(result.exception)


def test_directory_without_a_run_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["fit", str(tmp_path)], standalone_mode=False)
    assert isinstance(result.exception, FourlepError)
    assert "run.json is absent" in str(result.exception)


def test_an_observable_of_a_selection_of_ones_own_is_drawn_with_its_label(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = make_run(variations=())
    spec = HistogramSpec("pt4l", 11, 80.0, 250.0, r"$p_\mathrm{T}^{4\ell}$", "GeV")
    with uproot.update(directory / "histograms.root") as file:
        for channel in ("4l", "4mu"):
            for process in ("ggF", "VBF", "ZZ", "Zjets", "data"):
                events = np.full(13, 9.0)
                file[f"{channel}/all/pt4l/{process}"] = weighted_hist(spec, events, events)
    drawn: list[Spectrum] = []

    def draw(spectrum: Spectrum, caption: Caption) -> Figure:
        drawn.append(spectrum)
        return draw_spectrum(spectrum, caption)

    monkeypatch.setattr(fit_figures, "draw_spectrum", draw)
    config = QUICK.replace('variations = ["EG_SCALE_ALL"]\n', "").replace(
        "bin_width = 5.0", 'observable = "pt4l"\nlow = 80.0\nhigh = 250.0'
    )
    assert _fit(directory, config=config).exception is None
    assert {(spectrum.label, spectrum.unit) for spectrum in drawn} == {(spec.label, "GeV")}
