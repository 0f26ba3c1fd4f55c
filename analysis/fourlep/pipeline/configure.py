"""From names and a TOML file to an `Analysis`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fourlep.chunk.analysis import Analysis
from fourlep.config.toml import read_config
from fourlep.corrections import CorrectionsConfig, make_corrections
from fourlep.datasets.model import Fileset
from fourlep.errors import ConfigError
from fourlep.io.source import ReaderChoice
from fourlep.physics.registry import CONFIGS, configured_selection

#: Every table that a configuration file may have, and its dataclass.
SECTIONS: Mapping[str, type[Any]] = {**CONFIGS, "corrections": CorrectionsConfig}

#: Selections whose simulation is corrected and varied; the others repeat public analyses,
#: with the variations that belong to those.
CORRECTED = ("fourlepton",)


def configured_analysis(
    selection: str,
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
    selection
        Name of the selection.
    config
        TOML file with tables of `SECTIONS`; None for the defaults.
    fileset
        What will be run over; its good-run list is taken.
    reader, keep_candidates
        As in `Analysis`.
    with_variations
        Whether simulation is corrected and varied.

    Raises
    ------
    ConfigError
        If the file is wrong or there is no such selection.
    """
    if config is not None and not config.is_file():
        raise ConfigError(f"there is no file {config}", remedy="check --config")
    settings = read_config(config, SECTIONS) if config else {}
    is_corrected = with_variations and selection in CORRECTED
    return Analysis(
        selection=configured_selection(selection, config, SECTIONS),
        good_runs=fileset.good_runs,
        corrections=make_corrections(settings.get("corrections"), is_synthetic=fileset.is_synthetic)
        if is_corrected
        else None,
        reader=reader,
        keep_candidates=keep_candidates,
    )
