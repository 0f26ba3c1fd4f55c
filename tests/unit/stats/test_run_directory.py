"""Reading a run: what is there, what is missing, what is left unfinished."""

from __future__ import annotations

import random

import pytest

from fourlep.errors import FitError, IncompleteRunError, OutputError
from fourlep.pipeline.outputs import open_histograms as open_run_histograms
from fourlep.stats.run_directory import (
    Variation,
    luminosity_scale,
    open_histograms,
    paired,
    read_run,
)
from unit.stats.conftest import MakeRun


def test_run_says_what_it_is(make_run: MakeRun) -> None:
    run = read_run(make_run())
    assert run.signals == ("ggF", "VBF")
    assert run.backgrounds == ("ZZ", "Zjets")
    assert [variation.name for variation in run.variations] == ["EG_SCALE_ALL", "MUON_EFF"]


def test_processes_of_another_role_stay_out(make_run: MakeRun) -> None:
    processes = {"alternative": {"role": "other"}, "ggF": {"role": "signal"}}
    run = read_run(make_run(processes=processes))
    assert (run.signals, run.backgrounds) == (("ggF",), ())


def test_directory_without_a_run_is_refused(tmp_path) -> None:
    with pytest.raises(FitError, match=r"run\.json is absent"):
        read_run(tmp_path)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"fingerprint": "x"}'])
def test_record_that_no_run_wrote_is_refused(make_run: MakeRun, content: str) -> None:
    directory = make_run()
    (directory / "run.json").write_text(content)
    with pytest.raises(FitError, match="not what a run writes"):
        read_run(directory)


def test_sides_of_a_variation_find_each_other() -> None:
    assert paired(["scaleFactorUP", "scaleFactorDOWN", "A__1down", "A__1up", "B__1up", "C"]) == (
        Variation("scaleFactor", "scaleFactorUP", "scaleFactorDOWN"),
        Variation("A", "A__1up", "A__1down"),
        Variation("B", "B__1up"),
        Variation("C", "C"),
    )


def test_a_downward_side_alone_is_a_variation_of_its_own() -> None:
    assert paired(["A__1down"]) == (Variation("A__1down", "A__1down"),)


def test_complete_run_keeps_its_luminosity(make_run: MakeRun) -> None:
    assert luminosity_scale(read_run(make_run()), None) == (1.0, 36.6)


def test_incomplete_run_is_refused_without_a_luminosity(make_run: MakeRun) -> None:
    missing = [{"url": f"root://origin//{number}.root"} for number in range(5)]
    run = read_run(make_run(complete=False, missing=missing))
    with pytest.raises(IncompleteRunError, match="5 missing") as caught:
        luminosity_scale(run, None)
    assert "--luminosity-ifb" in caught.value.remedy


def test_incomplete_run_is_scaled_to_the_luminosity_given(make_run: MakeRun) -> None:
    run = read_run(make_run(complete=False, missing=[{"url": "x"}]))
    scale, luminosity_ifb = luminosity_scale(run, 18.3)
    assert (scale, luminosity_ifb) == (pytest.approx(0.5), 18.3)


@pytest.mark.parametrize("luminosity_ifb", [0.0, -1.0, float("nan"), float("inf")])
def test_luminosity_that_is_no_positive_number_is_refused(
    make_run: MakeRun, luminosity_ifb: float
) -> None:
    with pytest.raises(FitError, match="has no meaning"):
        luminosity_scale(read_run(make_run()), luminosity_ifb)


def test_simulation_that_is_not_normalised_is_refused(make_run: MakeRun) -> None:
    with pytest.raises(FitError, match="not normalised"):
        luminosity_scale(read_run(make_run(luminosity_ifb=None)), None)


def test_absent_histograms_are_refused(make_run: MakeRun) -> None:
    directory = make_run()
    (directory / "histograms.root").unlink()
    with pytest.raises(FitError, match="cannot be read"), open_histograms(read_run(directory)):
        pass


def test_histograms_that_are_no_root_file_are_refused(make_run: MakeRun) -> None:
    directory = make_run()
    (directory / "histograms.root").write_bytes(b"not a ROOT file at all" * 100)
    with pytest.raises(FitError, match="cannot be read"), open_histograms(read_run(directory)):
        pass


def test_missing_histogram_is_named_with_what_there_is(make_run: MakeRun) -> None:
    with open_histograms(read_run(make_run())) as histograms:
        with pytest.raises(FitError, match="lacks 4e/all/m4l/WZ") as caught:
            histograms.read("4e/all/m4l", "WZ")
        assert "Zjets" in caught.value.remedy
        with pytest.raises(FitError, match="lacks 4e/tail/m4l/ZZ") as caught:
            histograms.read("4e/tail/m4l", "ZZ")
        assert "4l/zz_control/m4l" in caught.value.remedy


def test_histogram_with_nan_is_refused(make_run: MakeRun) -> None:
    def spoil(contents) -> None:
        contents["4e/all/m4l/ZZ"][0][3] = float("nan")

    run = read_run(make_run(change=spoil))
    with open_histograms(run) as histograms, pytest.raises(FitError, match="NaN"):
        histograms.read("4e/all/m4l", "ZZ")


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_damaged_in_the_histograms_is_told(make_run: MakeRun, seed: int) -> None:
    path = make_run() / "histograms.root"
    run, whole, rng = read_run(path.parent), path.read_bytes(), random.Random(seed)
    refused = 0
    for _ in range(40):
        damaged = bytearray(whole)
        for place in rng.sample(range(len(whole)), len(whole) // 400):
            damaged[place] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            with open_histograms(run) as histograms, open_run_histograms(path.parent) as others:
                names = [f"4e/all/m4l/{process}" for process in ("ggF", "ZZ")]
                for name in names:
                    others.spectrum(name)
                    histograms.read(*name.rsplit("/", 1))
        except (FitError, OutputError):
            refused += 1
    assert refused
