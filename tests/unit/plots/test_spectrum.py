"""The discovery figure shows what it is given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from scipy.stats import poisson

from fourlep.plots.spectrum import Contribution, Spectrum, draw_spectrum, poisson_interval
from fourlep.plots.style import Caption, process_colours, process_title, save

EDGES = np.array([80.0, 90.0, 100.0])


def spectrum(data: np.ndarray | None = None) -> Spectrum:
    return Spectrum(
        edges=EDGES,
        label="$m_{4\\ell}$",
        unit="GeV",
        contributions=(
            Contribution("ggF", np.array([1.0, 2.0]), np.array([0.01, 0.04]), is_signal=True),
            Contribution("ZZ", np.array([4.0, -0.5]), np.array([0.09, 0.05])),
        ),
        data=data,
        systematic_variances=np.array([0.15, 0.0]),
    )


@pytest.mark.parametrize(
    ("is_synthetic", "is_observed", "source"),
    [
        (True, False, ["Synthetic, not ATLAS data"]),
        (True, True, ["ATLAS Open Data", "Synthetic simulation"]),
        (False, True, ["ATLAS Open Data"]),
        (False, False, ["ATLAS Open Data"]),
    ],
)
def test_caption_says_what_is_synthetic(
    *, is_synthetic: bool, is_observed: bool, source: list[str]
) -> None:
    caption = Caption(10.0, is_synthetic, is_observed=is_observed)
    assert list(caption.lines[:-1]) == source


def test_total_and_uncertainty_add_the_contributions() -> None:
    assert spectrum().total.tolist() == [5.0, 1.5]
    assert spectrum().uncertainty == pytest.approx([0.5, 0.3])


def test_a_band_without_systematic_uncertainties_says_so() -> None:
    for shown, label in (
        (spectrum(), "Uncertainty"),
        (replace(spectrum(), systematic_variances=None), "Stat. uncertainty"),
    ):
        figure = draw_spectrum(shown, Caption())
        legend = figure.axes[0].get_legend()
        assert legend is not None
        assert label in [text.get_text() for text in legend.get_texts()]
        plt.close(figure)


def test_poisson_interval_has_its_tails() -> None:
    lower, upper = poisson_interval(np.array([0.0, 4.0, 25.0]))
    tail = 0.15865525393145707
    assert lower[0] == 0.0
    assert poisson.cdf(4, upper[1]) == pytest.approx(tail)
    assert poisson.sf(3, lower[1]) == pytest.approx(tail)
    assert poisson.cdf(25, upper[2]) == pytest.approx(tail)


def test_the_ratio_panel_is_there_exactly_with_data() -> None:
    with_data = draw_spectrum(spectrum(np.array([5.0, 0.0])), Caption())
    without = draw_spectrum(spectrum(), Caption())
    assert (len(with_data.axes), len(without.axes)) == (2, 1)
    plt.close(with_data)
    plt.close(without)


def test_blinded_bins_show_no_data() -> None:
    blinded = Spectrum(EDGES, "$m$", "GeV", (), np.array([3.0, 99.0]), hidden=(95.0, 97.0))
    figure = draw_spectrum(blinded, Caption())
    points = figure.axes[0].containers[-1].lines[0].get_xdata()
    assert points.tolist() == [85.0]
    assert figure.axes[0].get_ylim()[1] < 50.0
    plt.close(figure)


def test_an_empty_spectrum_is_drawn() -> None:
    figure = draw_spectrum(Spectrum(EDGES, "$m$", "GeV", (), np.zeros(2)), Caption())
    assert figure.axes[0].get_ylim()[1] > 0
    plt.close(figure)


def test_synthetic_figures_say_so() -> None:
    figure = draw_spectrum(spectrum(), Caption(36.6, is_synthetic=True))
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "Synthetic, not ATLAS data" in texts
    assert "ATLAS Open Data" not in texts
    plt.close(figure)


def test_saving_writes_png_and_pdf_and_closes(tmp_path: Path) -> None:
    figure = draw_spectrum(spectrum(), Caption())
    written = save(figure, tmp_path / "new" / "m4l")
    assert [path.name for path in written] == ["m4l.png", "m4l.pdf"]
    assert all(path.stat().st_size > 1000 for path in written)
    assert not plt.fignum_exists(figure.number)


def test_processes_have_colours_of_their_own() -> None:
    names = ["ggF", "VBF", "WH", "ZH", "ttH", "ZZ", "Zjets", "ttbar", "ttV", "VVV", "mine", "yours"]
    assert len(set(process_colours(names).values())) == len(names)


def test_a_process_of_ones_own_keeps_its_colour_whatever_the_order() -> None:
    names = ["yours", "ZZ", "mine"]
    assert process_colours(names) == process_colours(sorted(names))


@pytest.mark.parametrize("name", ["one", "two", "three", "four"])
def test_no_further_colour_can_be_taken_for_one_of_a_process(name: str) -> None:
    known = ["ggF", "VBF", "WH", "ZH", "ttH", "ZZ", "Zjets", "ttbar", "ttV", "VVV"]
    others = ["one", "two", "three", "four"]
    colours = {
        key: np.array(to_rgb(value)) for key, value in process_colours(known + others).items()
    }
    mine = colours.pop(name)
    assert min(np.linalg.norm(mine - other) for other in colours.values()) > 0.25


@pytest.mark.parametrize(
    ("name", "title"),
    [("ZZ", r"$ZZ^*$"), ("mine", "mine"), (r"$H^0$", r"$H^0$"), (r"$\foo$", r"\$\foo\$")],
)
def test_a_process_that_reads_as_no_formula_is_titled_as_it_is_named(name: str, title: str) -> None:
    assert process_title(name) == title
