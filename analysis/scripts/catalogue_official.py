"""From the official sources to a catalogue.

Three sources are joined by file name: ``atlasopenmagic`` (numbers and files of each
simulated dataset), the portal's file indexes (address, size and checksum of every file;
the run of data), and the file mapping from which the portal's records were made (events
of each simulated file, which the indexes do not have).
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from catalogue_facts import Sample, SimulatedFile, release

from fourlep.datasets.catalogue import Catalogue

RELEASE = "2024r-pp"
PORTAL = "https://opendata.cern.ch"
ORIGIN = "root://eospublic.cern.ch/"

#: Records of the release: data by year, simulation by theme.
DATA_RECORDS = (80000, 80001)
SIMULATION_RECORDS = tuple(range(80010, 80019))

_MAPPINGS = tuple(
    "https://raw.githubusercontent.com/cernopendata/data-curation/master/atlas-2024-odfr/"
    f"mc_file_mapping_OpenData_{version}.json"
    for version in (
        "v0_p6026_2024-04-16",
        "v1_p6026_2024-04-23",
        "v0_p6026_2024-04-30",
        "v0_p6026_2024-05-13",
    )
)

Fetch = Callable[[str], Any]


def release_from_official(
    folder: Path, fetch: Fetch | None = None, metadata: Iterable[Mapping[str, Any]] | None = None
) -> Catalogue:
    """The 2024 release from the official sources.

    Parameters
    ----------
    folder
        Has ``release_facts.json`` and the good-run lists.
    fetch
        From URL to decoded JSON; over HTTPS by default.
    metadata
        What atlasopenmagic says of each simulated dataset; it is asked by default.
    """
    get = fetch or fetch_json
    data = [
        (run_of(index), direct(file["uri"]))
        for index in indexes(get, DATA_RECORDS)
        for file in get(index)
    ]
    listed = {
        name_of(file["uri"]): file
        for index in indexes(get, SIMULATION_RECORDS)
        for file in get(index)
    }
    mapped: dict[str, tuple[str, int]] = {}
    for mapping in _MAPPINGS:
        mapped |= events_by_file(get(mapping))
    files = [simulated_file(file, *mapped[name]) for name, file in listed.items()]
    samples = samples_from(ask_atlasopenmagic() if metadata is None else metadata, files)
    return release(folder, data, files, samples, ("atlasopenmagic", "mapping"))


def fetch_json(url: str) -> Any:
    """Decoded JSON over HTTPS."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        return json.load(answer)


def ask_atlasopenmagic() -> list[Mapping[str, Any]]:
    """Everything that atlasopenmagic says of each simulated dataset."""
    import atlasopenmagic  # type: ignore[import-not-found]  # on a connected machine only

    atlasopenmagic.set_release(RELEASE)
    known = atlasopenmagic.get_all_metadata()
    return [entry for key, entry in known.items() if key.isdigit()]


def indexes(fetch: Fetch, records: Iterable[int]) -> list[str]:
    """HTTPS addresses of the JSON file indexes of records."""
    return [
        https(file["uri"])
        for record in records
        for file in fetch(f"{PORTAL}/api/records/{record}")["metadata"]["files"]
        if file["uri"].endswith("_file_index.json")
    ]


def https(url: str) -> str:
    """The HTTPS address of a file at the origin."""
    return direct(url).replace(ORIGIN, PORTAL, 1)


def direct(url: str) -> str:
    """The address without the default port, as the release writes it elsewhere."""
    return url.replace("eospublic.cern.ch:1094//", "eospublic.cern.ch//")


def name_of(url: str) -> str:
    """The last part of an address."""
    return url.rsplit("/", 1)[-1]


def run_of(index: str) -> int:
    """Run number in the name of an index, ``data15_13TeV_Run_00266904_file_index.json``."""
    return int(index.rsplit("_Run_", 1)[1].split("_", 1)[0])


def events_by_file(mapping: Mapping[str, Any]) -> dict[str, tuple[str, int]]:
    """Dataset and events by file name."""
    return {
        name: (dataset, int(file["events"]))
        for dataset, files in mapping["file_locations"].items()
        for name, file in files.items()
    }


def simulated_file(listed: Mapping[str, Any], dataset: str, n_events: int) -> SimulatedFile:
    """One file of simulation, from the portal's index and the mapping."""
    return SimulatedFile(
        dataset=dataset,
        url=direct(listed["uri"]),
        n_bytes=int(listed["size"]),
        n_events=n_events,
        adler32=str(listed["checksum"]).removeprefix("adler32:"),
    )


def samples_from(
    metadata: Iterable[Mapping[str, Any]], files: Iterable[SimulatedFile]
) -> dict[str, Sample]:
    """Published numbers by the name of the released dataset."""
    names = {int(file.dataset.split(".")[1]): file.dataset for file in files}
    return {
        names[int(entry["dataset_number"])]: Sample(
            dsid=int(entry["dataset_number"]),
            name=names[int(entry["dataset_number"])],
            cross_section_pb=float(entry["cross_section_pb"]),
            filter_efficiency=float(entry["genFiltEff"]),
            k_factor=float(entry["kFactor"]),
            n_events=float(entry["nEvents"]),
            sum_of_weights=float(entry["sumOfWeights"]),
            title=str(entry["process"] or ""),
            generator=str(entry["generator"] or ""),
        )
        for entry in metadata
        if int(entry["dataset_number"]) in names
    }
