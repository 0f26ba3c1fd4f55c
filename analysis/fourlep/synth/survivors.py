"""Files with a chosen share of four-lepton events, for measuring readers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from fourlep.datasets.model import SourceFile
from fourlep.synth import conditions as surroundings
from fourlep.synth.detector import Ints, Leptons, Mask, joined, reconstruct
from fourlep.synth.parameters import Parameters, ProcessParameters, parameters
from fourlep.synth.physlite import Clusters
from fourlep.synth.physlite.write import TREE
from fourlep.synth.rootfile.codec import Compression
from fourlep.synth.sample import Sample, physlite_columns, write_physlite
from fourlep.synth.sampling import Generator
from fourlep.synth.truth import Truth, generate, generate_filler

_BATCH = 4096


def make_file(
    path: Path,
    *,
    events: int,
    four_leptons: float,
    seed: int = 1,
    compression: Compression | None = None,
    clusters: Clusters | None = None,
    branch_clusters: Mapping[str, Clusters] | None = None,
) -> SourceFile:
    """Make one simulated PHYSLITE file with a chosen share of four-lepton events.

    Parameters
    ----------
    path
        The file. Its name should say that it is synthetic.
    events
        How many.
    four_leptons
        Share of events with 4 loose electrons, 4 muons, or 2 of each after the detector,
        0 to 1. The others have at most three leptons.
    seed
        Equal seeds give equal files.
    compression, clusters, branch_clusters
        As in `fourlep.synth.physlite.write_tree`.

    Returns
    -------
    SourceFile
        The file with its number of events and bytes.
    """
    values = parameters()
    by_name = {process.name: process for process in values.process}
    rng = np.random.default_rng([seed, 0xF11E])
    place = rng.permutation(events)
    n_four = round(events * four_leptons)
    parts = _four(rng, by_name["ggF"], place[:n_four], values)
    filler = generate_filler(rng, by_name["Zjets"], events - n_four, values)
    parts.append(reconstruct(rng, filler, values).renumbered(place[n_four:]))
    process = by_name["Zjets"]
    around = surroundings.simulated(
        rng, events, dsid=process.dsid, first_number=1, event=values.event
    )
    sample = Sample(joined(parts), around, np.ones(events))
    write_physlite(
        path,
        physlite_columns(rng, sample, values),
        compression=compression or Compression(),
        clusters=clusters,
        branch_clusters=branch_clusters,
    )
    return SourceFile(str(path), tree=TREE, n_events=events, n_bytes=path.stat().st_size)


def _four(
    rng: Generator, process: ProcessParameters, place: Ints, values: Parameters
) -> list[Leptons]:
    """Leptons of events that have four after the detector, at the places given."""
    parts: list[Leptons] = []
    done = 0
    while done < len(place):
        truth: Truth = generate(rng, process, _BATCH, values)
        leptons = reconstruct(rng, truth, values)
        chosen = np.flatnonzero(has_four(leptons, truth.n_events))[: len(place) - done]
        target = np.full(truth.n_events, -1, dtype=np.int64)
        target[chosen] = place[done : done + len(chosen)]
        parts.append(leptons.renumbered(target))
        done += len(chosen)
    return parts


def has_four(leptons: Leptons, n_events: int) -> Mask:
    """Whether each event has 4 electrons, 4 muons, or 2 of each, (n_events,)."""
    muons = np.bincount(leptons.event, weights=leptons.is_muon, minlength=n_events)
    electrons = leptons.counts(n_events) - muons
    mask: Mask = (electrons >= 4) | (muons >= 4) | ((electrons >= 2) & (muons >= 2))
    return mask
