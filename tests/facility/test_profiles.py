"""Spawn profiles, for both spawners."""

from __future__ import annotations

import pytest

from fourlep.facility.hub import profiles


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
