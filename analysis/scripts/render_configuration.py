"""Write the tables of docs/reference/configuration.md from the configuration dataclasses."""

from __future__ import annotations

from pathlib import Path

from fourlep.config.toml import reference, rendered
from fourlep.pipeline.configure import FIT_TABLE, SECTIONS
from fourlep.stats.config import FitConfig, demonstrator_config, fourlepton_config

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"

INTRODUCTION = """\
# Configuration

`fourlep run --config FILE` reads a TOML file. Every key below may be set; what is left out keeps
its default. An unknown key, a wrong type and an empty window are errors that name the file, the
key and what is allowed.

```toml
[fourlepton.quadruplet]
m12_min = 40.0

[fourlepton.histograms.m4l]
n_bins = 34
```

Energies are GeV, lengths mm. A run directory belongs to one configuration: another one needs
another directory. `[fit]` at the end is the exception: `fourlep fit --config FILE` reads it, and a
run can be fitted in many ways.

"""

FIT_DEFAULTS = """\

What is left out of `[fit]` keeps the default of the run's selection; a list of tables replaces the
whole list. The defaults of `demonstrator2020` are

```toml
{demonstrator}
```

and those of every other selection

```toml
{fourlepton}
```
"""


def page() -> str:
    """Return the page."""
    defaults = FIT_DEFAULTS.format(
        demonstrator=rendered(demonstrator_config(), FIT_TABLE),
        fourlepton=rendered(fourlepton_config(), FIT_TABLE),
    )
    return INTRODUCTION + reference({**SECTIONS, FIT_TABLE: FitConfig}) + "\n" + defaults


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
