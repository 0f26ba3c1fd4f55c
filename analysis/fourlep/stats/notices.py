"""Notices of pyhf and cabinetry that are known and not for the user."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_known_notices() -> Iterator[None]:
    """Silence what pyhf says of itself while it builds a model; nothing else.

    That is: its use of a deprecated class of jsonschema, and
    the notice that rates are clipped, which is asked for.
    """
    logger = logging.getLogger("pyhf.pdf")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", message="jsonschema.RefResolver", category=DeprecationWarning
            )
            yield
    finally:
        logger.setLevel(level)
