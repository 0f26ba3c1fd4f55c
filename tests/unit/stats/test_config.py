"""Configurations that make no sense are refused; those of the selections are as published."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fourlep.errors import FitError
from fourlep.stats.config import (
    FitConfig,
    FitRegion,
    Normalisation,
    Strength,
    config_for,
    demonstrator_config,
    fourlepton_config,
    mode_configs,
)


def test_demonstrator_is_one_region_of_34_bins_with_zz_at_ten_per_cent() -> None:
    config = demonstrator_config()
    edges = config.regions[0].edges
    assert edges is not None
    assert edges.tolist() == np.linspace(80, 250, 35).tolist()
    assert config.normalisations == (Normalisation("norm_ZZ", ("ZZ",), 0.10),)


def test_default_has_three_channels_and_the_control_region_with_free_zz() -> None:
    config = fourlepton_config()
    assert [region.channel for region in config.signal_regions] == ["4mu", "4e", "2e2mu"]
    assert [region.name for region in config.regions if region.is_control] == ["zz_control"]
    assert next(item for item in config.normalisations if item.name == "norm_ZZ").is_free


def test_each_selection_has_its_configuration() -> None:
    assert config_for("demonstrator2020") == demonstrator_config()
    assert config_for("fourlepton") == fourlepton_config()


def test_no_region_is_refused() -> None:
    with pytest.raises(FitError, match="needs a region and a strength"):
        FitConfig()


def test_a_slash_in_a_name_is_refused() -> None:
    region = FitRegion("low/high", "4e")
    with pytest.raises(FitError, match="region 'low/high' has a slash"):
        FitConfig((region,))
    with pytest.raises(FitError, match="parameter 'mu/b' has a slash"):
        FitConfig((replace(region, name="low"),), strengths=(Strength("mu/b"),))


def test_a_name_given_twice_is_refused() -> None:
    region = FitRegion("a", "4e")
    with pytest.raises(FitError, match="region 'a' is named twice"):
        FitConfig((region, replace(region, channel="4mu")))
    with pytest.raises(FitError, match="parameter 'mu' is named twice"):
        FitConfig((region,), normalisations=(Normalisation("mu"),))


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(FitError, match="130 to 120 is empty"):
        FitConfig((FitRegion("a", low=130.0, high=120.0),))


def test_a_bin_width_that_does_not_divide_the_range_is_refused() -> None:
    with pytest.raises(FitError, match="no multiple of the bin width"):
        FitConfig((FitRegion("a", low=105.0, high=160.0, bin_width=10.0),))


@pytest.mark.parametrize("channel", ["4e", "4l"])
def test_regions_that_can_share_an_event_are_refused(channel: str) -> None:
    first = FitRegion("first", "4e", low=105.0, high=160.0)
    with pytest.raises(FitError, match="can hold the same events"):
        FitConfig((first, FitRegion("second", channel, low=150.0, high=200.0)))


@pytest.mark.parametrize("region", ["all", "signal"])
def test_another_observable_of_the_same_events_is_refused(region: str) -> None:
    masses = FitRegion("masses", "4e", "signal", low=115.0, high=130.0)
    pairs = FitRegion("pairs", "4e", region, "m12", low=50.0, high=106.0)
    with pytest.raises(FitError, match="can hold the same events"):
        FitConfig((masses, pairs))


def test_another_observable_in_another_region_is_taken() -> None:
    pairs = FitRegion("pairs", "4e", "signal", "m12", low=50.0, high=106.0)
    control = FitRegion("control", "4l", "zz_control", low=50.0, high=250.0)
    assert FitConfig((pairs, control)).regions == (pairs, control)


def test_each_mode_gets_a_configuration_with_the_others_at_the_standard_model() -> None:
    signals = ("ggF", "VBF", "WH", "ZH", "ttH")
    found = {config.strengths[0].name: config for config in mode_configs(config_for(""), signals)}
    assert list(found) == ["mu_ggF", "mu_VBF", "mu_VH", "mu_ttH"]
    assert found["mu_VH"].strengths == (Strength("mu_VH", ("WH", "ZH"), -50.0, 200.0),)


def test_a_run_without_separate_modes_has_no_mode_strengths() -> None:
    with pytest.raises(FitError, match="no separate production modes"):
        mode_configs(config_for(""), ("Signal",))
