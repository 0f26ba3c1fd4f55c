"""What ``fourlep plan`` prints."""

from __future__ import annotations

import json

import pytest

from fourlep.cli import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["plan", *arguments])
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


def test_the_whole_release_is_planned(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "release2024", "--workers", "64", "--bandwidth", "100")
    assert code == 0
    assert "files\t70,611" in out
    assert "<- limit" in out
    assert "55,620 files without a number of events" in err


def test_planned_events_are_those_of_the_release(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "release2024", "--workers", "1", "--bandwidth", "1", "--json")
    assert json.loads(out)["n_events"] == pytest.approx(9_058_437_931, abs=55_620)


def test_a_price_adds_the_cost(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("release2024", "--workers", "1", "--bandwidth", "1", "--price", "2", "--json")
    figures = json.loads(run(capsys, *options)[1])
    assert figures["cost"] == pytest.approx(2 * figures["core_hours"])


@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_impossible_numbers_are_wrong_usage(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, _ = run(capsys, "release2024", "--workers", "1", "--bandwidth", value)
    assert code == 2
