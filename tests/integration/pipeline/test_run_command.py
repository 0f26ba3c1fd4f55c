"""``fourlep run`` from fileset to run directory, and everything that can be wrong with it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import uproot
from awkward import from_regular

from integration.pipeline.conftest import Answer, Command, Writer

Filesets = Callable[..., Path]
INLINE = ("--selection", "demonstrator2020", "--cluster", "inline")


def _copy_of(copy: Path, original: Path) -> None:
    shutil.copy(original, copy)


def made(directory: Path) -> set[str]:
    """Names of the results in a directory that somebody could take for a finished run."""
    results = {"histograms.root", "report.html", "fit.json"}
    return results & {p.name for p in directory.iterdir()} if directory.is_dir() else set()


def test_a_run_writes_everything(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    source = fileset([ntuple("data_a.root")], [ntuple("zz.root", 40, is_data=False)])
    out = tmp_path / "out"
    answer = fourlep("run", source, *INLINE, "--output", out, "--luminosity-ifb", 10)
    assert answer.status == 0, answer.err
    assert "50 events in 2 files, 50 selected" in answer.out
    written = {path.name for path in out.iterdir()}
    assert {"histograms.root", "cutflow.json", "run.json", "report.html", "plots"} <= written
    with uproot.open(out / "histograms.root") as file:
        assert file["4l/all/m4l/data"].values().sum() == 10
        # 1 pb x 10/fb over a sum of weights of 20,000 is half an event a weight; each weighs 2.
        assert file["2e2mu/all/m4l/ZZ"].values().sum() == pytest.approx(40)
        assert file["2e2mu/all/m4l/ZZ"].variances().sum() == pytest.approx(40)
        assert file["4l/all/m4l/ZZ_scaleFactorUP"].values().sum() == pytest.approx(44)
    record = json.loads((out / "run.json").read_bytes())
    assert record["complete"]
    assert [f["n_events"] for f in record["files"]] == [10, 40]
    assert all(f["read_bytes"] > 0 for f in record["files"])
    flow = json.loads((out / "cutflow.json").read_bytes())
    assert flow["data"][0]["raw"]["total"] == 10
    # All generated events of the dataset are expected in the first row: 1 pb x 10/fb.
    assert flow["ZZ"][0]["expected"]["total"] == pytest.approx(1e4)
    assert flow["ZZ"][-1]["expected"]["2e2mu"] == pytest.approx(40)


def test_the_report_can_be_made_again(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert fourlep("run", fileset([ntuple("d.root")]), *INLINE, "--output", out).status == 0
    (out / "report.html").unlink()
    assert fourlep("report", out).status == 0
    assert (out / "report.html").is_file()


def test_observed_data_stays_hidden_until_unblinded(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    source, out = fileset([ntuple("d.root")]), tmp_path / "out"
    fourlep("run", source, *INLINE, "--output", out)
    blind = (out / "report.html").read_text()
    fourlep("report", out, "--unblind")
    assert "hidden until --unblind" in blind
    assert "hidden until --unblind" not in (out / "report.html").read_text()


def test_file_order_does_not_change_a_bit(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    weights = np.random.default_rng(3).normal(size=30).astype("f4")
    names = [
        ntuple(f"zz{i}.root", 10, is_data=False, mcWeight=weights[10 * i : 10 * i + 10])
        for i in range(3)
    ]
    found = []
    for number, order in enumerate([(0, 1, 2), (2, 0, 1)]):
        source = fileset([ntuple("d.root")], [names[i] for i in order])
        out = tmp_path / f"out{number}"
        assert fourlep("run", source, *INLINE, "--output", out).status == 0
        with uproot.open(out / "histograms.root") as file:
            found.append(file["4l/all/m4l/ZZ"].values().tobytes())
    assert found[0] == found[1]


def test_a_finished_run_is_not_begun_again_but_can_be_resumed(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    command = ("run", fileset([ntuple("d.root")]), *INLINE, "--output", tmp_path / "out")
    assert fourlep(*command).status == 0
    again = fourlep(*command)
    assert again.status == 1
    assert "--resume" in again.err
    assert fourlep(*command, "--resume").status == 0


def test_a_directory_of_another_configuration_is_refused_and_left_alone(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    source, out = fileset([ntuple("d.root")]), tmp_path / "out"
    fourlep("run", source, *INLINE, "--output", out)
    before = (out / "run.json").read_bytes()
    config = tmp_path / "other.toml"
    config.write_text("[demonstrator2020.m4l]\nhigh = 300.0\n")
    answer = fourlep("run", source, *INLINE, "--output", out, "--resume", "--config", config)
    assert answer.status == 1
    assert "another configuration" in answer.err
    assert (out / "run.json").read_bytes() == before


def test_a_directory_with_something_else_in_it_is_refused(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    out = tmp_path / "mine"
    out.mkdir()
    (out / "thesis.tex").write_text("precious")
    answer = fourlep("run", fileset([ntuple("d.root")]), *INLINE, "--output", out)
    assert answer.status == 1
    assert "is not empty and holds no run of fourlep" in answer.err
    assert [path.name for path in out.iterdir()] == ["thesis.tex"]


def test_an_output_directory_that_cannot_be_made(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    answer = fourlep(
        "run", fileset([ntuple("d.root")]), *INLINE, "--output", tmp_path / "file" / "out"
    )
    assert answer.status == 1
    assert "cannot write" in answer.err


def _with_nan(ntuple: Writer) -> str:
    pt = np.full((5, 4), 3e4, "f4")
    pt[2, 1] = np.nan
    return ntuple("nan.root", 5, lep_pt=from_regular(pt))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda w, d: str(d / "absent.root"), "no such file"),
        (lambda w, d: _text(d), "not a ROOT file"),
        (lambda w, d: _cut(w("cut.root")), "cut short"),
        (lambda w, d: w("column.root", lep_pt=None), "lep_pt"),
        (lambda w, d: _with_nan(w), "electron.pt of entry 2 is NaN"),
    ],
    ids=["missing", "no ROOT file", "truncated", "column", "NaN"],
)
def test_a_bad_file_is_named_and_nothing_is_normalised(
    fourlep: Command,
    ntuple: Writer,
    fileset: Filesets,
    tmp_path: Path,
    spoil: Callable[[Writer, Path], str],
    message: str,
) -> None:
    bad, out = spoil(ntuple, tmp_path), tmp_path / "out"
    source = fileset([ntuple("good.root"), bad])
    answer: Answer = fourlep("run", source, *INLINE, "--output", out)
    assert answer.status == 1
    assert "1 of 2 files missing" in answer.err
    record = json.loads((out / "run.json").read_bytes())
    assert not record["complete"]
    assert [entry["url"] for entry in record["missing"]] == [bad]
    assert message in record["missing"][0]["message"]
    assert made(out) == {"report.html"}
    assert "This run is incomplete" in (out / "report.html").read_text()


def _text(directory: Path) -> str:
    path = directory / "text.root"
    path.write_text("no ROOT file at all" * 100)
    return str(path)


def _cut(name: str) -> str:
    path = Path(name)
    path.write_bytes(path.read_bytes()[:-200])
    return name


def test_missing_files_can_be_allowed_and_are_accounted_for(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    source = fileset(
        [ntuple("d0.root"), str(tmp_path / "absent.root")],
        [ntuple("zz.root", 40, is_data=False)],
    )
    out = tmp_path / "out"
    answer = fourlep(
        "run", source, *INLINE, "--output", out, "--allow-missing", "--luminosity-ifb", 10
    )
    assert answer.status == 0, answer.err
    record = json.loads((out / "run.json").read_bytes())
    assert record["luminosity_ifb"] == pytest.approx(5.0)
    assert not record["complete"]
    with uproot.open(out / "histograms.root") as file:
        assert file["4l/all/m4l/ZZ"].values().sum() == pytest.approx(20)


def test_a_file_of_too_few_events_does_not_pass_by_way_of_the_failed_ones(
    fourlep: Command, ntuple: Writer, tmp_path: Path
) -> None:
    source, again, out = tmp_path / "f.json", tmp_path / "again.json", tmp_path / "out"
    spec = {"object_path": "mini", "num_entries": 11}
    periods = {"files": {ntuple("d.root"): spec}, "metadata": {"process": "data"}}
    source.write_text(json.dumps({"periods": periods}))
    assert fourlep("run", source, *INLINE, "--output", out).status == 1
    again.write_text(fourlep("failed", out).out)
    answer = fourlep("run", again, *INLINE, "--output", tmp_path / "again")
    assert answer.status == 1
    assert "10 entries where the catalogue has 11" in answer.err


def test_what_some_files_lack_is_told_with_their_number(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    out, numbers = tmp_path / "out", np.arange(10, 20, dtype="i4")
    names = [ntuple("a.root"), ntuple("b.root", eventNumber=numbers, trigE=None, trigM=None)]
    fourlep("run", fileset(names), "--cluster", "inline", "--output", out)
    left_out = json.loads((out / "run.json").read_bytes())["left_out"]
    assert left_out["trigger"].startswith("1 of 2 files: ")
    assert "of 2 files" not in left_out["good_runs"]


def test_an_empty_tree_counts_zero_events(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    source = fileset([ntuple("d.root"), ntuple("empty.root", 0)])
    assert fourlep("run", source, *INLINE, "--output", out).status == 0
    record = json.loads((out / "run.json").read_bytes())
    assert sorted(f["n_events"] for f in record["files"]) == [0, 10]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["periods"]["metadata"].update(color="red"), "color"),
        (lambda c: c["zz"]["metadata"].pop("sumw"), "sumw"),
        (lambda c: c["zz"]["metadata"].pop("xsec"), "xsec"),
        (lambda c: c["zz"]["files"].update(c["periods"]["files"]), "d.root"),
        (lambda c: c.update(more={"files": {}}), "more"),
    ],
    ids=["unknown key", "no weights", "no cross-section", "duplicate file", "no metadata"],
)
def test_a_wrong_fileset_is_refused_before_anything_is_made(
    fourlep: Command,
    ntuple: Writer,
    fileset: Filesets,
    tmp_path: Path,
    change: Callable[[dict[str, dict[str, dict[str, str]]]], None],
    message: str,
) -> None:
    source = fileset([ntuple("d.root")], [ntuple("zz.root", is_data=False)])
    content = json.loads(source.read_text())
    change(content)
    source.write_text(json.dumps(content))
    answer = fourlep("run", source, *INLINE, "--output", tmp_path / "out")
    assert answer.status in {1, 2}
    assert message in answer.err
    assert "->" in answer.err  # what to do
    assert not (tmp_path / "out").exists()


def test_a_wrong_tree_is_named_with_those_that_are_there(
    fourlep: Command, ntuple: Writer, tmp_path: Path
) -> None:
    source = tmp_path / "fileset.json"
    files = {ntuple("d.root"): "CollectionTree"}
    source.write_text(json.dumps({"d": {"files": files, "metadata": {"process": "data"}}}))
    out = tmp_path / "out"
    assert fourlep("run", source, *INLINE, "--output", out).status == 1
    message = json.loads((out / "run.json").read_bytes())["missing"][0]["message"]
    assert "CollectionTree" in message
    assert "mini" in message


def test_an_unknown_setting_names_file_key_and_choice(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    config = tmp_path / "c.toml"
    config.write_text("[fourlepton.electron]\npt_mn = 5.0\n")
    answer = fourlep(
        "run", fileset([ntuple("d.root")]), "--output", tmp_path / "out", "--config", config
    )
    assert answer.status == 2
    assert "c.toml" in answer.err
    assert "pt_mn" in answer.err
    assert "pt_min" in answer.err
    assert not (tmp_path / "out").exists()


def test_an_origin_that_does_not_answer_is_named_within_seconds(
    fourlep: Command, tmp_path: Path
) -> None:
    source = tmp_path / "f.json"
    url = "root://127.0.0.1:1//store/a.root"
    source.write_text(json.dumps({"d": {"files": {url: "mini"}, "metadata": {"process": "data"}}}))
    answer = fourlep("run", source, *INLINE, "--output", tmp_path / "out")
    assert answer.status == 1
    assert "127.0.0.1:1" in answer.err
    assert "cannot be reached" in answer.err
    assert not (tmp_path / "out").exists()


def test_events_selected_twice_are_reported(
    fourlep: Command, ntuple: Writer, fileset: Filesets, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    source = fileset([ntuple("a.root", 3), ntuple("b.root", 5)])
    answer = fourlep("run", source, *INLINE, "--output", out)
    assert answer.status == 0
    assert "warning: 3 events of the data were selected more than once" in answer.err
    record = json.loads((out / "run.json").read_bytes())
    assert record["duplicates"] == [[300000, 0], [300000, 1], [300000, 2]]
    assert "selected more than once" in (out / "report.html").read_text()


@pytest.mark.parametrize(("sum_of_weights", "is_told"), [(8.0, True), (20.0, False)])
def test_events_that_weigh_more_than_all_of_their_dataset_are_told(
    fourlep: Command,
    ntuple: Writer,
    fileset: Filesets,
    tmp_path: Path,
    sum_of_weights: float,
    is_told: bool,
) -> None:
    """Ten events of weight 2: a sumw of 8 makes too much of them."""
    simulated = [ntuple("zz.root", 10, is_data=False)]
    source, out = fileset([ntuple("d.root")], simulated, sumw=sum_of_weights), tmp_path / "out"
    answer = fourlep("run", source, *INLINE, "--output", out)
    assert answer.status == 0, answer.err
    told = "weigh more than the fileset's sum of weights of all: zz (2.5 times)"
    assert (told in answer.err) is is_told
    assert ("zz (2.5 times)" in (out / "report.html").read_text()) is is_told
    record = json.loads((out / "run.json").read_bytes())
    assert record["overweight"] == ({"zz": 2.5} if is_told else {})


@pytest.mark.parametrize("put", [Path.symlink_to, Path.hardlink_to, _copy_of])
def test_a_simulated_file_under_two_names_is_told(
    fourlep: Command,
    ntuple: Writer,
    fileset: Filesets,
    tmp_path: Path,
    put: Callable[[Path, Path], None],
) -> None:
    first, second, out = Path(ntuple("zz.root", is_data=False)), tmp_path / "b.root", tmp_path / "o"
    put(second, first)
    source = fileset([ntuple("d.root")], [str(first), str(second)])
    answer = fourlep("run", source, *INLINE, "--output", out)
    assert answer.status == 0
    assert f"One file counts under several names: {second} and {first}" in answer.err
    assert "One file counts under several names" in (out / "report.html").read_text()
    record = json.loads((out / "run.json").read_bytes())
    assert record["same_files"] == [[str(second), str(first)]]


def test_who_interrupts_a_run_is_told_how_to_go_on(
    fourlep: Command,
    ntuple: Writer,
    fileset: Filesets,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fourlep.pipeline.run.execute", interrupt)
    answer = fourlep("run", fileset([ntuple("d.root")]), *INLINE, "--output", tmp_path / "out")
    assert answer.status == 130
    assert "--resume goes on" in answer.err


def test_a_batch_system_that_ends_a_run_is_told_how_to_go_on(
    fourlep: Command,
    ntuple: Writer,
    fileset: Filesets,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def end(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("fourlep.pipeline.run.execute", end)
    answer = fourlep("run", fileset([ntuple("d.root")]), *INLINE, "--output", tmp_path / "out")
    assert answer.status == 130
    assert "--resume goes on" in answer.err
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize(
    "arguments", [("run",), ("run", "x", "--output"), ("nonsense",), ("run", "x", "--color")]
)
def test_wrong_usage_exits_with_2(fourlep: Command, arguments: tuple[str, ...]) -> None:
    assert fourlep(*arguments).status == 2


def test_real_files_of_the_2020_release_are_accounted_for(
    fourlep: Command, shared_data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    answer = fourlep(
        "run", "demo2020", "--data-dir", shared_data / "ntuple2020", "--process", "data",
        *INLINE, "--output", out,
    )  # fmt: skip
    assert answer.status == 0, answer.err
    flow = json.loads((out / "cutflow.json").read_bytes())["data"]
    assert flow[0]["raw"]["total"] == 832
    with uproot.open(out / "histograms.root") as file:
        assert file["4l/all/m4l/data"].values(flow=True).sum() == flow[-1]["raw"]["total"]
