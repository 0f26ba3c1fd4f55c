"""Fits, figures and pages stand in a run directory only beside the sums that they are of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from integration.pipeline.conftest import Command, Writer

Filesets = Callable[..., Path]
INLINE = ("--selection", "demonstrator2020", "--cluster", "inline")


def test_a_fit_of_fewer_files_does_not_outlive_them(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    out, late = tmp_path / "out", tmp_path / "late.root"
    source = fileset([ntuple("d.root"), str(late)])
    fourlep("run", source, *INLINE, "--output", out, "--allow-missing")
    fitted = out / "fit.json", out / "workspace.json", out / "plots" / "fit_pulls.png"
    for path in fitted:
        path.write_text("{}")
    Path(ntuple("new.root", eventNumber=np.arange(10, 20, dtype="i4"))).rename(late)
    assert fourlep("run", source, *INLINE, "--output", out, "--resume").status == 0
    assert not [path for path in fitted if path.exists()]


def test_a_resumed_run_that_stays_as_it_was_keeps_its_fit(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    source, out = fileset([ntuple("d.root")]), tmp_path / "out"
    fourlep("run", source, *INLINE, "--output", out)
    (out / "fit.json").write_text('{"fingerprint": ""}')
    assert fourlep("run", source, *INLINE, "--output", out, "--resume").status == 0
    assert (out / "fit.json").exists()


def test_a_disk_that_fills_up_while_figures_are_drawn_says_so(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    source, out = fileset([ntuple("d.root")]), tmp_path / "out"
    fourlep("run", source, *INLINE, "--output", out)
    for suffix in ("png", "pdf"):
        figure = out / "plots" / f"m4l_4l.{suffix}"
        figure.unlink()
        figure.symlink_to("/dev/full")
        answer = fourlep("report", out)
        assert answer.status == 1
        assert "no space left" in answer.err
        assert not figure.is_symlink()


def test_a_run_whose_fit_fails_has_its_report(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    answer = fourlep("run", fileset([ntuple("d.root")]), *INLINE, "--output", out, "--fit")
    assert answer.status == 1
    assert "no signal" in answer.err or "no simulat" in answer.err
    assert {"histograms.root", "report.html"} <= {path.name for path in out.iterdir()}
    assert not (out / "fit.json").exists()
    assert f"fourlep fit {out}" in answer.out
