"""A catalogue as one Parquet file: the files are rows, the datasets stand in its header.

Columns are `FileTable`'s; integers are delta-encoded, so that 70,611 files take a few
hundred kilobytes. The header (key ``fourlep``, JSON) has the rest of `Catalogue`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from fourlep.datasets.amendment import Amendment
from fourlep.datasets.catalogue import Catalogue, CatalogueEntry, FileTable
from fourlep.datasets.good_runs import GoodRuns
from fourlep.datasets.model import Normalisation
from fourlep.errors import DatasetError, OutputError

_KEY = "fourlep"
_VERSION = 1
_COLUMNS = {
    "dataset": "int16",
    "run": "int32",
    "task": "int32",
    "number": "int32",
    "n_events": "int64",
    "n_bytes": "int64",
    "adler32": "int64",
    "path": "string",
}


def write_parquet(path: Path, catalogue: Catalogue) -> None:
    """Write a catalogue to ``path``, atomically.

    Raises
    ------
    OutputError
        If it cannot be written; what was there before is left as it was.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {
            name: pa.array(getattr(catalogue.files, name).tolist(), getattr(pa, kind)())
            for name, kind in _COLUMNS.items()
        }
    )
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with pq.ParquetWriter(
            unfinished,
            table.schema,
            compression="zstd",
            compression_level=19,
            store_schema=False,
            use_dictionary=["path"],
            column_encoding=dict.fromkeys(_COLUMNS.keys() - {"path"}, "DELTA_BINARY_PACKED"),
        ) as writer:
            writer.write_table(table)
            writer.add_key_value_metadata({_KEY: json.dumps(_header(catalogue))})
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise OutputError(
            f"cannot write the catalogue {path}: {error}",
            remedy="make room, or choose a directory that can be written",
        ) from error


def read_parquet(path: Path) -> Catalogue:
    """Read a catalogue from ``path``; relative templates stay relative.

    Raises
    ------
    DatasetError
        If the file cannot be read, or is no catalogue of this version.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            header = json.loads((file.metadata.metadata or {})[_KEY.encode()])
            table = file.read(use_threads=False)
        if header["version"] != _VERSION:
            raise DatasetError(
                f"catalogue {path} has version {header['version']}, this fourlep reads {_VERSION}",
                remedy="make the directory again with this version of fourlep",
            )
        # from_dlpack and to_pylist, because to_numpy would import pandas: half a second.
        arrays: dict[str, Any] = {
            name: np.from_dlpack(table[name].combine_chunks())
            for name, kind in _COLUMNS.items()
            if kind != "string"
        }
        arrays["path"] = np.array(table["path"].to_pylist(), dtype=np.object_)
        files = FileTable(**arrays)
        return _catalogue(header, files)
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
        raise DatasetError(
            f"catalogue {path} cannot be read: {error}",
            remedy="it is damaged or no catalogue of fourlep; make the directory again",
        ) from error


def _header(catalogue: Catalogue) -> dict[str, Any]:
    good_runs = catalogue.good_runs
    return {
        "version": _VERSION,
        "name": catalogue.name,
        "luminosity_ifb": catalogue.luminosity_ifb,
        "luminosity_source": catalogue.luminosity_source,
        "good_runs": good_runs and {"source": good_runs.source, "blocks": good_runs.blocks},
        "amendments": [asdict(amendment) for amendment in catalogue.amendments],
        "records": {name: dict(record) for name, record in catalogue.records.items()},
        "sources": dict(catalogue.sources),
        "notes": catalogue.notes,
        "metadata": dict(catalogue.metadata),
        "entries": [_entry_header(entry) for entry in catalogue.entries],
    }


def _entry_header(entry: CatalogueEntry) -> dict[str, Any]:
    """What differs from the defaults, so that hundreds of datasets stay small."""
    values = asdict(entry)
    optional = {f.name: f.default for f in fields(CatalogueEntry)}
    return {name: value for name, value in values.items() if value != optional[name]}


def _catalogue(header: Mapping[str, Any], files: FileTable) -> Catalogue:
    return Catalogue(
        name=header["name"],
        entries=tuple(_entry(entry) for entry in header["entries"]),
        files=files,
        luminosity_ifb=header["luminosity_ifb"],
        luminosity_source=header["luminosity_source"],
        good_runs=_good_runs(header["good_runs"]),
        amendments=tuple(Amendment(**amendment) for amendment in header["amendments"]),
        records=header["records"],
        sources=header["sources"],
        notes=tuple(header["notes"]),
        metadata=header["metadata"],
    )


def _entry(header: Mapping[str, Any]) -> CatalogueEntry:
    values = dict(header)
    if "normalisation" in values:
        numbers = dict(values["normalisation"])
        numbers["corrections"] = tuple(numbers["corrections"])
        values["normalisation"] = Normalisation(**numbers)
    values["sources"] = tuple(values.get("sources", ()))
    return CatalogueEntry(**values)


def _good_runs(header: Mapping[str, Any] | None) -> GoodRuns | None:
    if header is None:
        return None
    blocks = {
        int(run): tuple((first, last) for first, last in ranges)
        for run, ranges in header["blocks"].items()
    }
    return GoodRuns(blocks, source=header["source"])
