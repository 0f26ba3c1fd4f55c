"""Fits, figures and pages stand in a run directory only beside the sums that they are of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fourlep.datasets.model import Dataset, Fileset, SourceFile
from fourlep.errors import FourlepError
from fourlep.execution.durable import exclusive
from fourlep.execution.ledger import LOCK_NAME
from fourlep.pipeline.directory import FILESET, keep_fileset
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


def test_a_run_that_is_killed_while_it_writes_leaves_no_record_of_other_numbers(
    fourlep: Command,
    ntuple: Writer,
    fileset: Filesets,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out, late = tmp_path / "out", tmp_path / "late.root"
    source = fileset([ntuple("d.root"), str(late)])
    fourlep("run", source, *INLINE, "--output", out, "--allow-missing")
    Path(ntuple("new.root", eventNumber=np.arange(10, 20, dtype="i4"))).rename(late)

    def killed(*_: object) -> None:
        raise FourlepError("killed")

    with monkeypatch.context() as patched:
        patched.setattr("fourlep.pipeline.run.write_record", killed)
        assert fourlep("run", source, *INLINE, "--output", out, "--resume").status == 1
    assert (out / "histograms.root").exists()
    assert "run.json is absent" in fourlep("fit", out).err
    assert fourlep("run", source, *INLINE, "--output", out, "--resume").status == 0


def test_what_a_run_left_that_never_began_is_not_kept(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    fourlep("run", fileset([ntuple("other.root")]), *INLINE, "--output", out)
    for name in ("ledger.sqlite", "run.json"):
        (out / name).unlink()
    (out / "ledger.sqlite").touch()
    lost = str(tmp_path / "lost.root")
    fourlep("run", fileset([ntuple("d.root"), lost]), *INLINE, "--output", out)
    assert lost in fourlep("failed", out).out


def test_a_client_that_is_refused_leaves_the_fileset_of_the_one_at_work(tmp_path: Path) -> None:
    def of(name: str) -> Fileset:
        files = (SourceFile(name),)
        return Fileset("test", (Dataset("d", "data", "data", files),), 10.0, "made up")

    with exclusive(tmp_path / LOCK_NAME):
        keep_fileset(tmp_path, of("second.root"))
        assert not (tmp_path / FILESET).exists()
    keep_fileset(tmp_path, of("first.root"))
    assert "first.root" in (tmp_path / FILESET).read_text()


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
