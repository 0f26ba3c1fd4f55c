"""Print a fileset of the public 2020 demonstrator: real data, simulation of a stand-in.

The simulated files of that release may not be at hand; its four data files are small. The
processes of the stand-in are put together into the demonstrator's three samples.

    python analysis/scripts/demonstrator_fileset.py STANDIN DATA > demonstrator.json
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from fourlep.datasets.coffea_fileset import to_coffea
from fourlep.datasets.fileset import load_fileset
from fourlep.datasets.model import Dataset, Fileset, Role
from fourlep.errors import FourlepError

#: Sample and role of each process of a stand-in; others are left out.
SAMPLES: dict[str, tuple[str, Role]] = {
    "ggF": ("Signal", "signal"),
    "VBF": ("Signal", "signal"),
    "WH": ("Signal", "signal"),
    "ZH": ("Signal", "signal"),
    "ttH": ("Signal", "signal"),
    "ZZ": ("ZZ", "background"),
    "Zjets": ("Zttbar", "background"),
    "ttbar": ("Zttbar", "background"),
}


def demonstrator(standin: Path, data: Path) -> Fileset:
    """Join the simulation of a stand-in with the data of the 2020 release.

    Parameters
    ----------
    standin
        Directory of a stand-in in the 2020 format.
    data
        Directory with the four data files of ``demo2020``.

    Raises
    ------
    DatasetError
        If one of them is not what it should be.
    """
    observed = load_fileset("demo2020", data_dir=data, processes=("data",))
    simulated = load_fileset(standin)
    return replace(
        observed,
        name="demonstrator2020",
        datasets=(*observed.datasets, *map(_renamed, filter(_is_used, simulated.datasets))),
    )


def _is_used(dataset: Dataset) -> bool:
    return dataset.process in SAMPLES


def _renamed(dataset: Dataset) -> Dataset:
    process, role = SAMPLES[dataset.process]
    return replace(dataset, process=process, role=role)


def main() -> None:
    """Print the fileset as coffea's JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("standin", type=Path, help="directory of `fourlep synth`")
    parser.add_argument("data", type=Path, help="directory of the data files of the 2020 release")
    arguments = parser.parse_args()
    try:
        fileset = demonstrator(arguments.standin, arguments.data)
    except FourlepError as error:
        sys.exit(str(error))
    json.dump(to_coffea(fileset), sys.stdout, indent=1)


if __name__ == "__main__":
    main()
