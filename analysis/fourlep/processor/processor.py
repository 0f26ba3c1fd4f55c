"""A coffea processor that runs a selection."""

from __future__ import annotations

import time

import awkward as ak
from coffea.processor import ProcessorABC

from fourlep.chunk.analysis import Analysis
from fourlep.chunk.model import ChunkResult, FileRecord
from fourlep.chunk.sums import analyse, nothing
from fourlep.processor.nanoevents import NanoFile


class FourLeptonProcessor(ProcessorABC):  # type: ignore[misc]  # coffea has no types
    """Run a selection on PHYSLITE events in coffea.

    Each chunk's result, and their sum, is a `ChunkResult` under the dataset's name.
    Weights count as in ``fourlep run``: where the dataset's metadata has ``nevts`` and no
    ``sumw``, each event counts as 1.

    Parameters
    ----------
    analysis
        Selection, good runs and corrections; its ``reader`` is not used.

    Examples
    --------
    >>> from coffea.nanoevents import PHYSLITESchema
    >>> from coffea.processor import IterativeExecutor, Runner
    >>> from fourlep.physics.registry import selection
    >>> run = Runner(IterativeExecutor(), schema=PHYSLITESchema)
    >>> processor = FourLeptonProcessor(Analysis(selection("fourlepton")))
    >>> result = run(fileset, processor, "CollectionTree")  # doctest: +SKIP
    >>> result.histograms["ggF", "m4l"].to_hist("4l", "signal")  # doctest: +SKIP
    """

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis

    def process(self, events: ak.Array) -> ChunkResult:
        """Analyse one chunk of NanoEvents.

        Raises
        ------
        CorruptFileError
            If the events are not of PHYSLITE, or hold numbers that are none.
        MissingColumnError
            If a column that the selection needs is not there.
        """
        wall_s, cpu_s = time.perf_counter(), time.thread_time()
        analysis, metadata = self._analysis, events.metadata
        dataset = str(metadata.get("dataset", ""))
        counts_events = "nevts" in metadata and "sumw" not in metadata
        file = NanoFile(events)
        needs_weights = file.is_simulation and not counts_events
        survivors = file.survivors(
            analysis.cascade,
            analysis.columns(needs_weights=needs_weights),
            optional=analysis.optional,
        )
        total = nothing(analysis, dataset, n_all=len(file), is_simulation=file.is_simulation)
        part = analyse(survivors, analysis, dataset, counts_events=counts_events)
        start = metadata.get("entrystart", 0)
        record = FileRecord(
            key=f"{metadata.get('filename', '')}:{start}-{start + len(file)}",
            dataset=dataset,
            n_events=len(file),
            n_good=len(file) if file.is_simulation or analysis.good_runs is None else None,
            n_selected=part.n_selected,
            read_bytes=0,  # coffea counts them: Runner(savemetrics=True)
            wall_s=time.perf_counter() - wall_s,
            cpu_s=time.thread_time() - cpu_s,
            uuid=str(metadata.get("fileuuid", "")),
            reader="coffea",
            absent=survivors.absent,
            left_out=part.left_out,
        )
        return total + part.sums + ChunkResult(records={record.key: record})

    def postprocess(self, accumulator: ChunkResult) -> ChunkResult:
        """Leave the sum as it is."""
        return accumulator
