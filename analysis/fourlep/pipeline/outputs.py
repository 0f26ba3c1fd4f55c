"""``histograms.root`` and ``cutflow.json``: written whole or not at all, and read again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fourlep.chunk.model import ChunkResult
from fourlep.datasets.model import Dataset, Fileset
from fourlep.errors import OutputError
from fourlep.execution.durable import UNFINISHED, output_error, write_whole
from fourlep.physics.cutflow import Cutflow
from fourlep.physics.specs import weighted_hist
from fourlep.pipeline.normalise import Scales, Template, processes

HISTOGRAMS = "histograms.root"
CUTFLOW = "cutflow.json"

Floats = npt.NDArray[np.float64]


def write_histograms(directory: Path, templates: Iterable[Template]) -> int:
    """Write ``histograms.root``: ``CHANNEL/REGION/OBSERVABLE/PROCESS[_VARIATION]``.

    Returns
    -------
    The number of histograms.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    import uproot

    path = directory / HISTOGRAMS
    unfinished = path.with_name(path.name + UNFINISHED)
    written = 0
    try:
        with uproot.recreate(unfinished) as file:
            for template in templates:
                file[template.path] = weighted_hist(
                    template.spec, template.values, template.variances
                )
                written += 1
        unfinished.replace(path)
    except OSError as error:
        raise output_error(path, error) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return written


class RunHistograms:
    """The histograms of a run, read when they are asked for; see `open_histograms`."""

    __slots__ = ("_file", "_path")

    def __init__(self, file: Any, path: Path) -> None:
        self._file = file
        self._path = path

    def spectrum(self, name: str) -> tuple[Floats, Floats, Floats]:
        """Edges (n + 1,), values (n,) and variances (n,) of one observable; no flow bins.

        Raises
        ------
        OutputError
            If there is no such histogram.
        """
        histogram = self._get(name)
        return histogram.axis().edges(), histogram.values(), histogram.variances()

    def axis(self, name: str) -> tuple[str, str]:
        """Label and unit of one observable, "" without one.

        Raises
        ------
        OutputError
            If there is no such histogram.
        """
        title = str(self._get(name).axis().member("fTitle"))
        label, _, unit = title.removesuffix("]").rpartition(" [")
        return (label, unit) if label and title.endswith("]") else (title, "")

    def is_plane(self, name: str) -> bool:
        """Whether a histogram is of two observables.

        Raises
        ------
        OutputError
            If there is no such histogram.
        """
        return len(self._get(name).axes) == 2

    def plane(self, name: str) -> tuple[Floats, Floats, Floats]:
        """Edges (n_x + 1,) and (n_y + 1,), and values (n_x, n_y) of two observables.

        Raises
        ------
        OutputError
            If there is no such histogram.
        """
        histogram = self._get(name)
        return histogram.axis(0).edges(), histogram.axis(1).edges(), histogram.values()

    def _get(self, name: str) -> Any:
        try:
            return self._file[name]
        except KeyError as error:
            raise OutputError(
                f"{self._path} has no {name!r}",
                remedy="run `fourlep run` again into another directory",
            ) from error
        except Exception as error:  # over damaged bytes uproot raises anything at all
            raise _damaged(self._path) from error


@contextmanager
def open_histograms(directory: Path) -> Iterator[RunHistograms]:
    """Open ``histograms.root`` of a run.

    Raises
    ------
    OutputError
        If there is none, or it cannot be read.
    """
    import uproot

    path = directory / HISTOGRAMS
    try:
        file = uproot.open(path)
    except Exception as error:  # likewise
        raise _damaged(path) from error
    with file:
        yield RunHistograms(file, path)


def _damaged(path: Path) -> OutputError:
    return OutputError(f"{path} cannot be read", remedy="write it anew with `fourlep run --resume`")


def write_cutflow(
    directory: Path, result: ChunkResult, fileset: Fileset, scales: Scales | None
) -> None:
    """Write ``cutflow.json``: by process, each requirement's raw and expected events.

    Parameters
    ----------
    directory
        Of the run.
    result, fileset
        Sums and what they are of.
    scales
        What each dataset is multiplied with; None writes raw counts only.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    content = cutflow_by_process(result, fileset, scales)
    write_whole(directory / CUTFLOW, json.dumps(content, indent=1).encode() + b"\n")


def read_cutflow(directory: Path) -> dict[str, list[dict[str, Any]]]:
    """Read ``cutflow.json``.

    Raises
    ------
    OutputError
        If there is none, or it is not one.
    """
    try:
        content: dict[str, list[dict[str, Any]]] = json.loads((directory / CUTFLOW).read_bytes())
    except (OSError, ValueError) as error:
        raise OutputError(
            f"{directory / CUTFLOW} cannot be read",
            remedy="run `fourlep run` again into another directory",
        ) from error
    return content


def cutflow_by_process(
    result: ChunkResult, fileset: Fileset, scales: Scales | None
) -> dict[str, list[dict[str, Any]]]:
    """Rows ``{"name", "title", "raw": {channel: n}, "expected": {channel: x} | None}``.

    The expected number of the first row is known from the catalogue (cross-section times
    luminosity), since a reader that skips events never sees all weights.
    """
    table: dict[str, list[dict[str, Any]]] = {}
    for process in processes(fileset):
        members = [
            dataset
            for dataset in fileset.datasets
            if dataset.process == process and dataset.name in result.cutflows
        ]
        if members:
            parts = [_expected_rows(result.cutflows[d.name], d, scales) for d in members]
            table[process] = [_summed(rows) for rows in zip(*parts, strict=True)]
    return table


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    title: str
    raw: Mapping[str, int]
    expected: Mapping[str, float] | None


def _expected_rows(cutflow: Cutflow, dataset: Dataset, scales: Scales | None) -> list[_Row]:
    if scales is None:
        return [_Row(row.name, row.title, row.counts, None) for row in cutflow.rows()]
    factor = scales.factors[dataset.name]
    whole = float(cutflow.n_all)
    if dataset.normalisation is not None:
        share = scales.coverage[dataset.name].share
        whole = factor * share * dataset.normalisation.sum_of_weights
    return [
        _Row(
            row.name,
            row.title,
            row.counts,
            dict.fromkeys(row.counts, whole)
            if row.weighted is None
            else {column: factor * weight for column, weight in row.weighted.items()},
        )
        for row in cutflow.rows()
    ]


def _summed(rows: Sequence[_Row]) -> dict[str, Any]:
    columns = tuple(rows[0].raw)
    expected = [row.expected for row in rows if row.expected is not None]
    return {
        "name": rows[0].name,
        "title": rows[0].title,
        "raw": {column: sum(row.raw[column] for row in rows) for column in columns},
        "expected": {column: sum(part[column] for part in expected) for column in columns}
        if expected
        else None,
    }
