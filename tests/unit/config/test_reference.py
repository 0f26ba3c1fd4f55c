"""The configuration reference is what the code accepts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fourlep.config.toml import reference
from fourlep.pipeline.configure import FIT_TABLE, SECTIONS
from fourlep.pipeline.fit import fit_config
from fourlep.stats.config import FitConfig, config_for

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "configuration.md"


def test_the_documentation_has_every_setting_as_the_code_has_it() -> None:
    assert reference({**SECTIONS, FIT_TABLE: FitConfig}) in PAGE.read_text(), (
        "run: python analysis/scripts/render_configuration.py"
    )


@pytest.mark.parametrize(
    ("position", "selection", "other"),
    [(0, "demonstrator2020", "fourlepton"), (1, "fourlepton", "demonstrator2020")],
)
def test_the_fit_that_the_documentation_writes_out_is_the_default(
    tmp_path: Path, position: int, selection: str, other: str
) -> None:
    blocks = re.findall(r"```toml\n(\[\[?fit.*?)```", PAGE.read_text(), flags=re.DOTALL)
    path = tmp_path / "fit.toml"
    path.write_text(blocks[position])
    # Read over the defaults of the other selection, so that nothing can be left out.
    assert fit_config(path, other) == config_for(selection)
