"""From weights to expected events, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from fourlep.chunk.model import ChunkResult
from fourlep.datasets.model import Dataset, Fileset, Normalisation, SourceFile
from fourlep.errors import DatasetError, IncompleteRunError
from fourlep.physics.histograms import ExactHistogram, Fill, HistogramSpec
from fourlep.physics.specs import PlaneSpec, Spec
from fourlep.pipeline.normalise import cover, scales, templates

SPEC = HistogramSpec("m4l", 2, 80.0, 100.0, "m", "GeV")
#: 0.5 pb x 0.1 x 2 over 200 weights: 5 events per weight at 10/fb.
NORMALISATION = Normalisation(0.5, 0.1, 2.0, 200.0)


def dataset(name: str, process: str, n_files: int = 2, **more: object) -> Dataset:
    files = tuple(SourceFile(f"{name}-{i}.root", n_events=100 * (i + 1)) for i in range(n_files))
    role = "data" if process == "data" else "background"
    normalisation = None if process == "data" else NORMALISATION
    values: dict[str, object] = {"normalisation": normalisation, **more}
    return Dataset(name, process, role, files, **values)  # type: ignore[arg-type]  # by name


def fileset(*datasets: Dataset) -> Fileset:
    return Fileset("test", datasets, luminosity_ifb=10.0, luminosity_source="made up")


def held(*names: str) -> frozenset[str]:
    return frozenset(names)


def histogram(weights: list[float], variations: tuple[str, ...] = ("nominal",)) -> ExactHistogram:
    n = len(weights)
    fill = Fill(
        variations,
        np.zeros(n, dtype=np.int64),
        np.ones((n, 1), dtype=np.bool_),
        SPEC.find(np.full(n, 85.0)),
        np.stack([np.array(weights) * (1 + k) for k in range(len(variations))]),
    )
    return ExactHistogram.filled(SPEC, ("4e",), ("all",), [fill])


def test_a_complete_run_scales_by_cross_section_and_luminosity() -> None:
    both = fileset(dataset("zz", "ZZ"), dataset("d", "data"))
    found = scales(
        both, held("zz-0.root", "zz-1.root", "d-0.root", "d-1.root"), allow_missing=False
    )
    assert found.factors == pytest.approx({"zz": 5.0, "d": 1.0})
    assert found.luminosity_ifb == 10.0
    assert found.missing == ()


def test_yields_scale_with_luminosity() -> None:
    zz = dataset("zz", "ZZ")
    keys = held("zz-0.root", "zz-1.root")
    once = scales(fileset(zz), keys, allow_missing=False).factors["zz"]
    more = Fileset("test", (zz,), luminosity_ifb=30.0, luminosity_source="")
    assert scales(more, keys, allow_missing=False).factors["zz"] == pytest.approx(3 * once)


def test_an_incomplete_run_is_refused_and_says_what_is_missing() -> None:
    with pytest.raises(IncompleteRunError, match=r"zz: 1 of 2 files missing \(66\.67%\)"):
        scales(fileset(dataset("zz", "ZZ")), held("zz-0.root"), allow_missing=False)


def test_allowed_missing_simulation_is_scaled_up_by_its_share_of_events() -> None:
    found = scales(fileset(dataset("zz", "ZZ")), held("zz-0.root"), allow_missing=True)
    assert found.factors["zz"] == pytest.approx(5.0 * 3)
    assert found.luminosity_ifb == 10.0


def test_allowed_missing_data_lowers_the_luminosity() -> None:
    both = fileset(dataset("zz", "ZZ"), dataset("d", "data"))
    found = scales(both, held("zz-0.root", "zz-1.root", "d-1.root"), allow_missing=True)
    assert found.luminosity_ifb == pytest.approx(10.0 * 2 / 3)
    assert found.factors["zz"] == pytest.approx(5.0 * 2 / 3)


@pytest.mark.parametrize("name", ["zz", "d"])
def test_a_dataset_of_which_nothing_is_there_is_refused_even_if_missing_is_allowed(
    name: str,
) -> None:
    both = fileset(dataset("zz", "ZZ"), dataset("d", "data"))
    there = {"zz-0.root", "zz-1.root", "d-0.root", "d-1.root"}
    keys = frozenset(key for key in there if not key.startswith(f"{name}-"))
    with pytest.raises(IncompleteRunError):
        scales(both, keys, allow_missing=True)


def test_simulation_without_weights_is_an_error() -> None:
    bare = fileset(dataset("zz", "ZZ", normalisation=None))
    with pytest.raises(DatasetError, match="no normalisation"):
        scales(bare, held("zz-0.root", "zz-1.root"), allow_missing=False)


def test_share_counts_files_where_events_are_unknown() -> None:
    unknown = Dataset("d", "data", "data", (SourceFile("a"), SourceFile("b")))
    assert cover(unknown, held("a")).share == 0.5


def test_templates_sum_datasets_with_signed_weights() -> None:
    result = ChunkResult(
        histograms={
            ("a", "m4l"): histogram([1.0, -0.25]),
            ("b", "m4l"): histogram([2.0]),
        }
    )
    both = fileset(dataset("a", "ZZ"), dataset("b", "ZZ"))
    found = {t.path: t for t in templates(result, both, {"a": 2.0, "b": 10.0})}
    assert set(found) == {"4e/all/m4l/ZZ", "4l/all/m4l/ZZ"}
    total = found["4l/all/m4l/ZZ"]
    assert total.values.tolist() == [0.0, 2 * 0.75 + 20.0, 0.0, 0.0]
    assert total.variances.tolist() == [0.0, 4 * 1.0625 + 100 * 4.0, 0.0, 0.0]


def test_variations_of_one_dataset_join_the_nominal_of_another() -> None:
    result = ChunkResult(
        histograms={
            ("a", "m4l"): histogram([1.0], ("nominal", "up")),
            ("b", "m4l"): histogram([2.0]),
        }
    )
    both = fileset(dataset("a", "ZZ"), dataset("b", "ZZ"))
    found = {t.path: t for t in templates(result, both, {"a": 1.0, "b": 1.0})}
    assert found["4e/all/m4l/ZZ_up"].values[1] == 2.0 + 2.0


def test_data_has_no_variations() -> None:
    result = ChunkResult(histograms={("d", "m4l"): histogram([1.0], ("nominal", "up"))})
    found = [t.path for t in templates(result, fileset(dataset("d", "data")), {"d": 1.0})]
    assert found == ["4e/all/m4l/data", "4l/all/m4l/data"]


def varied(spec: Spec) -> ExactHistogram:
    """One candidate of weight 2 in each channel, of weight 3 when varied, in both regions."""
    fill = Fill(
        ("nominal", "up"),
        np.array([0, 1]),
        np.ones((2, 2), dtype=np.bool_),
        np.array([1, 1]),
        np.array([[2.0, 2.0], [3.0, 3.0]]),
    )
    return ExactHistogram.filled(spec, ("4e", "4mu"), ("all", "signal"), [fill])


def paths_of(spec: Spec) -> set[str]:
    result = ChunkResult(histograms={("a", spec.observable): varied(spec)})
    found = templates(result, fileset(dataset("a", "ZZ")), {"a": 1.0})
    return {t.path.partition("/")[2] for t in found if t.channel == "4l"}


M34 = HistogramSpec("m34", 2, 0.0, 100.0, "m", "GeV")


@pytest.mark.parametrize(
    ("spec", "with_variation"),
    [(SPEC, {"all", "signal"}), (M34, {"all"}), (PlaneSpec(SPEC, M34), set())],
    ids=lambda given: getattr(given, "observable", ""),
)
def test_variations_are_given_where_they_are_fitted_or_drawn(
    spec: Spec, with_variation: set[str]
) -> None:
    nominal = {f"{region}/{spec.observable}/ZZ" for region in ("all", "signal")}
    assert paths_of(spec) == nominal | {
        f"{region}/{spec.observable}/ZZ_up" for region in with_variation
    }


def test_all_channels_are_the_sum_of_the_channels() -> None:
    result = ChunkResult(histograms={("a", "m4l"): varied(SPEC)})
    found = {t.path: t for t in templates(result, fileset(dataset("a", "ZZ")), {"a": 1.0})}
    assert found["4l/signal/m4l/ZZ_up"].values[1] == 6.0
    assert found["4l/signal/m4l/ZZ_up"].variances[1] == 18.0
