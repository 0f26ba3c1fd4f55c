"""Sphinx configuration: ``make docs`` builds the site with warnings as errors."""

import fourlep

project = "fourlep"
author = "The fourlep developers"
release = fourlep.__version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_copybutton",
]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
napoleon_google_docstring = False
html_theme = "furo"
html_title = f"fourlep {release}"
exclude_patterns = ["_build"]
autodoc_typehints = "description"
