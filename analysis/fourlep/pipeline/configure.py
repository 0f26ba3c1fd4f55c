"""From names and a TOML file to an `Analysis`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fourlep.chunk.analysis import Analysis
from fourlep.config.toml import read_config
from fourlep.corrections import CorrectionsConfig, make_corrections
from fourlep.datasets.model import Fileset
from fourlep.io.source import ReaderChoice
from fourlep.physics.registry import CONFIGS, selection

#: Tables of a configuration file that a run reads, and their dataclasses.
SECTIONS: Mapping[str, type[Any]] = {
    **CONFIGS,
    "corrections": CorrectionsConfig,
}

#: The table that `fourlep.pipeline.fit` reads.
FIT_TABLE = "fit"

#: Selections of PHYSLITE objects, which simulation has uncalibrated: the others read
#: ntuples that were corrected when they were made, or follow a recipe without corrections.
_CORRECTED = frozenset({"fourlepton"})


def read_sections(config: Path | None) -> dict[str, Any]:
    """Read a configuration file; every table that it lacks has its defaults.

    Raises
    ------
    ConfigError
        If the file cannot be read or is wrong.
    """
    if config is None:
        return {name: kind() for name, kind in SECTIONS.items()}
    return read_config(config, SECTIONS, elsewhere=(FIT_TABLE,))


def configured_analysis(
    name: str,
    config: Path | None,
    fileset: Fileset,
    *,
    reader: ReaderChoice = "auto",
    with_variations: bool = True,
    keep_candidates: bool = False,
) -> Analysis:
    """Make the analysis that a configuration file describes.

    Parameters
    ----------
    name
        Of the selection.
    config
        TOML file with tables of `SECTIONS`; None for the defaults.
    fileset
        What will be run over; its good-run list is taken.
    reader, keep_candidates
        As in `Analysis`.
    with_variations
        Whether simulation is corrected and varied; only of `fourlepton`.

    Raises
    ------
    ConfigError
        If the file is wrong or there is no such selection.
    """
    sections = read_sections(config)
    corrections = None
    if with_variations and name in _CORRECTED:
        corrections = make_corrections(sections["corrections"], is_synthetic=fileset.is_synthetic)
    return Analysis(
        selection=selection(name, sections.get(name)),
        good_runs=fileset.good_runs,
        corrections=corrections,
        reader=reader,
        keep_candidates=keep_candidates,
    )
