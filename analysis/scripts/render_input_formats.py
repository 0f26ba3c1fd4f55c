"""Write the tables of docs/reference/input-formats.md from the tables of the readers."""

from __future__ import annotations

from pathlib import Path

from fourlep.io.branches.reference import render

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "input-formats.md"
FIRST_TABLE = "## Columns\n"


def main() -> None:
    """Replace everything from the first table on."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(text[: text.index(FIRST_TABLE)] + render(), encoding="utf-8")


if __name__ == "__main__":
    main()
