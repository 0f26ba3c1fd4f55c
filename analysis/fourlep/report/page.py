"""The parts of the page and how they become HTML."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a summary.

    Parameters
    ----------
    name, value
        What it is and how much, with its unit.
    note
        Source or explanation, "" for none.
    """

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Parameters
    ----------
    columns
        Headings.
    rows
        Cells as text; every row as long as ``columns``.
    caption
        What it shows.
    is_text
        Whether cells are text, set left and wrapped, rather than numbers.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class FigureBlock:
    """A figure, embedded in the page.

    Parameters
    ----------
    path
        PNG file.
    caption
        What it shows; also its text for those who cannot see it.
    is_wide
        Takes the room of two where there is room.
    """

    path: Path
    caption: str
    is_wide: bool = False

    @property
    def data_uri(self) -> str:
        """The picture as a ``data:`` address."""
        return "data:image/png;base64," + base64.b64encode(self.path.read_bytes()).decode("ascii")


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the page; empty parts are not shown."""

    title: str
    text: str = ""
    facts: tuple[Fact, ...] = ()
    figures: tuple[FigureBlock, ...] = ()
    tables: tuple[Table, ...] = ()
    is_folded: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page.

    Parameters
    ----------
    title, subtitle
        Heading lines.
    is_synthetic
        Shows a banner that nothing here is ATLAS data; with ``is_observed``, that the
        simulation is not ATLAS's.
    warnings
        What a reader must know before the numbers: incomplete runs, blinding.
    sections
        In order.
    footer
        Last line.
    is_observed
        Whether real data is in it.
    """

    title: str
    subtitle: str
    is_synthetic: bool
    warnings: tuple[str, ...]
    sections: tuple[Section, ...]
    footer: str
    is_observed: bool = False


def render(page: Page) -> str:
    """Render the page as one HTML document that needs nothing else.

    Returns
    -------
    HTML, UTF-8 text.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fourlep.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html").render(page=page)
