"""Figures of a fit: drawn for every kind of input, labelled, and nothing overlaps."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from fourlep.plots.fit_mass import Surface, draw_contours
from fourlep.plots.fit_parameters import (
    ImpactBar,
    PullPoint,
    StrengthPoint,
    draw_correlation,
    draw_impacts,
    draw_pulls,
    draw_strengths,
    parameter_title,
)
from fourlep.plots.fit_scan import Curve, draw_scan
from fourlep.plots.style import Caption

CAPTION = Caption(36.6, True, ("fourlepton",))


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    plt.close("all")


def _texts(figure: Figure) -> str:
    figure.canvas.draw()
    words = []
    for axes in figure.axes:
        labels = [*axes.get_xticklabels(), *axes.get_yticklabels(), axes.xaxis.label]
        words += [text.get_text() for text in (*axes.texts, *labels, axes.yaxis.label)]
    return "\n".join(words)


def _surface() -> Surface:
    """A paraboloid around (125, 1) with errors of 0.3 GeV and 0.2."""
    masses, strengths = np.linspace(124.0, 126.0, 41), np.linspace(0.2, 1.8, 41)
    delta = ((masses[:, np.newaxis] - 125.0) / 0.3) ** 2 + ((strengths - 1.0) / 0.2) ** 2
    return Surface("mu", masses, strengths, delta, (125.0, 1.0), 125.0)


def test_every_figure_says_that_it_is_synthetic() -> None:
    figures = [
        draw_pulls([PullPoint("A", 0.2, 0.9)], CAPTION),
        draw_correlation(["A", "B"], np.eye(2), CAPTION),
        draw_impacts([ImpactBar("A", 0.1, -0.1, 0.1, -0.1, 0.2, 0.9)], "mu", CAPTION),
        draw_scan(Curve("mu", "", np.array([0.0, 2.0]), np.ones(2), 1.0, 0.5, 1.5), CAPTION),
        draw_strengths([StrengthPoint("mu_VBF", 1.0, -0.5, 0.6)], CAPTION),
        draw_contours(_surface(), CAPTION),
    ]
    for figure in figures:
        assert "Synthetic" in _texts(figure)


def test_pulls_show_each_parameter_once_from_the_top() -> None:
    figure = draw_pulls([PullPoint(name, 0.0, 1.0) for name in "ABC"], CAPTION)
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["A", "B", "C"]
    bottom, top = axes.get_ylim()
    assert bottom > top


def test_a_far_pull_stays_inside_the_frame() -> None:
    axes = draw_pulls([PullPoint("A", -4.0, 1.0)], CAPTION).axes[0]
    assert axes.get_xlim()[0] < -5.0


def test_correlations_below_one_per_cent_carry_no_number() -> None:
    matrix = np.array([[1.0, 0.004, -0.25], [0.004, 1.0, 0.0], [-0.25, 0.0, 1.0]])
    words = _texts(draw_correlation(["A", "B", "C"], matrix, CAPTION)).split("\n")
    assert words.count("-.25") == 2
    assert words.count("1") == 3
    assert ".00" not in words


def test_impact_of_a_free_parameter_has_neither_pull_nor_outline() -> None:
    bars = [
        ImpactBar("A", 0.1, -0.1, 0.12, -0.12, 0.2, 0.9),
        ImpactBar("free", 0.05, -0.05, None, None, None, None),
    ]
    figure = draw_impacts(bars, "mu", CAPTION)
    points = figure.axes[1].containers[0].lines[0]
    assert points.get_ydata().tolist() == [0]
    assert r"$\Delta$$\mu$" in _texts(figure)


def test_scan_gives_the_result_with_its_errors() -> None:
    values = np.linspace(0.0, 2.0, 9)
    curve = Curve("mu", "", values, (values - 0.9) ** 2 / 0.04, 0.9, 0.71, 1.12)
    assert r"$\mu$ = 0.90$^{+0.22}_{-0.19}$" in _texts(draw_scan(curve, CAPTION))


def test_scan_without_an_interval_gives_the_value_alone() -> None:
    values = np.linspace(0.0, 2.0, 9)
    curve = Curve("mH", "GeV", values, values, 0.0, None, 0.5)
    words = _texts(draw_scan(curve, CAPTION))
    assert "mH [GeV]" in words
    assert "mH = 0" in words


def test_scan_shows_the_points_that_its_curve_goes_through() -> None:
    values = np.linspace(124.0, 126.0, 9)
    points = (values[::2], np.ones(5))
    curve = Curve("$m_H$", "GeV", values, values - 124.0, 125.0, 124.5, 125.5, points)
    markers = [line for line in draw_scan(curve, CAPTION).axes[0].lines if line.get_marker() == "o"]
    assert markers[0].get_xdata().tolist() == values[::2].tolist()


def test_contours_enclose_what_two_parameters_are_allowed() -> None:
    axes = draw_contours(_surface(), CAPTION).axes[0]
    reaches = [c.get_paths()[0].vertices for c in axes.collections]
    # sqrt(2.30) and sqrt(6.18) errors of 0.3 GeV; the strength is on the other axis
    assert [float(np.ptp(v[:, 0]) / 2) for v in reaches] == pytest.approx([0.455, 0.746], abs=0.01)
    assert [float(np.ptp(v[:, 1]) / 2) for v in reaches] == pytest.approx([0.303, 0.497], abs=0.01)
    words = _texts(axes.figure)
    assert "GeV" in words
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "68.3 %",
        "95.4 %",
        "Best fit",
        "Standard Model, 125 GeV",
    ]


def test_strengths_have_their_symbols() -> None:
    assert parameter_title("mu") == r"$\mu$"
    assert parameter_title("mu_VBF") == r"$\mu_\mathrm{VBF}$"
    assert parameter_title("EG_SCALE_ALL") == "EG_SCALE_ALL"


@pytest.mark.parametrize(
    "caption", [CAPTION, Caption(10.0, True, ("demonstrator2020", "fit to the expectation"), True)]
)
def test_caption_and_result_do_not_overlap_and_stay_inside(caption: Caption) -> None:
    values = np.linspace(0.0, 2.0, 9)
    figure = draw_scan(Curve("mu", "", values, values, 1.0, 0.5, 1.5), caption)
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert max(box.x1 for box in boxes) < 1.02 * figure.axes[0].get_window_extent().x1
    for number, first in enumerate(boxes):
        assert not any(first.overlaps(second) for second in boxes[number + 1 :])
