"""``candidates.parquet``: the selected events, for the machine-learned discriminant."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from fourlep.chunk.model import ChunkResult
from fourlep.datasets.model import Fileset
from fourlep.execution.durable import UNFINISHED, output_error

FILE_NAME = "candidates.parquet"


def write_candidates(
    directory: Path, result: ChunkResult, fileset: Fileset, factors: Mapping[str, float]
) -> int:
    """Write one row a selected event; rows are in the order of dataset, run, event and entry.

    Columns are those of `fourlep.chunk.tables.candidate_table`, with ``dataset``,
    ``process``, ``role``, and ``weight`` in expected events.

    Returns
    -------
    The number of rows.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = []
    for dataset in sorted(fileset.datasets, key=lambda d: d.name):
        columns = dict(result.candidates.get(dataset.name, {}))
        if not columns:
            continue
        # Chunks come in any order; the file does not depend on it.
        order = np.lexsort((columns["entry"], columns["event"], columns["run"]))
        columns["weight"] = columns["weight"] * factors[dataset.name]
        names = {"dataset": dataset.name, "process": dataset.process, "role": dataset.role}
        tables.append(
            pa.table(
                {
                    **{k: pa.array([v] * len(order), pa.string()) for k, v in names.items()},
                    **{key: pa.array(values[order]) for key, values in columns.items()},
                }
            )
        )
    path = directory / FILE_NAME
    unfinished = path.with_name(path.name + UNFINISHED)
    table = pa.concat_tables(tables) if tables else pa.table({"dataset": pa.array([], pa.string())})
    try:
        pq.write_table(table, unfinished, compression="zstd")
        unfinished.replace(path)
    except OSError as error:
        raise output_error(path, error) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return int(table.num_rows)
