"""Write the tables of docs/reference/configuration.md from the configuration dataclasses."""

from __future__ import annotations

from pathlib import Path

from fourlep.config.toml import reference
from fourlep.pipeline.configure import SECTIONS

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
another directory.

"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(INTRODUCTION + reference(SECTIONS) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
