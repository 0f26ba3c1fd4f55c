"""The configuration reference is what the code accepts."""

from pathlib import Path

from fourlep.config.toml import reference
from fourlep.pipeline.configure import SECTIONS

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "configuration.md"


def test_the_documentation_has_every_setting_as_the_code_has_it() -> None:
    assert reference(SECTIONS) in PAGE.read_text(), (
        "run: python analysis/scripts/render_configuration.py"
    )
