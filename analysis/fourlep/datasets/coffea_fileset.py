"""coffea's fileset JSON: reading it strictly, and writing it.

::

    {"ggF": {"files": {"root://host//path/file.root": "CollectionTree"},
             "metadata": {"process": "ggF", "xsec": 28.3, "genFiltEff": 0.000124,
                          "kFactor": 1.45, "sumw": 45231011.2}}}

`METADATA` lists the metadata keys. What is unknown, missing or twice is an error: a wrong
normalisation must not look like a result.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast, get_args
from urllib.parse import unquote

from fourlep.datasets.good_runs import GoodRuns, checked_ranges, read_good_runs
from fourlep.datasets.model import DATA, Dataset, Fileset, Normalisation, Role, SourceFile
from fourlep.datasets.processes import role_of
from fourlep.errors import DatasetError

#: Metadata keys and what they mean.
METADATA: Mapping[str, str] = {
    "process": "name of the process; 'data' is observed data",
    "xsec": "cross-section, pb",
    "genFiltEff": "filter efficiency, 0 to 1",
    "kFactor": "ratio to a better cross-section; 1 if there is none",
    "nevts": "number of events; every event then counts as 1",
    "sumw": "sum of the generator weights of all events",
    "role": "data, signal, background or other; by the name of the process if not given",
    "dsid": "dataset identifier",
    "synthetic": "true for a stand-in: no measurement",
    "luminosity_ifb": "integrated luminosity to scale to, 1/fb; the same in all datasets",
    "luminosity_source": "where that is from",
    "good_runs": "path of a good-run list (XML), or {run: [[first, last], ...]}",
    "good_runs_source": "name of that list",
    "corrections": "what was corrected in the numbers, a list of texts",
}

#: Taken where a fileset states no luminosity, with a note.
DEFAULT_LUMINOSITY_IFB = 36.64674
DEFAULT_LUMINOSITY_SOURCE = "not stated by the fileset; the 2015-2016 data's is taken"

_WEIGHT_KEYS = ("xsec", "genFiltEff", "kFactor", "nevts", "sumw")
_FILE_KEYS = ("object_path", "num_entries", "steps", "uuid")
_FILESET_KEYS = ("luminosity_ifb", "luminosity_source", "good_runs", "good_runs_source")


def from_coffea(decoded: object, name: str) -> Fileset:
    """The fileset that decoded JSON describes.

    Parameters
    ----------
    decoded
        The JSON value.
    name
        Of the fileset.

    Raises
    ------
    DatasetError
        If anything is unknown, missing, impossible or twice; the message names it.
    """
    if not isinstance(decoded, Mapping) or not decoded:
        what = "has no datasets" if decoded == {} else f"is no JSON object: {decoded!r:.40}"
        raise DatasetError(
            f"fileset {name!r} {what}",
            remedy='write {"dataset": {"files": {"url": "tree"}, "metadata": {...}}}',
        )
    datasets = tuple(_dataset(name, str(key), value) for key, value in decoded.items())
    check_unique(name, datasets)
    metadata = {str(key): value["metadata"] for key, value in decoded.items()}
    luminosity = _agreed(name, metadata, "luminosity_ifb")
    notes = () if luminosity is not None else (f"luminosity {DEFAULT_LUMINOSITY_SOURCE}",)
    return Fileset(
        name=name,
        datasets=datasets,
        luminosity_ifb=DEFAULT_LUMINOSITY_IFB
        if luminosity is None
        else _positive(name, "luminosity_ifb", luminosity),
        luminosity_source=DEFAULT_LUMINOSITY_SOURCE
        if luminosity is None
        else str(_agreed(name, metadata, "luminosity_source") or f"fileset {name}"),
        good_runs=_good_runs(
            name,
            _agreed(name, metadata, "good_runs"),
            str(_agreed(name, metadata, "good_runs_source") or ""),
        ),
        notes=(
            *notes,
            *(n for d in datasets if d.normalisation for n in d.normalisation.corrections),
        ),
    )


def check_unique(name: str, datasets: Iterable[Dataset]) -> None:
    """Refuse datasets or files that stand twice.

    Raises
    ------
    DatasetError
        If one does.
    """
    listed = tuple(datasets)
    urls = [file.url for dataset in listed for file in dataset.files]
    _refuse_repeated(name, "dataset", [dataset.name for dataset in listed], str)
    _refuse_repeated(name, "file", urls, _place)


def _refuse_repeated(
    name: str, what: str, values: Sequence[str], form: Callable[[str], str]
) -> None:
    counts = Counter(map(form, values))
    twice = {form(value): value for value in values if counts[form(value)] > 1}
    if twice:
        first, *others = twice.values()
        raise DatasetError(
            f"fileset {name!r}: {what} {first!r} stands twice"
            + (f", as do {len(others)} more" if others else ""),
            remedy="keep it once: its events would be counted twice",
        )


def _place(url: str) -> str:
    """One form of an address: ``a.root``, ``./a.root`` and the path from the root are one."""
    return os.path.normpath(url if "://" in url else Path.cwd() / url)


def _dataset(fileset: str, name: str, value: object) -> Dataset:
    where = f"fileset {fileset!r}, dataset {name!r}"
    entry = _mapping(where, value)
    _refuse_unknown(where, entry, ("files", "metadata"))
    if "metadata" not in entry:
        raise DatasetError(f"{where}: no metadata", remedy="give at least the process")
    metadata = _mapping(f"{where}, metadata", entry["metadata"])
    _refuse_unknown(f"{where}, metadata", metadata, METADATA)
    process = metadata.get("process")
    if not isinstance(process, str) or not process:
        raise DatasetError(f"{where}: no process", remedy="name the process; 'data' for data")
    role = _role(where, process, metadata.get("role"))
    return Dataset(
        name=name,
        process=process,
        role=role,
        files=_files(where, entry.get("files")),
        normalisation=_normalisation(where, role, metadata),
        dsid=_whole(where, "dsid", metadata.get("dsid")),
        is_synthetic=_flag(where, "synthetic", metadata.get("synthetic", False)),
    )


def _mapping(where: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise DatasetError(
            f"{where}: expected an object, found {type(value).__name__}",
            remedy='write {"files": {"url": "tree"}, "metadata": {...}}',
        )
    return value


def _refuse_unknown(where: str, entry: Mapping[str, Any], known: Iterable[str]) -> None:
    unknown = [key for key in entry if key not in set(known)]
    if unknown:
        raise DatasetError(
            f"{where}: unknown {', '.join(map(repr, unknown))}",
            remedy=f"allowed are {', '.join(known)}",
        )


def _role(where: str, process: str, role: object) -> Role:
    if role is None:
        return role_of(process)
    if role not in get_args(Role) or (process == DATA) != (role == "data"):
        raise DatasetError(
            f"{where}: role {role!r} does not fit the process {process!r}",
            remedy=f"roles are {', '.join(get_args(Role))}; 'data' goes with the process 'data'",
        )
    return cast("Role", role)


def _files(where: str, value: object) -> tuple[SourceFile, ...]:
    listed = _mapping(f"{where}, files", value)
    if not listed:
        raise DatasetError(f"{where}: no files", remedy='list them as {"url": "tree"}')
    return tuple(_file(where, str(url), spec) for url, spec in listed.items())


def _file(where: str, url: str, spec: object) -> SourceFile:
    if spec is None or isinstance(spec, str):
        return SourceFile(url=_address(url), tree=spec or "")
    details = _mapping(f"{where}, file {url}", spec)
    _refuse_unknown(f"{where}, file {url}", details, _FILE_KEYS)
    n_events = _whole(where, "num_entries", details.get("num_entries"))
    n_stepped = _stepped(where, url, details.get("steps"))
    if n_stepped and n_events is not None and n_stepped != n_events:
        raise DatasetError(
            f"{where}: the steps of {url} leave out events",
            remedy="remove the steps: a file is read whole",
        )
    return SourceFile(
        url=_address(url),
        tree=str(details.get("object_path") or ""),
        n_events=n_events,
    )


def _stepped(where: str, url: str, steps: Any) -> int:
    """Events in the steps of a file, 0 where there are none."""
    try:
        return sum(stop - start for start, stop in steps or ())
    except (TypeError, ValueError) as error:
        raise DatasetError(
            f"{where}: the steps of {url} are {steps!r:.60}",
            remedy="remove the steps: a file is read whole",
        ) from error


def _address(url: str) -> str:
    """The path of a file:// URL, in which a space is ``%20``; any other address as it is."""
    return unquote(url.removeprefix("file://")) if url.startswith("file://") else url


def _normalisation(where: str, role: Role, metadata: Mapping[str, Any]) -> Normalisation | None:
    given = [key for key in _WEIGHT_KEYS if metadata.get(key) is not None]
    if role == "data":
        if given:
            raise DatasetError(
                f"{where}: data has {', '.join(given)}",
                remedy="remove them, or name the simulated process",
            )
        return None
    if role == "other" and not given:
        return None
    missing = [key for key in ("xsec", "genFiltEff", "kFactor") if key not in given]
    if missing or ("nevts" in given) == ("sumw" in given):
        raise DatasetError(
            f"{where}: no weights for simulation: "
            f"{', '.join(missing) or 'one of nevts and sumw'} needed",
            remedy="give xsec (pb), genFiltEff and kFactor (1 where there is none), and either "
            "sumw (sum of generator weights) or nevts (number of events); observed data is the "
            f"process {DATA!r}",
        )
    if "sumw" in given:
        sum_of_weights = _positive(where, "sumw", metadata["sumw"])
    else:
        sum_of_weights = _positive(where, "nevts", metadata["nevts"])
    efficiency = _positive(where, "genFiltEff", metadata["genFiltEff"])
    if efficiency > 1.0:
        raise DatasetError(
            f"{where}: genFiltEff is {efficiency:g}", remedy="an efficiency is at most 1"
        )
    return Normalisation(
        cross_section_pb=_positive(where, "xsec", metadata["xsec"]),
        filter_efficiency=efficiency,
        k_factor=_positive(where, "kFactor", metadata["kFactor"]),
        sum_of_weights=sum_of_weights,
        counts_events="nevts" in given,
        corrections=_texts(where, "corrections", metadata.get("corrections", [])),
    )


def _positive(where: str, key: str, value: object) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not 0 < value <= sys.float_info.max
    ):
        raise DatasetError(
            f"{where}: {key} is {value!r:.60}", remedy=f"give a positive number: {METADATA[key]}"
        )
    return float(value)


def _whole(where: str, key: str, value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise DatasetError(f"{where}: {key} is {value!r}", remedy="give a whole number")
    return value


def _texts(where: str, key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise DatasetError(f"{where}: {key} is {value!r}", remedy="give a list of texts")
    return tuple(value)


def _flag(where: str, key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise DatasetError(f"{where}: {key} is {value!r}", remedy="write true or false")
    return value


def _agreed(fileset: str, metadata: Mapping[str, Mapping[str, Any]], key: str) -> object:
    """The one value that datasets give for ``key``; None where none does."""
    values = {name: entry[key] for name, entry in metadata.items() if entry.get(key) is not None}
    distinct = list(values.values())
    for name, value in values.items():
        if value != distinct[0]:
            raise DatasetError(
                f"fileset {fileset!r}: {key} of {name!r} and of {next(iter(values))!r} differ",
                remedy=f"give the same {key} in all datasets: one run has one",
            )
    return distinct[0] if distinct else None


def _good_runs(fileset: str, value: object, source: str) -> GoodRuns | None:
    where = f"fileset {fileset!r}, good_runs"
    if value is None:
        return None
    if isinstance(value, str):
        return read_good_runs(Path(value))
    try:
        blocks = {
            int(run): checked_ranges(int(run), map(_range, ranges), source=where)
            for run, ranges in _mapping(where, value).items()
        }
    except (TypeError, ValueError) as error:
        raise DatasetError(
            f"{where}: {error}", remedy="write {run: [[first block, last block], ...]}"
        ) from error
    return GoodRuns(blocks, source=source)


def _range(pair: Any) -> tuple[int, int]:
    """First and last luminosity block, which JSON may give as anything."""
    first, last = pair
    if not (type(first) is type(last) is int):
        raise TypeError(f"{first!r} to {last!r} are no luminosity blocks")
    return first, last


def to_coffea(fileset: Fileset, *, with_entries: bool = False) -> dict[str, Any]:
    """The fileset in coffea's form, ready for `json.dump`.

    What coffea's form has no place for (sizes, checksums, run numbers, notes) is left
    out. The good-run list stands in each dataset of data.

    Parameters
    ----------
    fileset
        What to write.
    with_entries
        Give the number of entries of a file where it is known, so that it is checked. A
        file is then coffea's object, which its `Runner` does not take.
    """
    return {d.name: _to_coffea(fileset, d, with_entries=with_entries) for d in fileset.datasets}


def _to_coffea(fileset: Fileset, dataset: Dataset, *, with_entries: bool) -> dict[str, Any]:
    metadata: dict[str, Any] = {"process": dataset.process, "role": dataset.role}
    metadata["luminosity_ifb"] = fileset.luminosity_ifb
    metadata["luminosity_source"] = fileset.luminosity_source
    if dataset.dsid is not None:
        metadata["dsid"] = dataset.dsid
    if dataset.is_synthetic:
        metadata["synthetic"] = True
    if dataset.is_data and fileset.good_runs is not None:
        blocks = fileset.good_runs.blocks
        metadata["good_runs"] = {
            str(run): [list(pair) for pair in ranges] for run, ranges in blocks.items()
        }
        metadata["good_runs_source"] = fileset.good_runs.source
    if dataset.normalisation is not None:
        metadata |= _weights(dataset.normalisation)
    files = {file.url: _file_value(file, with_entries=with_entries) for file in dataset.files}
    return {"files": files, "metadata": metadata}


def _file_value(file: SourceFile, *, with_entries: bool) -> str | dict[str, Any] | None:
    if with_entries and file.n_events is not None:
        return {"object_path": file.tree or None, "num_entries": file.n_events}
    return file.tree or None


def _weights(normalisation: Normalisation) -> dict[str, Any]:
    weights: dict[str, Any] = {
        "xsec": normalisation.cross_section_pb,
        "genFiltEff": normalisation.filter_efficiency,
        "kFactor": normalisation.k_factor,
        "nevts" if normalisation.counts_events else "sumw": normalisation.sum_of_weights,
    }
    if normalisation.corrections:
        weights["corrections"] = list(normalisation.corrections)
    return weights
