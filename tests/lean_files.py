"""Type of the fixture that writes small PHYSLITE files for the lean reader."""

from collections.abc import Callable
from pathlib import Path

WriteLean = Callable[..., Path]
