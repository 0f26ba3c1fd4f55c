"""The page is one self-contained document."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from fourlep.plots.plane import Plane, draw_plane
from fourlep.plots.style import Caption, save
from fourlep.report import Fact, FigureBlock, Page, Section, Table, render


def page(**changes: object) -> Page:
    values: dict[str, object] = {
        "title": "H → 4ℓ",
        "subtitle": "fourlepton",
        "is_synthetic": False,
        "warnings": (),
        "sections": (Section("Summary", facts=(Fact("Events", "832"),)),),
        "footer": "fourlep",
    }
    return Page(**{**values, **changes})  # type: ignore[arg-type]  # values by name


def test_nothing_is_fetched_from_elsewhere(tmp_path: Path) -> None:
    png, _ = save(
        draw_plane(Plane(np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.ones((1, 1))), Caption()),
        tmp_path / "plane",
    )
    html = render(page(sections=(Section("Plots", figures=(FigureBlock(png, "The plane"),)),)))
    sources = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert sources
    assert all(source.startswith(("data:", "#")) for source in sources)


def test_text_is_escaped() -> None:
    html = render(page(sections=(Section("S", tables=(Table(("a",), (("<script>",),)),)),)))
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_the_banner_stands_exactly_on_synthetic_pages() -> None:
    assert "Nothing here is ATLAS data" in render(page(is_synthetic=True))
    assert "Nothing here is ATLAS data" not in render(page())


def test_real_data_with_synthetic_simulation_is_called_what_it_is() -> None:
    html = render(page(is_synthetic=True, is_observed=True))
    assert "The data is ATLAS open data" in html
    assert "Nothing here is ATLAS data" not in html
    assert "banner" not in render(page(is_observed=True)).partition("<body>")[2]


def test_warnings_come_before_the_numbers() -> None:
    html = render(page(warnings=("Incomplete: 3 files are missing.",)))
    assert html.index("Incomplete: 3 files") < html.index("832")
