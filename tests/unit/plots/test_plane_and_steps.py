"""The mass plane, the cutflow and the course of a run."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np

from fourlep.plots.plane import Plane, draw_plane
from fourlep.plots.steps import Steps, draw_steps
from fourlep.plots.style import Caption
from fourlep.plots.timeline import Timeline, draw_timeline

X_EDGES = np.array([50.0, 80.0, 106.0])
Y_EDGES = np.array([12.0, 50.0, 115.0])


def test_data_points_stand_in_the_centres_of_their_bins() -> None:
    data = np.array([[0.0, 0.0], [0.0, 3.0]])
    figure = draw_plane(Plane(X_EDGES, Y_EDGES, np.ones((2, 2)), data=data), Caption())
    points = figure.axes[0].collections[-1].get_offsets()
    assert np.asarray(points).tolist() == [[93.0, 82.5]]
    plt.close(figure)


def test_a_plane_without_signal_and_data_has_no_legend() -> None:
    figure = draw_plane(Plane(X_EDGES, Y_EDGES, np.ones((2, 2))), Caption())
    assert figure.axes[0].get_legend() is None
    plt.close(figure)


def test_every_requirement_is_named_and_negative_sums_are_not_drawn() -> None:
    steps = Steps(("all", "m_min(m4l) < m34"), (("data", (10.0, 2.0)), ("ZZ", (5.0, -0.1))))
    figure = draw_steps(steps, Caption())
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["all", "m_min(m4l) < m34"]
    drawn = axes.lines[1].get_xdata()
    assert drawn[0] == 5.0
    assert np.isnan(drawn[1])
    plt.close(figure)


def test_the_timeline_shows_files_and_megabytes_from_the_start() -> None:
    timeline = Timeline(np.array([1.0, 3.0]), np.array([2.0, 9.0]), np.array([1e6, 5e6]))
    figure = draw_timeline(timeline, Caption(is_synthetic=True))
    above, below = figure.axes
    assert above.lines[0].get_ydata().tolist() == [2.0, 9.0]
    assert below.lines[0].get_ydata().tolist() == [1.0, 5.0]
    assert below.get_xlim()[0] == 0.0
    assert "Synthetic" in above.get_title(loc="left")
    plt.close(figure)
