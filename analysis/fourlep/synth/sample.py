"""One file's events, from the generator to the columns of PHYSLITE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from fourlep.synth import conditions as surroundings
from fourlep.synth.columns import (
    Columns,
    event_columns,
    lepton_columns,
    trigger_columns,
    vertex_columns,
)
from fourlep.synth.conditions import Conditions
from fourlep.synth.detector import Leptons, reconstruct
from fourlep.synth.parameters import Parameters, ProcessParameters
from fourlep.synth.physlite import Clusters, layout, write_tree
from fourlep.synth.rootfile.codec import Compression
from fourlep.synth.sampling import Floats, Generator
from fourlep.synth.trigger import fire
from fourlep.synth.truth import Truth, four_lepton_share, generate, generate_filler, joined
from fourlep.synth.weights import signs, variations

FileFormat = Literal["physlite", "ntuple2020"]

#: Title of every tree, and the label beside it.
TITLE = "SYNTHETIC CollectionTree"
LABEL = "Synthetic stand-in made by 'fourlep synth'. No ATLAS data, no ATLAS simulation."


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Reconstructed events.

    Parameters
    ----------
    leptons
        All leptons.
    conditions
        Of each event.
    weights : (n_events,)
        Nominal generator weights, None in data.
    """

    leptons: Leptons
    conditions: Conditions
    weights: Floats | None

    @property
    def n_events(self) -> int:
        """Number of events."""
        return len(self.conditions.run)


def simulate(
    rng: Generator,
    process: ProcessParameters,
    *,
    n_four: int,
    n_filler: int,
    weight_four: float,
    weight_filler: float,
    first_number: int,
    values: Parameters,
) -> Sample:
    """Simulate events of one process.

    Parameters
    ----------
    rng
        Generator.
    process
        What to simulate.
    n_four, n_filler
        Events with and without four leptons.
    weight_four, weight_filler
        Size of their weights.
    first_number
        Event number of the first.
    values
        All parameters.
    """
    truth = joined(
        [generate(rng, process, n_four, values), generate_filler(rng, process, n_filler, values)]
    )
    size = np.repeat([weight_four, weight_filler], [n_four, n_filler])
    order = rng.permutation(truth.n_events)
    weights = size[order] * signs(rng, truth.n_events, process.negative)
    leptons = reconstruct(rng, truth.take(order), values)
    around = surroundings.simulated(
        rng, truth.n_events, dsid=process.dsid, first_number=first_number, event=values.event
    )
    # The nominal weight is what the file holds, in single precision.
    return Sample(leptons, around, weights.astype(np.float32).astype(np.float64))


def observe(
    rng: Generator,
    truth: Truth,
    *,
    run: int,
    lumi_block: npt.NDArray[np.int64],
    values: Parameters,
) -> Sample:
    """Take data: generated events in one run, in the order of its luminosity blocks."""
    around = surroundings.observed(rng, run, lumi_block, event=values.event)
    return Sample(reconstruct(rng, truth, values), around, None)


def stratum_weights(process: ProcessParameters, n_four: int, n_filler: int) -> tuple[float, float]:
    """Weights of events with and without four leptons.

    Both kinds are simulated in numbers of our choice; their weights restore the shares
    that they have of the cross-section, with a mean of ``process.weight``.
    """
    share, total = four_lepton_share(process), n_four + n_filler
    if n_filler == 0:
        return process.weight, 0.0
    four = process.weight * share * total / n_four if n_four else 0.0
    return four, process.weight * (1.0 - share) * total / n_filler


def physlite_columns(rng: Generator, sample: Sample, values: Parameters) -> Columns:
    """Return the sample as columns of PHYSLITE, chains that fired included."""
    varied = None
    if sample.weights is not None:
        varied = variations(rng, sample.weights, values.event.generator_weights)
    fired = fire(rng, sample.leptons, sample.n_events)
    return {
        **event_columns(sample.conditions, varied, values),
        **vertex_columns(rng, sample.conditions, values),
        **lepton_columns(rng, sample.leptons, sample.conditions, values),
        **trigger_columns(fired, sample.leptons, sample.n_events),
    }


def write_physlite(
    path: Path,
    columns: Columns,
    *,
    compression: Compression,
    clusters: Clusters | None = None,
    branch_clusters: Mapping[str, Clusters] | None = None,
) -> None:
    """Write columns of a sample as a stand-in file, with all branches of its kind."""
    is_simulation = "EventInfoAuxDyn.mcEventWeights" in columns
    write_tree(
        path,
        columns,
        layout=layout() if is_simulation else layout().of_data(),
        compression=compression,
        clusters=clusters,
        branch_clusters=branch_clusters,
        title=TITLE,
        label=LABEL,
    )
