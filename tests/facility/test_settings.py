"""Settings from the environment and from secret files."""

from __future__ import annotations

from pathlib import Path

import pytest

from fourlep.config import settings
from fourlep.errors import ConfigError


def test_a_setting_without_default_must_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FOURLEP_X", raising=False)
    with pytest.raises(ConfigError, match="FOURLEP_X is not set"):
        settings.text("FOURLEP_X")


def test_an_empty_setting_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOURLEP_X", "")
    assert settings.text("FOURLEP_X", "default") == "default"


@pytest.mark.parametrize("value", ["many", "-1", "inf", "nan"])
def test_a_number_must_be_finite_and_not_negative(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("FOURLEP_X", value)
    with pytest.raises(ConfigError, match="FOURLEP_X"):
        settings.number("FOURLEP_X", 1)


def test_a_choice_names_what_may_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOURLEP_X", "swarm")
    with pytest.raises(ConfigError, match="choose one of local, kubernetes"):
        settings.one_of("FOURLEP_X", ("local", "kubernetes"))


def test_pairs_keep_their_order_and_refuse_what_is_no_pair(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FOURLEP_X", "Hub=http://a, Cache=http://b?x=1")
    assert list(settings.pairs("FOURLEP_X").items()) == [
        ("Hub", "http://a"),
        ("Cache", "http://b?x=1"),
    ]
    monkeypatch.setenv("FOURLEP_X", "Hub")
    with pytest.raises(ConfigError, match="'Hub' is no TITLE=VALUE"):
        settings.pairs("FOURLEP_X")


def test_a_missing_secret_says_which_and_how_to_make_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FOURLEP_SECRETS", str(tmp_path))
    with pytest.raises(ConfigError, match="proxy-token is missing or empty"):
        settings.secret("proxy-token")
    assert settings.secret("proxy-token", required=False) == ""
    (tmp_path / "proxy-token").write_text("abc\n")
    assert settings.secret("proxy-token") == "abc"
