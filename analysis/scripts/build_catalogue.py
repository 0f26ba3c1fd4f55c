"""Build the catalogues that come with fourlep.

From the facts at hand::

    python analysis/scripts/build_catalogue.py FACTS

where FACTS has ``release2024/`` and ``ntuple2020/``. On a connected machine, from the
official sources (needs ``pip install atlasopenmagic``)::

    python analysis/scripts/build_catalogue.py FACTS --from-official

takes the simulated datasets from ``atlasopenmagic`` and the files from the portal's file
indexes, and the good-run lists, record totals and 2020 sample list from FACTS. Both ways
end in the same checks: the totals of the release's own record.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from catalogue_facts import demo2020_from_facts, release_from_facts
from catalogue_official import release_from_official

from fourlep.datasets.catalogue import Catalogue
from fourlep.datasets.catalogue_format import write_parquet

DATA = Path(__file__).resolve().parents[1] / "fourlep" / "datasets" / "data"


def check_totals(catalogue: Catalogue, totals: dict[str, int]) -> None:
    """Compare a catalogue with the release's own record of itself.

    Raises
    ------
    SystemExit
        If files, events or bytes differ. Events and bytes of data are known per record
        only, so those come from the records.
    """
    files = catalogue.files
    is_data = [entry.role == "data" for entry in catalogue.entries]
    simulated = [not is_data[index] for index in files.dataset]
    found = {"files": len(files)}
    for quantity, column in (("events", files.n_events), ("bytes", files.n_bytes)):
        recorded = sum(r[quantity] for name, r in catalogue.records.items() if "data" in name)
        found[quantity] = int(column[simulated].sum()) + recorded
    wrong = {key: (found[key], totals[key]) for key in found if found[key] != totals[key]}
    if wrong:
        raise SystemExit(f"totals differ from the release's record (found, recorded): {wrong}")


def main() -> None:
    """Build both catalogues."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("facts", type=Path, help="folder with release2024/ and ntuple2020/")
    parser.add_argument("--from-official", action="store_true", help="ask the official sources")
    parser.add_argument("--output", type=Path, default=DATA)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    facts = options.facts / "release2024"
    build = release_from_official if options.from_official else release_from_facts
    release = build(facts)
    check_totals(release, json.loads((facts / "release_facts.json").read_text())["totals"])
    for catalogue in (release, demo2020_from_facts(options.facts / "ntuple2020")):
        path = options.output / f"{catalogue.name}.parquet"
        write_parquet(path, catalogue)
        print(f"{path}: {len(catalogue.files):,} files, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
