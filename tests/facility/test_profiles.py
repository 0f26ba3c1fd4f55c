"""Spawn profiles, for both spawners."""

from __future__ import annotations

from pathlib import Path

import pytest

from fourlep.facility.gpus import GpuNodes
from fourlep.facility.hub import profiles

REPOSITORY = Path(__file__).resolve().parents[2]


def test_only_profiles_that_fit_are_offered() -> None:
    assert [profile.slug for profile in profiles.offered(2)] == ["small", "medium"]


def test_the_smallest_profile_is_offered_on_any_machine() -> None:
    assert [profile.slug for profile in profiles.offered(0)] == ["small"]


def test_both_spawners_offer_the_same_choices() -> None:
    offered = profiles.offered(8)
    form = profiles.html_form(offered)
    for entry in profiles.kubernetes_list(offered):
        assert f'value="{entry["slug"]}"' in form
    assert form.count(" checked") == 1


def test_remarks_can_be_read_in_dark_mode_too() -> None:
    # Bootstrap's text-secondary is one grey for both.
    assert "text-body-secondary" in profiles.html_form(profiles.offered(8))
    for template in (REPOSITORY / "images" / "hub" / "templates").glob("*.html"):
        assert "text-secondary" not in template.read_text()


def test_kubernetes_enforces_what_the_profile_says() -> None:
    override = profiles.kubernetes_list(profiles.offered(8))[1]["kubespawner_override"]
    assert override["cpu_limit"] == 2
    assert override["mem_limit"] == "8G"
    assert override["environment"]["NUMBA_NUM_THREADS"] == "2"


def test_a_profile_that_is_not_offered_is_refused() -> None:
    with pytest.raises(ValueError, match="choose one of small"):
        profiles.chosen({"profile": ["large"]}, profiles.offered(1))


def test_no_choice_is_the_first_profile() -> None:
    assert profiles.chosen({}, profiles.offered(2)) == {"profile": "small"}


def test_a_profile_with_a_gpu_is_offered_where_there_are_some() -> None:
    nodes = GpuNodes("amd.com/gpu", {"accelerator": "amd"}, taint="gpu")
    *others, last = profiles.kubernetes_list(profiles.offered(2), nodes)
    override = last["kubespawner_override"]
    assert last["slug"] == "gpu"
    assert override["extra_resource_limits"] == {"amd.com/gpu": "1"}
    assert override["node_selector"] == {"accelerator": "amd"}
    assert override["tolerations"][0]["key"] == "gpu"
    assert not any("node_selector" in each["kubespawner_override"] for each in others)
    assert [each["default"] for each in (*others, last)] == [True, False, False]
