"""From the official sources to a catalogue: atlasopenmagic and the portal's file indexes."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from catalogue_facts import Sample, SimulatedFile, dataset_name, release

from fourlep.datasets.catalogue import Catalogue

RELEASE = "2024r-pp"
PORTAL = "https://opendata.cern.ch"

#: Records of the release: data by year, simulation by theme.
DATA_RECORDS = (80000, 80001)
SIMULATION_RECORDS = tuple(range(80010, 80019))

#: Production of the released datasets; metadata of 700792-794 name another one.
_SUFFIX = "s3681_r13167_p6026"

Fetch = Callable[[str], Any]


def release_from_official(folder: Path, fetch: Fetch | None = None) -> Catalogue:
    """The 2024 release from the official sources.

    Parameters
    ----------
    folder
        Has ``release_facts.json`` and the good-run lists.
    fetch
        From URL to decoded JSON; over HTTPS by default.
    """
    get = fetch or fetch_json
    data = [
        (run_of(index), file["uri"])
        for record in DATA_RECORDS
        for index in indexes(get, record)
        for file in get(index)
    ]
    files = [
        file
        for record in SIMULATION_RECORDS
        for index in indexes(get, record)
        for file in simulated_files(index, get(index))
    ]
    samples = samples_from(metadata() if fetch is None else get(f"atlasopenmagic:{RELEASE}"))
    return release(
        folder, [(run, direct(url)) for run, url in data], files, samples, ("atlasopenmagic",)
    )


def fetch_json(url: str) -> Any:
    """Decoded JSON from the portal."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        return json.load(answer)


def metadata() -> list[Mapping[str, Any]]:
    """Every dataset's metadata, by atlasopenmagic."""
    import atlasopenmagic  # type: ignore[import-not-found]  # on a connected machine only

    atlasopenmagic.set_release(RELEASE)
    return [
        atlasopenmagic.get_metadata(name)
        for name in atlasopenmagic.available_datasets()
        if str(name).isdigit()
    ]


def indexes(fetch: Fetch, record: int) -> list[str]:
    """HTTPS addresses of the JSON file indexes of a record."""
    found = fetch(f"{PORTAL}/api/records/{record}")["metadata"]["_file_indices"]
    return [
        https(index["files"][0]["uri"] if "files" in index and "uri" not in index else index["uri"])
        for index in found
    ]


def https(url: str) -> str:
    """The HTTPS address of a file on the portal's storage."""
    return f"{PORTAL}/eos/{url.split('//eos/', 1)[1]}" if url.startswith("root://") else url


def direct(url: str) -> str:
    """The address without the default port, as the release writes it elsewhere."""
    return url.replace("eospublic.cern.ch:1094//", "eospublic.cern.ch//")


def run_of(index: str) -> int:
    """Run number in the name of a data index, ``data15_13TeV_Run_00266904_file_index.json``."""
    return int(index.rsplit("_Run_", 1)[1].split("_", 1)[0])


def simulated_files(index: str, listed: Iterable[Mapping[str, Any]]) -> list[SimulatedFile]:
    """Files of one index; its name is that of the dataset."""
    dataset = index.rsplit("/", 1)[1].removesuffix("_file_index.json")
    return [
        SimulatedFile(
            dataset=dataset,
            url=direct(file["uri"]),
            n_bytes=int(file["size"]),
            n_events=int(file["events"]),
            # Written "adler32:xxxxxxxx" or, in the mapping, without the colon.
            adler32=str(file["checksum"]).removeprefix("adler32").removeprefix(":"),
        )
        for file in listed
    ]


def samples_from(datasets: Iterable[Mapping[str, Any]]) -> dict[str, Sample]:
    """Published numbers by the name of the released dataset."""
    samples = {}
    for found in datasets:
        name = dataset_name(
            found["dataset_number"], found["physics_short"], f"{found['e_tag']}_{_SUFFIX}"
        )
        samples[name] = Sample(
            dsid=int(found["dataset_number"]),
            name=name,
            cross_section_pb=float(found["cross_section_pb"]),
            filter_efficiency=float(found["genFiltEff"]),
            k_factor=float(found["kFactor"]),
            n_events=float(found["nEvents"]),
            sum_of_weights=float(found["sumOfWeights"]),
            title=str(found.get("process") or ""),
            generator=str(found.get("generator") or ""),
        )
    return samples
