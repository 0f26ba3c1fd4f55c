"""Tables on terminals of several widths."""

from __future__ import annotations

import sys

import click
import pytest

from fourlep.cli.table import print_table

_NUMBER = "123,456,789.25"


def _printed(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    row = ("345060.PowhegPythia8EvtGen", "signal", _NUMBER, _NUMBER)
    print_table("Datasets", ("dataset", "role", "events", "expected"), [row], numbers=2)
    return click.unstyle(capsys.readouterr().out).splitlines()


@pytest.mark.parametrize("width", [20, 40, 50, 60, 70, 100])
def test_a_number_stands_whole_on_one_line(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = _printed(width, monkeypatch, capsys)
    assert sum(line.count(_NUMBER) for line in lines) == 2


@pytest.mark.parametrize("width", [60, 70, 100])
def test_a_table_is_as_wide_as_the_terminal_at_most(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert max(map(len, _printed(width, monkeypatch, capsys))) <= width


def test_rows_stand_apart_where_there_is_no_room_for_a_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _printed(50, monkeypatch, capsys) == [
        "Datasets",
        "",
        "345060.PowhegPythia8EvtGen",
        "  role: signal",
        f"  events: {_NUMBER}",
        f"  expected: {_NUMBER}",
    ]
