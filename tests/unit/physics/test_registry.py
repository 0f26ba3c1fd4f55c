"""Selections by name, and their configuration."""

import pickle
from pathlib import Path

import pytest

from fourlep.config.toml import read_config, settings
from fourlep.errors import ConfigError
from fourlep.events import COLUMNS
from fourlep.physics.registry import CONFIGS, selection

by_name = pytest.mark.parametrize("name", CONFIGS)


@by_name
def test_a_selection_bears_its_name_title_and_source(name: str) -> None:
    chosen = selection(name)
    assert chosen.name == name
    assert chosen.title
    assert chosen.source


@by_name
def test_a_selection_can_travel_to_a_worker(name: str) -> None:
    chosen = selection(name)
    assert pickle.loads(pickle.dumps(chosen)) == chosen


@by_name
def test_a_selection_reads_columns_that_exist(name: str) -> None:
    chosen = selection(name)
    columns = {*chosen.required, *chosen.optional}
    assert columns <= COLUMNS.keys()
    assert set(chosen.cascade.columns) <= columns
    assert len(columns) == len(chosen.required) + len(chosen.optional)


@by_name
def test_requirements_and_histograms_have_names_of_their_own(name: str) -> None:
    chosen = selection(name)
    for names in (
        [requirement.name for requirement in chosen.requirements],
        [spec.observable for spec in chosen.histograms],
        list(chosen.regions),
        list(chosen.channels),
    ):
        assert len(set(names)) == len(names)
    assert chosen.regions[0] == "all"


@by_name
def test_every_setting_is_documented(name: str) -> None:
    assert all(item.doc and item.default for item in settings(CONFIGS[name], name))


def test_an_unknown_selection_is_an_error_that_lists_the_known() -> None:
    with pytest.raises(ConfigError, match="fourlepton, scipy2024, demonstrator2020"):
        selection("fivelepton")


def test_settings_of_another_selection_are_refused() -> None:
    with pytest.raises(TypeError):
        selection("fourlepton", 5)


def _configured(tmp_path: Path, text: str):
    path = tmp_path / "analysis.toml"
    path.write_text(text)
    return selection("fourlepton", read_config(path, CONFIGS)["fourlepton"])


def test_a_file_changes_a_threshold(tmp_path: Path) -> None:
    chosen = _configured(tmp_path, "[fourlepton.quadruplet]\nm12_min = 40\n")
    assert chosen.config.quadruplet.m12_min == 40.0
    assert chosen.config.quadruplet.m12_max == 106.0


def test_a_file_changes_bins(tmp_path: Path) -> None:
    chosen = _configured(tmp_path, "[fourlepton.histograms.m4l]\nn_bins = 17\n")
    assert chosen.histograms[0].shape == (19,)
    assert chosen.histograms[0].edges[-1] == 250.0


def test_an_unknown_threshold_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"unknown key 'fourlepton\.muon\.pt_mim'"):
        _configured(tmp_path, "[fourlepton.muon]\npt_mim = 6\n")


def test_a_window_without_room_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no m12 is between"):
        _configured(tmp_path, "[fourlepton.quadruplet]\nm12_min = 400\n")


def test_without_settings_thresholds_are_the_published_ones() -> None:
    assert selection("fourlepton") == selection("fourlepton", CONFIGS["fourlepton"]())
