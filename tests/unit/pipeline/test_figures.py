"""What the figures of a run show."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fourlep.pipeline.figures import _systematic_variances


@pytest.mark.parametrize("ends", [("__1up", "__1down"), ("UP", "DOWN"), ("_up", "_down")])
def test_the_two_sides_of_a_variation_are_one_source_of_the_band(ends: tuple[str, str]) -> None:
    factors = {"": 1.0, "other": 1.1, f"tune{ends[0]}": 1.2, f"tune{ends[1]}": 0.8}

    def read(channel: str, region: str, name: str) -> tuple[Any, Any, Any]:
        events = factors[name.removeprefix("m4l/ZZ").removeprefix("_")] * np.array([10.0])
        return np.array([80.0, 250.0]), events, events

    variations = tuple(name for name in factors if name)
    view: Any = SimpleNamespace(
        record=SimpleNamespace(variations=variations), simulated=["ZZ"], read=read
    )
    found = _systematic_variances(view, "4l", "all", "m4l")
    assert found is not None
    assert found.tolist() == pytest.approx([2.0**2 + 1.0**2])
