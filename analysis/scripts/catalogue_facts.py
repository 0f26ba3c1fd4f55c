"""From recorded facts to catalogues: the part of `build_catalogue` that asks nobody."""

from __future__ import annotations

import csv
import gzip
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import uproot

from fourlep.datasets.amendment import Amendment
from fourlep.datasets.catalogue import Catalogue, CatalogueEntry, FileTable, file_table
from fourlep.datasets.good_runs import GoodRuns, read_good_runs
from fourlep.datasets.model import DATA, Normalisation, SourceFile
from fourlep.datasets.processes import DEMO2020, HZZ4L, Process

ORIGIN = "root://eospublic.cern.ch//eos/opendata/atlas"
TREE = "CollectionTree"

_NAME = re.compile(r"/([^/]+)/DAOD_PHYSLITE\.(\d{8})\._(\d{6})\.pool\.root\.1$")

SOURCES = {
    "files": "CERN Open Data portal, records 80000, 80001 and 80010-80018, file indexes",
    "normalisation": "ATLAS Open Data metadata.csv of the 2024 research release",
    "mapping": "ATLAS Open Data MC file mapping (p6026), April and May 2024",
    "totals": "cernopendata/opendata.cern.ch, records/atlas-2024-summary.json",
    "grl": "atlas-outreach-data-tools/notebooks-collection-opendata, for-research/limitations",
    "luminosity": "ATLAS luminosity tags for mc20a (release 22): 3244.54 + 33402.2 /pb; "
    "the older tags OflLumi-008/-009 give 36207.66 /pb",
    "atlasopenmagic": "atlasopenmagic, release 2024r-pp",
    "samples2020": "ATLAS Open Data 13 TeV 2020, sample list of the published notebooks",
    "record2020": "CERN Open Data portal, record 15005, DOI 10.7483/OPENDATA.ATLAS.2Y1T.TLGL",
}


@dataclass(frozen=True)
class SimulatedFile:
    """One file of simulation, as any of the sources states it."""

    dataset: str
    url: str
    n_bytes: int
    n_events: int
    adler32: str


@dataclass(frozen=True)
class Sample:
    """What the release publishes of one simulated dataset."""

    dsid: int
    name: str
    cross_section_pb: float
    filter_efficiency: float
    k_factor: float
    n_events: float
    sum_of_weights: float
    title: str
    generator: str


def release_from_facts(folder: Path) -> Catalogue:
    """The 2024 release from the recorded tables in ``folder``."""
    samples = _samples(folder / "mc2024_all_datasets.csv")
    data = [(int(row["run"]), row["url"]) for row in _rows(folder / "data2024_urls.csv.gz")]
    simulated = [
        SimulatedFile(
            dataset=row["dataset"],
            url=row["url"],
            n_bytes=int(row["size_bytes"]),
            n_events=int(row["n_events"]),
            adler32=row["adler32"],
        )
        for row in _rows(folder / "mc2024_files.csv.gz")
    ]
    return release(folder, data, simulated, samples, ("normalisation", "mapping"))


def release(
    folder: Path,
    data: Iterable[tuple[int, str]],
    simulated: Iterable[SimulatedFile],
    samples: Mapping[str, Sample],
    sources: tuple[str, ...],
) -> Catalogue:
    """The catalogue of the 2024 release.

    Parameters
    ----------
    folder
        Has ``release_facts.json`` and the good-run lists.
    data
        Run and URL of each data file.
    simulated
        The simulated files.
    samples
        Published numbers by dataset name.
    sources
        Where the published numbers are from.
    """
    facts = json.loads((folder / "release_facts.json").read_text())
    simulated = list(simulated)
    names = sorted({file.dataset for file in simulated}, key=lambda name: samples[name].dsid)
    released = Counter[str]()
    for file in simulated:
        released[file.dataset] += file.n_events
    entries = [_data_entry("data15"), _data_entry("data16")]
    entries += [_simulated_entry(samples[name], ("files", *sources)) for name in names]
    lumi = facts["luminosity_pb"]["newer tag (mc20a, R22)"]["sum"]
    return Catalogue(
        name="release2024",
        entries=tuple(entries),
        files=_release_files(data, simulated, [*entries]),
        luminosity_ifb=lumi / 1e3,
        luminosity_source=SOURCES["luminosity"],
        good_runs=_good_runs(folder),
        amendments=_amendments(
            {samples[name].dsid: samples[name] for name in names},
            {samples[name].dsid: released[name] for name in names},
        ),
        records=facts["records"],
        sources={k: v for k, v in SOURCES.items() if "2020" not in k},
        metadata={"doi": facts["doi"], "record": str(facts["recid"]), "title": facts["release"]},
    )


def _rows(path: Path) -> list[dict[str, str]]:
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return list(csv.DictReader(text.decode().splitlines()))


def _samples(path: Path) -> dict[str, Sample]:
    """Published numbers by dataset name; datasets without any are left out."""
    return {
        dataset_name(row["dsid"], row["physics_short"], row["tags"]): Sample(
            dsid=int(row["dsid"]),
            name=dataset_name(row["dsid"], row["physics_short"], row["tags"]),
            cross_section_pb=float(row["xsec_pb"]),
            filter_efficiency=float(row["genFiltEff"]),
            k_factor=float(row["kFactor"]),
            n_events=float(row["nEvents"]),
            sum_of_weights=float(row["sumOfWeights"]),
            title=row["process"],
            generator=row["generator"],
        )
        for row in _rows(path)
        if row["xsec_pb"]
    }


def dataset_name(dsid: str | int, physics_short: str, tags: str) -> str:
    """The full name of a simulated dataset."""
    return f"mc20_13TeV.{dsid}.{physics_short}.deriv.DAOD_PHYSLITE.{tags}"


def short_name(name: str) -> str:
    """DSID and physics name: what identifies a dataset within the release."""
    return ".".join(name.split(".")[1:3])


def _data_entry(name: str) -> CatalogueEntry:
    return CatalogueEntry(
        name=name,
        process=DATA,
        role="data",
        template=f"{ORIGIN}/rucio/{name}_13TeV/DAOD_PHYSLITE.{{task:08d}}._{{number:06d}}.pool.root.1",
        tree=TREE,
        title=f"pp collisions at 13 TeV, 20{name[-2:]}",
        sources=("files", "totals", "grl"),
    )


def _process_of(dsid: int, processes: Iterable[Process]) -> Process:
    for process in processes:
        if dsid in process.dsids:
            return process
    return Process(f"mc{dsid}", "other", "")


def _simulated_entry(sample: Sample, sources: tuple[str, ...]) -> CatalogueEntry:
    process = _process_of(sample.dsid, HZZ4L)
    return CatalogueEntry(
        name=short_name(sample.name),
        official_name=sample.name,
        process=process.name,
        role=process.role,
        dsid=sample.dsid,
        normalisation=Normalisation(
            cross_section_pb=sample.cross_section_pb,
            filter_efficiency=sample.filter_efficiency,
            k_factor=sample.k_factor,
            sum_of_weights=sample.sum_of_weights,
        ),
        template=f"{ORIGIN}/rucio/mc20_13TeV/DAOD_PHYSLITE.{{task:08d}}._{{number:06d}}.pool.root.1",
        tree=TREE,
        title=sample.title,
        generator=sample.generator,
        sources=sources,
    )


def _release_files(
    data: Iterable[tuple[int, str]],
    simulated: Iterable[SimulatedFile],
    entries: list[CatalogueEntry],
) -> FileTable:
    index = {entry.name: position for position, entry in enumerate(entries)}
    rows = [
        (index[_parsed(url)[0].removesuffix("_13TeV")], run, *_parsed(url)[1:], -1, -1, -1)
        for run, url in data
    ]
    rows += [
        (
            *(index[short_name(file.dataset)], -1, *_parsed(file.url)[1:]),
            *(file.n_events, file.n_bytes, int(file.adler32, 16)),
        )
        for file in simulated
    ]
    rows.sort()
    columns = list(zip(*rows, strict=True))
    names = ("dataset", "run", "task", "number", "n_events", "n_bytes", "adler32")
    types = (np.int16, np.int32, np.int32, np.int32, np.int64, np.int64, np.int64)
    arrays = {
        name: np.array(column, dtype=dtype)
        for name, column, dtype in zip(names, columns, types, strict=True)
    }
    return FileTable(**arrays, path=np.full(len(rows), "", dtype=np.object_))


def _parsed(url: str) -> tuple[str, int, int]:
    found = _NAME.search(url)
    if found is None:
        raise SystemExit(f"{url}: the name has no scope, task and number")
    return found[1], int(found[2]), int(found[3])


def _good_runs(folder: Path) -> GoodRuns:
    lists = [read_good_runs(path) for path in sorted(folder.glob("grl_data1*_13TeV.xml"))]
    official = json.loads((folder / "release_facts.json").read_text())["grl"]
    return GoodRuns(
        {run: ranges for good in lists for run, ranges in good.blocks.items()},
        source=" and ".join(official[year]["file"] for year in ("2015", "2016")),
    )


def _amendments(
    samples: Mapping[int, Sample], released: Mapping[int, int]
) -> tuple[Amendment, ...]:
    vbf, ggf = samples[346228], samples[345060]
    amendments = [
        Amendment(
            "vbf-filter",
            346228,
            "filter_efficiency",
            vbf.filter_efficiency,
            round(vbf.filter_efficiency**0.5, 7),
            "the published number is the square of the branching ratio; weighted yields of the "
            "2025 release agree with its root",
        ),
        Amendment(
            "ggf-yr4",
            345060,
            "k_factor",
            ggf.k_factor,
            round(48.58 / ggf.cross_section_pb, 6),
            "N3LO cross-section 48.58 pb of the LHC Higgs working group, CERN-2017-002; the "
            "published k-factor gives 41.0 pb",
            is_default=False,
        ),
    ]
    for dsid in (700792, 700793, 700794):
        sample = samples[dsid]
        amendments.append(
            Amendment(
                f"ztautau-{dsid}",
                dsid,
                "sum_of_weights",
                sample.sum_of_weights,
                sample.sum_of_weights * released[dsid] / sample.n_events,
                "the published sum is that of another production (s3797) that was not released; "
                "scaled by the ratio of events, hence an estimate",
            )
        )
    return tuple(amendments)


def demo2020_from_facts(folder: Path) -> Catalogue:
    """The four-lepton skim of the 2020 release: four data files and nine samples."""
    samples = json.loads((folder / "sample_info_2020.json").read_text())
    template = f"{ORIGIN}/OutreachDatasets/2020-01-22/4lep/{{path}}"
    entries = [
        CatalogueEntry(
            "data",
            DATA,
            "data",
            template=template,
            tree="mini",
            title="pp collisions at 13 TeV, 2016, periods A to D",
            sources=("record2020",),
        )
    ]
    listed = [(0, _data_2020(path)) for path in sorted(folder.glob("data_*.4lep.root"))]
    for process in DEMO2020:
        for dsid in process.dsids:
            # The list has skims of other channels under the same DSID: the plain name is ours.
            name = next(n for n, s in samples.items() if s["DSID"] == dsid)
            entries.append(_entry_2020(name, samples[name], process, template))
            listed.append((len(entries) - 1, SourceFile(f"MC/mc_{dsid}.{name}.4lep.root", "mini")))
    return Catalogue(
        name="demo2020",
        entries=tuple(entries),
        files=file_table(listed),
        luminosity_ifb=10.0,
        luminosity_source="ATLAS Open Data 13 TeV 2020, ATL-OREACH-PUB-2020-001",
        records={
            "15005 data": {
                "files": 4,
                "events": sum(f.n_events or 0 for _, f in listed),
                "bytes": sum(f.n_bytes or 0 for _, f in listed),
            }
        },
        sources={k: v for k, v in SOURCES.items() if "2020" in k},
        notes=("good-run lists were applied when the 2020 ntuples were made",),
        metadata={"doi": "10.7483/OPENDATA.ATLAS.2Y1T.TLGL", "record": "15005"},
    )


def _data_2020(path: Path) -> SourceFile:
    content = path.read_bytes()
    with uproot.open(path) as file:
        n_events = int(file["mini"].num_entries)
    return SourceFile(
        url=f"Data/{path.name}",
        tree="mini",
        n_events=n_events,
        n_bytes=len(content),
        adler32=f"{zlib.adler32(content):08x}",
    )


def _entry_2020(
    name: str, sample: Mapping[str, float], process: Process, template: str
) -> CatalogueEntry:
    return CatalogueEntry(
        name=name,
        process=process.name,
        role=process.role,
        dsid=int(sample["DSID"]),
        # The published cross-section contains filter and k-factor; the reduction
        # efficiency of the skim belongs to the sum of weights.
        normalisation=Normalisation(sample["xsec"], 1.0, 1.0, sample["sumw"] * sample["red_eff"]),
        template=template,
        tree="mini",
        sources=("samples2020",),
    )
