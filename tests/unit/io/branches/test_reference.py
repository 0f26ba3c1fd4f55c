"""The page on input formats says what the tables say."""

from __future__ import annotations

from pathlib import Path

from fourlep.events import COLUMNS
from fourlep.io.branches.reference import render
from fourlep.io.branches.triggers import LEPTON_CHAINS

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "input-formats.md"


def test_the_page_is_rendered_from_the_tables() -> None:
    assert PAGE.read_text(encoding="utf-8").endswith(render()), (
        "run analysis/scripts/render_input_formats.py"
    )


def test_every_column_and_every_chain_is_on_the_page() -> None:
    text = render()
    for name in (*COLUMNS, *LEPTON_CHAINS):
        assert f"`{name}`" in text, name


def test_bars_in_formulas_do_not_end_a_cell() -> None:
    assert r"\|1 / qOverP\| sin(theta)" in render()
