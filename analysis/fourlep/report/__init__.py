"""``report.html``: one self-contained page from finished numbers and figures.

`page` has the values and renders them; it reads figures, and computes nothing.
"""

from fourlep.report.page import Fact, FigureBlock, Page, Section, Table, render

__all__ = ["Fact", "FigureBlock", "Page", "Section", "Table", "render"]
