"""The discriminant: no leakage, signed weights, categories that add up, and a gain."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fourlep.errors import FitError
from fourlep.pipeline.fit import FitOptions, fit
from fourlep.stats.candidates import FEATURES, CandidateTable, read_candidates
from fourlep.stats.categories import CategoryHistograms, categorised
from fourlep.stats.config import FitConfig, FitRegion, fourlepton_config
from fourlep.stats.discriminant import N_FOLDS, train
from fourlep.stats.run_directory import open_histograms, read_run
from unit.stats.conftest import EDGES, write_histograms, write_record

N_SIMULATED = 1000
RATES = {"ggF": 25.0, "ZZ": 40.0}
CONFIG = """
[fit]
mc_statistics = false
[[fit.normalisations]]
name = "norm_ZZ"
processes = ["ZZ"]
uncertainty = 0.1
[[fit.regions]]
name = "4mu"
channel = "4mu"
bin_width = 5.0
"""


def _events(process: str, n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Candidates of one channel; cos_theta_1 separates, everything else is noise."""
    is_signal = process == "ggF"
    columns = {name: rng.normal(size=n) for name in FEATURES}
    columns["cos_theta_1"] = rng.normal(0.8 if is_signal else -0.8, 1.0, n)
    columns["m4l"] = rng.normal(125.0, 2.5, n) if is_signal else rng.uniform(82.0, 248.0, n)
    columns["weight"] = np.where(rng.random(n) < 0.05, -1.0, 1.0)
    return columns


@pytest.fixture(scope="module")
def learning_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one channel whose histograms are made of its candidates."""
    rng = np.random.default_rng(12)
    directory = tmp_path_factory.mktemp("learning")
    tables, contents = [], {}
    for process, rate in {**RATES, "data": 0.0}.items():
        if process == "data":
            parts = [_events(name, rng.poisson(rate), rng) for name, rate in RATES.items()]
            columns = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
            columns["weight"] = np.ones(len(columns["m4l"]))
        else:
            columns = _events(process, N_SIMULATED, rng)
            columns["weight"] *= rate / columns["weight"].sum()
        n = len(columns["m4l"])
        names = {"dataset": f"SYNTHETIC_{process}", "process": process, "channel": "4mu"}
        numbers = {"event": np.arange(n), "entry": np.arange(n)[::-1]}
        tables.append(
            pa.table({**{k: pa.array([v] * n) for k, v in names.items()}, **numbers, **columns})
        )
        values, variances = (
            np.histogram(columns["m4l"], bins=EDGES, weights=columns["weight"] ** power)[0]
            for power in (1, 2)
        )
        folder = "4mu/all/m4l"
        contents[f"{folder}/{process}"] = (values, variances)
        if process != "data":
            for side, factor in (("up", 1.1), ("down", 0.9)):
                contents[f"{folder}/{process}_EFF__1{side}"] = (values * factor, variances)
    pq.write_table(pa.concat_tables(tables), directory / "candidates.parquet")
    write_histograms(directory / "histograms.root", contents)
    write_record(directory, variations=["EFF__1up", "EFF__1down"])
    (directory / "fit.toml").write_text(CONFIG)
    return directory


@pytest.fixture(scope="module")
def table(learning_run: Path) -> CandidateTable:
    return read_candidates(read_run(learning_run), with_data=True)


def test_scores_are_those_of_models_that_have_not_seen_the_event(
    learning_run: Path, table: CandidateTable
) -> None:
    # Labels without any relation to the features: only leakage could tell them apart.
    rng = np.random.default_rng(3)
    simulated = np.flatnonzero(table.process != "data")
    process = table.process.copy()
    process[simulated] = rng.permutation(process[simulated])
    shuffled = replace(table, process=process, m4l=np.full(len(table), 125.0))
    shuffled = replace(shuffled, features=rng.normal(size=table.features.shape))
    found = train(read_run(learning_run), shuffled, low=105.0, high=160.0)
    assert found.area == pytest.approx(0.5, abs=0.06)
    assert found.area_seen > 0.55


def test_signal_and_background_count_the_same_whatever_their_numbers(learning_run: Path) -> None:
    # Nothing separates, and there is ten times less background: no score may prefer signal.
    rng = np.random.default_rng(8)
    process = np.repeat(["ggF", "ZZ"], [4000, 400])
    n = len(process)
    table = CandidateTable(
        process=process,
        channel=np.full(n, "4mu"),
        weight=np.ones(n),
        m4l=np.full(n, 125.0),
        features=rng.normal(size=(n, len(FEATURES))),
        identity=np.arange(n),
    )
    found = train(read_run(learning_run), table, low=105.0, high=160.0)
    assert np.mean(found.scores) == pytest.approx(0.5, abs=0.05)


def test_characteristic_ends_at_nothing_and_everything(
    learning_run: Path, table: CandidateTable
) -> None:
    found = train(read_run(learning_run), table, low=80.0, high=250.0)
    for shares in (found.false_positive, found.true_positive):
        assert shares[0] == 0.0
        assert shares[-1] == pytest.approx(1.0)


def test_discriminant_finds_what_separates(learning_run: Path, table: CandidateTable) -> None:
    found = train(read_run(learning_run), table, low=80.0, high=250.0)
    # two unit Gaussians 1.6 apart: 0.871 at best
    assert 0.82 < found.area < 0.90
    assert next(iter(found.importances)) == "cos_theta_1"
    signal = (table.process == "ggF") & (found.scores >= found.threshold)
    assert table.weight[signal].sum() == pytest.approx(0.5 * RATES["ggF"], rel=0.02)


def test_scores_do_not_depend_on_the_order_of_the_rows(
    learning_run: Path, table: CandidateTable
) -> None:
    order = np.random.default_rng(1).permutation(len(table))
    mixed = CandidateTable(
        *(
            getattr(table, name)[order]
            for name in (
                "process",
                "channel",
                "weight",
                "m4l",
                "features",
                "identity",
            )
        )
    )
    assert np.array_equal(mixed.identity % N_FOLDS, (table.identity % N_FOLDS)[order])


def test_folds_are_equal_in_size(table: CandidateTable) -> None:
    counts = np.bincount(table.identity % N_FOLDS, minlength=N_FOLDS)
    assert np.all(np.abs(counts - len(table) / N_FOLDS) < 5 * np.sqrt(len(table) / N_FOLDS))


def test_blinded_candidates_leave_the_data_out(learning_run: Path) -> None:
    found = read_candidates(read_run(learning_run), with_data=False)
    assert set(found.process) == {"ggF", "ZZ"}


def test_too_little_simulation_is_refused(learning_run: Path, table: CandidateTable) -> None:
    with pytest.raises(FitError, match="too few to learn from"):
        train(read_run(learning_run), table, low=105.0, high=106.0)


def test_run_without_candidates_is_refused(learning_run: Path, tmp_path: Path) -> None:
    run = replace(read_run(learning_run), directory=tmp_path)
    with pytest.raises(FitError, match=r"candidates\.parquet is absent") as caught:
        read_candidates(run, with_data=False)
    assert "--candidates" in caught.value.remedy


def test_candidates_without_a_feature_are_refused(learning_run: Path, tmp_path: Path) -> None:
    content = pq.read_table(learning_run / "candidates.parquet").drop_columns(["phi_1"])
    pq.write_table(content, tmp_path / "candidates.parquet")
    run = replace(read_run(learning_run), directory=tmp_path)
    with pytest.raises(FitError, match="phi_1"):
        read_candidates(run, with_data=False)


def test_categories_add_up_and_take_the_variation_of_the_whole(
    learning_run: Path, table: CandidateTable
) -> None:
    run = read_run(learning_run)
    training = train(run, table, low=80.0, high=250.0)
    with open_histograms(run) as histograms:
        categories = CategoryHistograms(histograms, table, training)
        for name in ("ggF", "ZZ", "data", "ZZ_EFF__1up"):
            parts = [categories.read(f"4mu/all/m4l@{score}", name) for score in ("low", "high")]
            whole = histograms.read("4mu/all/m4l", name)
            assert parts[0].values + parts[1].values == pytest.approx(whole.values, abs=1e-9)
        assert "4mu/all/m4l@high/data" in categories
        assert "4e/all/m4l@high/data" not in categories


def test_candidates_of_another_run_are_refused(learning_run: Path, table: CandidateTable) -> None:
    run = read_run(learning_run)
    training = train(run, table, low=80.0, high=250.0)
    other = replace(table, weight=table.weight * 1.01)
    with open_histograms(run) as histograms:
        categories = CategoryHistograms(histograms, other, training)
        with pytest.raises(FitError, match="do not add up"):
            categories.check("4mu/all/m4l", "ZZ")


def test_every_signal_region_is_divided_and_the_control_region_is_not() -> None:
    names = [region.name for region in categorised(fourlepton_config()).regions]
    assert names == [
        f"{channel}_{score}" for channel in ("4mu", "4e", "2e2mu") for score in ("high", "low")
    ] + ["zz_control"]


def test_region_that_candidates_do_not_describe_is_refused() -> None:
    config = FitConfig((FitRegion("signal", "4e", "signal", low=115.0, high=130.0),))
    with pytest.raises(FitError, match="cannot be divided"):
        categorised(config)


@pytest.mark.usefixtures("reported")
def test_fit_in_categories_gains_significance_and_draws_everything(learning_run: Path) -> None:
    options = FitOptions(config=learning_run / "fit.toml", discriminant=True)
    content = fit(learning_run, options)
    gain = content["discriminant"]
    assert gain["expected_with"] > gain["expected_without"]
    assert gain["area_seen"] >= gain["area"]
    for name in ("roc", "scores", "importances"):
        assert (learning_run / "plots" / f"fit_discriminant_{name}.png").is_file()
