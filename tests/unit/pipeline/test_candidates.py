"""``candidates.parquet``: every selected event of every dataset, once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest

from fourlep.chunk.model import ChunkResult
from fourlep.datasets.model import Dataset, Fileset, SourceFile
from fourlep.pipeline.candidates import write_candidates

NAMES = ("ttbar", "ZZ", "ggF")
FILESET = Fileset(
    "test",
    tuple(Dataset(name, name, "background", (SourceFile(f"/{name}.root"),)) for name in NAMES),
    36.6,
    "test",
)
FACTORS = {"ttbar": 1.0, "ZZ": 0.5, "ggF": 2.0}


def columns(*numbers: int) -> dict[str, npt.NDArray[Any]]:
    """Candidates with these event numbers."""
    return {
        "run": np.full(len(numbers), 300000),
        "event": np.array(numbers, dtype=np.uint64),
        "entry": np.arange(len(numbers)),
        "channel": np.array(["4e"] * len(numbers), dtype="U5"),
        "weight": np.full(len(numbers), 3.0),
    }


def written(directory: Path, **candidates: dict[str, npt.NDArray[Any]]) -> list[dict[str, Any]]:
    write_candidates(directory, ChunkResult(candidates=candidates), FILESET, FACTORS)
    rows: list[dict[str, Any]] = pq.read_table(directory / "candidates.parquet").to_pylist()
    return rows


def test_rows_are_scaled_and_in_the_order_of_dataset_and_event(tmp_path: Path) -> None:
    rows = written(tmp_path, ggF=columns(7, 2), ZZ=columns(5))
    assert [(row["dataset"], row["event"], row["weight"]) for row in rows] == [
        ("ZZ", 5, pytest.approx(1.5)),
        ("ggF", 2, pytest.approx(6.0)),
        ("ggF", 7, pytest.approx(6.0)),
    ]


def test_a_dataset_of_which_nothing_is_selected_has_no_row(tmp_path: Path) -> None:
    rows = written(tmp_path, ttbar=columns(), ZZ=columns(5))
    assert [row["dataset"] for row in rows] == ["ZZ"]
    assert {row["channel"] for row in rows} == {"4e"}


def test_where_nothing_is_selected_the_file_is_empty(tmp_path: Path) -> None:
    assert written(tmp_path, ttbar=columns()) == []
    assert written(tmp_path) == []
