"""Good-run lists by hand, and the official ones against the release's own counts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourlep.datasets.catalogue import read_catalogue
from fourlep.datasets.good_runs import GoodRuns, checked_ranges, read_good_runs
from fourlep.errors import DatasetError

XML = """<?xml version="1.0"?>
<LumiRangeCollection><NamedLumiRange>
<LumiBlockCollection><Run>100</Run><LBRange Start="7" End="9"/><LBRange Start="2" End="4"/>
</LumiBlockCollection>
<LumiBlockCollection><Run>101</Run><LBRange Start="1" End="1"/></LumiBlockCollection>
</NamedLumiRange></LumiRangeCollection>
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_first_and_last_luminosity_block_of_a_range_are_good() -> None:
    good = GoodRuns({100: ((2, 4), (7, 9))})
    run = np.array([100] * 8 + [101])
    block = np.array([1, 2, 4, 5, 6, 7, 9, 10, 2])
    assert good.keeps(run, block).tolist() == [
        *(False, True, True, False, False, True, True, False),
        False,
    ]


def test_no_events_give_an_empty_mask() -> None:
    empty = np.array([], dtype=np.int64)
    assert GoodRuns({1: ((1, 2),)}).keeps(empty, empty).shape == (0,)


@given(
    st.dictionaries(
        st.integers(1, 5),
        st.lists(st.integers(1, 30), unique=True, min_size=2, max_size=8).map(sorted),
        max_size=4,
    ),
    st.lists(st.tuples(st.integers(1, 6), st.integers(0, 31)), max_size=40),
)
def test_mask_agrees_with_looking_up_each_event(
    edges: dict[int, list[int]], events: list[tuple[int, int]]
) -> None:
    blocks = {
        run: tuple(zip(values[::2], values[1::2], strict=False)) for run, values in edges.items()
    }
    expected = [
        any(first <= block <= last for first, last in blocks.get(run, ())) for run, block in events
    ]
    run, block = np.array(events, dtype=np.int64).reshape(-1, 2).T
    assert GoodRuns(blocks).keeps(run, block).tolist() == expected


def test_xml_is_read_with_sorted_ranges(tmp_path: Path) -> None:
    good = read_good_runs(write(tmp_path / "list.xml", XML))
    assert good == GoodRuns({100: ((2, 4), (7, 9)), 101: ((1, 1),)}, source="list.xml")
    assert (good.n_runs, good.n_lumi_blocks) == (2, 7)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no xml", "cannot be read"),
        ("<LumiRangeCollection/>", "has no run"),
        (XML.replace('End="4"', 'End="1"'), "reversed or overlap"),
        (XML.replace('End="4"', 'End="7"'), "reversed or overlap"),
        (XML.replace('End="4"', 'End="x"'), "cannot be read"),
        ('<?xml version="1.0" encoding="klingon"?><LumiRangeCollection/>', "cannot be read"),
    ],
)
def test_damaged_xml_is_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path / "list.xml", text)
    with pytest.raises(DatasetError, match=message) as error:
        read_good_runs(path)
    assert str(path) in str(error.value)
    assert error.value.remedy


def test_missing_xml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read"):
        read_good_runs(tmp_path / "absent.xml")


def test_adjacent_ranges_are_no_overlap() -> None:
    assert checked_ranges(1, [(5, 6), (1, 4)], source="x") == ((1, 4), (5, 6))


def test_release_list_has_the_runs_and_blocks_that_were_published(shared_data: Path) -> None:
    official = json.loads((shared_data / "release2024" / "release_facts.json").read_text())["grl"]
    good = read_catalogue().good_runs
    assert good is not None
    for year in ("2015", "2016"):
        facts = official[year]
        runs = [run for run in good.blocks if facts["first"] <= run <= facts["last"]]
        blocks = sum(b - a + 1 for run in runs for a, b in good.blocks[run])
        assert (len(runs), min(runs), max(runs), blocks) == (
            *(facts["runs"], facts["first"], facts["last"]),
            facts["lumiblocks"],
        )
        assert facts["file"] in good.source


def test_release_list_agrees_with_the_parsed_one(shared_data: Path) -> None:
    parsed = json.loads((shared_data / "release2024" / "grl_2015_2016.json").read_text())
    good = read_catalogue().good_runs
    assert good is not None
    assert good.blocks == {
        int(run): tuple(map(tuple, ranges))
        for year in parsed.values()
        for run, ranges in year.items()
    }
