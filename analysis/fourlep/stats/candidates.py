"""Selected events one by one, from ``candidates.parquet``.

A discriminant learns from them, and signal of another mass is made of them.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fourlep.errors import FitError
from fourlep.stats.run_directory import Run
from fourlep.stats.templates import Floats

#: What the discriminant sees: everything that describes a candidate but its mass, which is
#: fitted beside it.
FEATURES = (
    "m12",
    "m34",
    "cos_theta_star",
    "cos_theta_1",
    "cos_theta_2",
    "phi",
    "phi_1",
    "pt4l",
    "y4l",
    *(f"lepton_pt_{number}" for number in range(1, 5)),
    *(f"lepton_eta_{number}" for number in range(1, 5)),
)

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class CandidateTable:
    """Selected events.

    Parameters
    ----------
    process, channel : (n,) arrays of str
        Which.
    weight : (n,) array
        Expected events, signed; 1 for data.
    m4l : (n,) array, GeV
        Four-lepton mass.
    features : (n, n_features) array
        Columns of `FEATURES`, or none.
    identity : (n,) array
        Number that tells events apart, whatever the order of the rows.
    """

    process: npt.NDArray[np.str_]
    channel: npt.NDArray[np.str_]
    weight: Floats
    m4l: Floats
    features: Floats
    identity: Integers

    def __len__(self) -> int:
        return len(self.weight)


def read_candidates(
    run: Run, *, with_data: bool, features: Sequence[str] = FEATURES
) -> CandidateTable:
    """Read the candidates of a run.

    Parameters
    ----------
    run
        The run.
    with_data
        Whether to read the data's: while blinded they are not looked at.
    features
        Columns to read into ``features``.

    Raises
    ------
    FitError
        If the file is absent, or lacks a column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = run.directory / "candidates.parquet"
    wanted = [*run.signals, *run.backgrounds, *(["data"] if with_data else [])]
    columns = ["dataset", "process", "channel", "event", "entry", "weight", "m4l", *features]
    try:
        table = pq.read_table(path, columns=columns, filters=[("process", "in", wanted)])
    except FileNotFoundError as error:
        raise FitError(
            f"{path} is absent: the run kept no candidates",
            remedy="run it again with `fourlep run --candidates`",
        ) from error
    except (pa.ArrowException, OSError, KeyError) as error:
        raise FitError(
            f"{path} cannot be used: {str(error).splitlines()[0]}",
            remedy="run `fourlep run --candidates` with the fourlepton selection",
        ) from error
    absent = [name for name in columns if name not in table.column_names]
    if absent:
        raise FitError(
            f"{path} lacks {', '.join(absent)}",
            remedy="run `fourlep run --candidates` with the fourlepton selection",
        )
    n_rows = table.num_rows
    values = {name: np.asarray(table[name].to_numpy(zero_copy_only=False)) for name in columns}
    return CandidateTable(
        process=values["process"].astype(np.str_),
        channel=values["channel"].astype(np.str_),
        weight=values["weight"].astype(np.float64),
        m4l=values["m4l"].astype(np.float64),
        features=np.array([values[name] for name in features], dtype=np.float64)
        .reshape(len(features), n_rows)
        .T,
        identity=_identities(values["dataset"], values["event"], values["entry"]),
    )


def _identities(datasets: npt.NDArray[np.object_], events: Integers, entries: Integers) -> Integers:
    """Mix dataset, event and entry number, so that any fold has some of each."""
    names, which = np.unique(datasets.astype(np.str_), return_inverse=True)
    seeds = np.array([zlib.crc32(str(name).encode()) for name in names], dtype=np.uint64)
    mixed = seeds[which] if len(names) else np.zeros(0, dtype=np.uint64)
    for part in (events, entries):
        # The finaliser of SplitMix64 (G. L. Steele et al., OOPSLA 2014).
        mixed = mixed ^ part.astype(np.uint64)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        mixed = mixed ^ (mixed >> np.uint64(31))
    return (mixed >> np.uint64(1)).astype(np.int64)
