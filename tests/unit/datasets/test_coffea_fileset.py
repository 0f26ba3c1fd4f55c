"""coffea's fileset JSON: strict reading, and writing what reads the same."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from fourlep.datasets.coffea_fileset import METADATA, from_coffea, to_coffea
from fourlep.datasets.fileset import load_fileset
from fourlep.datasets.model import Fileset
from fourlep.datasets.processes import role_of
from fourlep.errors import DatasetError

SIMULATION = {
    "files": {"root://host//a.root": "CollectionTree"},
    "metadata": {"process": "ggF", "xsec": 28.3, "genFiltEff": 0.5, "kFactor": 1.5, "sumw": 200.0},
}
DATA = {"files": {"d.root": "mini"}, "metadata": {"process": "data"}}


def changed(**metadata: Any) -> dict[str, Any]:
    """One simulated dataset with other metadata; None takes a key away."""
    entry: dict[str, Any] = copy.deepcopy(SIMULATION)
    entry["metadata"] |= metadata
    entry["metadata"] = {k: v for k, v in entry["metadata"].items() if v is not None}
    return {"ggF": entry}


def test_expected_events_follow_from_the_factors_by_hand() -> None:
    (dataset,) = from_coffea({"ggF": SIMULATION}, "f").datasets
    assert dataset.normalisation is not None
    # 28.3 pb x 0.5 x 1.5 = 21.225 pb; at 10 /fb 212250 events share a weight of 200.
    assert dataset.normalisation.per_weight(10.0) == pytest.approx(212250.0 / 200.0, rel=1e-15)
    assert (dataset.process, dataset.role, dataset.is_data) == ("ggF", "signal", False)


def test_number_of_events_in_place_of_a_sum_counts_every_event_as_one() -> None:
    (dataset,) = from_coffea(changed(sumw=None, nevts=1000), "f").datasets
    assert dataset.normalisation is not None
    assert dataset.normalisation.counts_events
    assert dataset.normalisation.sum_of_weights == 1000.0


def test_process_data_is_observed_data() -> None:
    fileset = from_coffea({"d": DATA}, "f")
    assert fileset.is_observed
    assert fileset.datasets[0].normalisation is None


def test_synthetic_data_is_not_observed() -> None:
    entry = {"files": {"a": "t"}, "metadata": {"process": "data", "synthetic": True}}
    fileset = from_coffea({"d": entry}, "f")
    assert fileset.is_synthetic
    assert not fileset.is_observed


def test_unstated_luminosity_is_a_note_and_not_a_guess_in_silence() -> None:
    fileset = from_coffea({"ggF": SIMULATION}, "f")
    assert fileset.luminosity_ifb == 36.64674
    assert any("luminosity not stated" in note for note in fileset.notes)


def test_stated_luminosity_is_taken_with_its_source() -> None:
    fileset = from_coffea(changed(luminosity_ifb=10, luminosity_source="paper"), "f")
    assert (fileset.luminosity_ifb, fileset.luminosity_source) == (10.0, "paper")
    assert fileset.notes == ()


def test_file_details_of_coffea_preprocessing_are_understood() -> None:
    entry = copy.deepcopy(SIMULATION)
    entry["files"] = {
        "a.root": {
            "object_path": "CollectionTree",
            "num_entries": 30,
            "steps": [[0, 10], [10, 30]],
            "uuid": "x",
        },
        "file:///b.root": None,
    }
    first, second = from_coffea({"ggF": entry}, "f").datasets[0].files
    assert (first.tree, first.n_events) == ("CollectionTree", 30)
    assert (second.url, second.tree, second.n_events) == ("/b.root", "", None)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("file:///d/a%20b%23.root", "/d/a b#.root"),
        ("/d/a%20b.root", "/d/a%20b.root"),
        ("http://h/a%20b.root", "http://h/a%20b.root"),
    ],
)
def test_a_file_url_is_the_path_that_it_means(url: str, expected: str) -> None:
    for details in ("", {"object_path": "t"}):
        (file,) = from_coffea({"d": {**DATA, "files": {url: details}}}, "f").datasets[0].files
        assert file.url == expected


_METADATA = {"metadata": DATA["metadata"]}


@pytest.mark.parametrize(
    ("decoded", "message"),
    [
        ([], "no JSON object: []"),
        ({}, "no datasets"),
        ({"a": []}, "expected an object, found list"),
        ({"a": {"files": {"x": "t"}}}, "no metadata"),
        ({"a": {"files": {}, "metadata": {"process": "data"}}}, "no files"),
        ({"a": {"files": ["x"], "metadata": {"process": "data"}}}, "expected an object"),
        ({"a": {**DATA, "treename": "t"}}, "unknown 'treename'"),
        ({"a": {"files": {"x": "t"}, "metadata": {}}}, "no process"),
        (changed(colour="red"), "unknown 'colour'"),
        (changed(xsec=None), "no weights for simulation: xsec needed"),
        (changed(kFactor=None), "no weights for simulation: kFactor needed"),
        (changed(sumw=None), "one of nevts and sumw needed"),
        (changed(nevts=5), "one of nevts and sumw needed"),
        (changed(xsec=-1.0), "xsec is -1.0"),
        (changed(xsec=float("nan")), "xsec is nan"),
        (changed(xsec="28"), "xsec is '28'"),
        (changed(xsec=True), "xsec is True"),
        (changed(sumw=0), "sumw is 0"),
        (changed(genFiltEff=1.5), "genFiltEff is 1.5"),
        (changed(role="noise"), "role 'noise' does not fit"),
        (changed(role="data"), "role 'data' does not fit"),
        (changed(synthetic="yes"), "synthetic is 'yes'"),
        (changed(luminosity_ifb=0), "luminosity_ifb is 0"),
        (changed(dsid="x"), "dsid is 'x'"),
        (changed(corrections="text"), "corrections is 'text'"),
        (changed(process="data", role="data"), "data has xsec, genFiltEff, kFactor, sumw"),
        (changed(good_runs={"1": [[5, 2]]}), "reversed or overlap"),
        (changed(good_runs={"1": [5]}), "good_runs"),
        (changed(good_runs={"1": [[1.5, 2.5]]}), "1.5 to 2.5 are no luminosity blocks"),
        (changed(good_runs={"1": [[1, float("inf")]]}), "1 to inf are no luminosity blocks"),
        (changed(xsec=10**400), "xsec is 1000"),
        (changed(good_runs="absent.xml"), "absent.xml cannot be read"),
        ({"a": DATA, "b": DATA}, "file 'd.root' stands twice"),
        (
            {"a": DATA, "b": {**DATA, "files": {str(Path("d.root").absolute()): "mini"}}},
            "d.root' stands twice",
        ),
        (
            {
                **changed(luminosity_ifb=1),
                "d": {**DATA, "metadata": {"process": "data", "luminosity_ifb": 2}},
            },
            "luminosity_ifb of 'd' and of 'ggF' differ",
        ),
        (
            {
                "a": {
                    "files": {"x": {"object_path": "t", "entries": 3}},
                    "metadata": DATA["metadata"],
                }
            },
            "unknown 'entries'",
        ),
        (
            {
                "a": {
                    "files": {"x": {"object_path": "t", "num_entries": 9, "steps": [[0, 3]]}},
                    "metadata": DATA["metadata"],
                }
            },
            "steps of x leave out events",
        ),
        *(
            (
                {"a": {"files": {"x": {"num_entries": 9, "steps": steps}}, **_METADATA}},
                f"steps of x are {steps!r}",
            )
            for steps in (5, [1], [[0, 3, 9]], [["a", 9]], True)
        ),
        (
            {"a": {"files": {"x": {"num_entries": "9"}}, "metadata": DATA["metadata"]}},
            "num_entries is '9'",
        ),
    ],
)
def test_wrong_fileset_is_refused_with_what_to_do(decoded: object, message: str) -> None:
    with pytest.raises(DatasetError) as error:
        from_coffea(decoded, "mine")
    assert message in str(error.value)
    assert error.value.remedy


@pytest.mark.parametrize("name", ["release2024-signal", "demo2020", "release2024-hzz4l"])
def test_written_fileset_reads_the_same(name: str) -> None:
    original = load_fileset(name)
    again = from_coffea(json.loads(json.dumps(to_coffea(original))), name)
    assert essentials(again) == essentials(original)
    assert (again.luminosity_ifb, again.luminosity_source, again.good_runs) == (
        original.luminosity_ifb,
        original.luminosity_source,
        original.good_runs,
    )


def essentials(fileset: Fileset) -> list[object]:
    return [
        (d.name, d.process, d.role, d.dsid, d.normalisation, [(f.url, f.tree) for f in d.files])
        for d in fileset.datasets
    ]


def test_written_keys_are_all_documented() -> None:
    written = {
        k for d in to_coffea(load_fileset("release2024-hzz4l")).values() for k in d["metadata"]
    }
    assert written <= set(METADATA)


@pytest.mark.parametrize(
    ("process", "role"),
    [("data", "data"), ("ggF", "signal"), ("signal", "signal"), ("ZZ", "background")],
)
def test_role_follows_from_the_process_where_none_is_given(process: str, role: str) -> None:
    assert role_of(process) == role


def test_nested_beyond_reason_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    path.write_text("[" * 100_000)
    with pytest.raises(DatasetError, match="cannot be read"):
        load_fileset(path)


def test_dataset_or_file_that_stands_twice_in_the_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.json"
    path.write_text('{"a": {"files": {"x": "t", "x": "t"}, "metadata": {"process": "data"}}}')
    with pytest.raises(DatasetError, match="'x' stands twice"):
        load_fileset(path)
