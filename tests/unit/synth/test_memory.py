"""Events without a file are those that a reader gives of the file."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import numpy as np
import pytest

from fourlep.events import COLUMNS
from fourlep.io import open_events
from fourlep.synth.conditions import simulated
from fourlep.synth.detector import reconstruct
from fourlep.synth.memory import events_of
from fourlep.synth.parameters import parameters
from fourlep.synth.rootfile.codec import Compression
from fourlep.synth.sample import Sample, physlite_columns, write_physlite
from fourlep.synth.truth import generate

NAMES = [name for name in COLUMNS if name != "event.scale_factor"]


@pytest.mark.parametrize("reader", ["uproot", "lean"])
def test_events_of_columns_are_those_of_the_written_file(tmp_path: Path, reader: str) -> None:
    values = parameters()
    rng = np.random.default_rng(3)
    truth = generate(rng, values.process[3], 400, values)
    around = simulated(rng, 400, dsid=346310, first_number=1, event=values.event)
    sample = Sample(reconstruct(rng, truth, values), around, np.ones(400))
    columns = physlite_columns(rng, sample, values)
    path = tmp_path / "SYNTHETIC.root"
    write_physlite(path, columns, compression=Compression("zstd"))
    ours = events_of(columns, NAMES)
    with open_events(str(path), reader=reader) as file:  # type: ignore[arg-type]  # parametrised
        theirs = file.read(NAMES)
    for name in NAMES:
        collection, _, field = name.partition(".")
        if collection == "event":
            assert np.array_equal(ours.event[field], theirs.event[field]), name
        else:
            mine = getattr(ours, f"{collection}s")[field]
            other = getattr(theirs, f"{collection}s")[field]
            assert ak.num(mine).tolist() == ak.num(other).tolist(), name
            assert ak.flatten(mine).to_numpy().tobytes() == ak.flatten(other).to_numpy().tobytes()
