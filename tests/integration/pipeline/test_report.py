"""What ``report.html`` says of runs that are not as they should be."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import uproot
from awkward import from_regular

from fourlep.physics.specs import HistogramSpec, weighted_hist
from fourlep.pipeline.caches import CacheRecord, CacheSample
from fourlep.pipeline.outputs import open_histograms
from fourlep.pipeline.page import _expected, write_report
from fourlep.pipeline.record import read_record, write_record
from integration.pipeline.conftest import Command, Writer

Filesets = Callable[..., Path]
INLINE = ("--selection", "demonstrator2020", "--cluster", "inline")


def figures(directory: Path) -> set[str]:
    """Names of the pictures of a run."""
    return {path.stem for path in (directory / "plots").glob("*.png")}


def test_missing_files_are_listed_with_the_whole_reason(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    bad, out = ntuple("bad.root", lep_charge=None), tmp_path / "out"
    answer = fourlep("run", fileset([ntuple("d.root"), bad]), *INLINE, "--output", out)
    assert answer.status == 1
    html = (out / "report.html").read_text()
    assert "Files that are not in any number on this page." in html
    assert "electron.charge: no branch lep_type with lep_charge" in html
    assert ">Figures<" not in html
    assert ">Cutflow<" in html


def test_what_the_caches_reported_is_in_the_page(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert fourlep("run", fileset([ntuple("d.root")]), *INLINE, "--output", out).status == 0
    assert "Hit rate" not in (out / "report.html").read_text()
    samples = (CacheSample(0.0, 0.0, 0.0, 0.0), CacheSample(5.0, 3e6, 1e6, 0.0))
    silent = CacheRecord("http://two:9931/metrics", problem="ConnectTimeoutError: two")
    caches = (CacheRecord("http://one:9931/metrics", samples), silent)
    write_record(out, replace(read_record(out), caches=caches))
    write_report(out)
    html = (out / "report.html").read_text()
    assert re.search(
        r"http://one:9931/metrics</td>\s*<td>3 MB</td>\s*<td>1 MB</td>\s*<td>75%", html
    )
    assert "ConnectTimeoutError: two" in html
    assert "caches" in figures(out)


def test_a_luminosity_that_nobody_stated_or_used_is_not_named(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert fourlep("run", fileset([ntuple("d.root")]), *INLINE, "--output", out).status == 0
    html = (out / "report.html").read_text()
    assert "not stated" in html
    assert "fb\u207b\u00b9" not in html


def test_the_luminosity_that_simulation_is_scaled_to_is_named_with_its_source(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    source = fileset([ntuple("d.root")], [ntuple("zz.root", is_data=False)])
    assert fourlep("run", source, *INLINE, "--output", tmp_path / "out").status == 0
    html = (tmp_path / "out" / "report.html").read_text()
    assert "36.65 fb\u207b\u00b9" in html
    assert "not stated by the fileset; the 2015-2016 data" in html


def test_a_run_that_selects_nothing_draws_its_cutflow_and_says_so(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    same_sign = from_regular(np.ones((10, 4), "i4"))
    out = tmp_path / "out"
    source = fileset([ntuple("d.root", lep_charge=same_sign)])
    answer = fourlep("run", source, *INLINE, "--output", out)
    assert answer.status == 0, answer.err
    assert "10 events in 1 file, 0 selected" in answer.out
    assert "No event was selected" in (out / "report.html").read_text()
    assert figures(out) == {"cutflow"}


def test_the_cutflow_is_drawn_although_the_higgs_window_is_hidden(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert fourlep("run", fileset([ntuple("d.root")]), *INLINE, "--output", out).status == 0
    html = (out / "report.html").read_text()
    assert "m4l, all channels; data between 115 and 130 GeV is hidden until --unblind" in html
    assert "Events left after each requirement, at all masses" in html
    assert "cutflow" in figures(out)


def test_a_blind_run_with_variations_shows_the_sidebands_with_what_uncertainty_is_known_there(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    source = fileset([ntuple("d.root")], [ntuple("zz.root", 40, is_data=False)])
    answer = fourlep("run", source, "--cluster", "inline", "--output", out)
    assert answer.status == 0, answer.err
    assert read_record(out).variations
    html = (out / "report.html").read_text()
    assert "m12, all channels; data outside the sidebands is hidden until --unblind" in html
    assert {"m4l_4l", "m12_4l", "m34_4l", "lepton_pt_4l", "lepton_eta_4l"} <= figures(out)


def test_sidebands_that_reach_into_the_higgs_window_show_no_data_while_blind(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    out, config = tmp_path / "out", tmp_path / "wide.toml"
    config.write_text("[fourlepton.regions]\nsideband = [[80.0, 160.0]]\n")
    source = fileset([ntuple("d.root")], [ntuple("zz.root", 40, is_data=False)])
    options = ("--cluster", "inline", "--config", config, "--output", out)
    assert fourlep("run", source, *options).status == 0
    html = (out / "report.html").read_text()
    assert "m12, all channels; data is hidden until --unblind" in html
    assert "sidebands" not in html


def test_a_blind_page_leaves_no_figure_of_one_that_was_not(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    options = ("--cluster", "inline", "--output", out)
    assert fourlep("run", fileset([ntuple("d.root")]), *options, "--unblind").status == 0
    own = out / "plots" / "mine.png"
    own.touch()
    assert "m12_m34_4l" in figures(out)
    assert fourlep("report", out).status == 0
    assert "m12_m34_4l" not in figures(out)
    assert not (out / "plots" / "m12_m34_4l.pdf").exists()
    assert own.exists()
    assert "m4l_4l" in figures(out)


@pytest.mark.parametrize(
    ("option", "is_blinded", "text"),
    [
        ((), False, "Fitted to the data; hidden on this page until --unblind."),
        ((), True, "Blinded: fitted to the expectation"),
        (("--unblind",), False, "Fitted to the data."),
    ],
)
def test_a_blind_page_hides_a_fit_to_observed_data(
    fourlep: Command,
    ntuple: Writer,
    fileset: Filesets,
    tmp_path: Path,
    option: tuple[str, ...],
    is_blinded: bool,
    text: str,
) -> None:
    out = tmp_path / "out"
    assert fourlep("run", fileset([ntuple("d.root")]), *INLINE, "--output", out).status == 0
    region = {
        "name": "signal",
        "data": None if is_blinded else [4321],
        **{key: {"total": {"events": 5.0, "error": 1.0}} for key in ("before", "after")},
    }
    fit = {"fingerprint": read_record(out).fingerprint, "blinded": is_blinded, "regions": [region]}
    fit |= {"strengths": {}, "modes": {}, "goodness_of_fit": None}
    (out / "fit.json").write_text(json.dumps(fit))
    assert fourlep("report", out, *option).status == 0
    html = (out / "report.html").read_text()
    assert text in html
    assert ("4,321" in html) == (option == ("--unblind",))


def test_an_observable_of_a_selection_of_ones_own_is_drawn_with_its_label(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert fourlep("run", fileset([ntuple("d.root")]), *INLINE, "--output", out).status == 0
    spec = HistogramSpec("pt4l", 2, 0.0, 100.0, r"$p_\mathrm{T}^{4\ell}$", "GeV")
    with uproot.update(out / "histograms.root") as file:
        file["4l/all/pt4l/data"] = weighted_hist(spec, np.ones(4), np.ones(4))
    record = read_record(out)
    write_record(out, replace(record, observables=(*record.observables, "pt4l")))
    write_report(out, unblind=True)
    assert "pt4l, all channels" in (out / "report.html").read_text()
    assert "pt4l_4l" in figures(out)
    with open_histograms(out) as histograms:
        assert histograms.axis("4l/all/pt4l/data") == (spec.label, "GeV")
        assert histograms.axis("4l/all/lepton_eta/data")[1] == ""


@pytest.mark.parametrize(
    ("events", "shown"),
    [
        (0.0, "0"),
        (0.0004, "0.000"),
        (0.7941, "0.794"),
        (6.2389, "6.239"),
        (56.539, "56.54"),
        (-220.757, "-220.8"),
        (1224.6, "1,225"),
        (162803142.2, "162,803,142"),
    ],
)
def test_expected_events_have_four_digits(events: float, shown: str) -> None:
    assert _expected(events) == shown
