"""The adapter to the collaboration's tools, against a stand-in of their signature."""

from __future__ import annotations

import sys as python
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import awkward as ak
import pytest

from fourlep.config.toml import read_config
from fourlep.corrections import bindings
from fourlep.corrections.bindings import BoundTool
from fourlep.corrections.config import CorrectionsConfig, make_corrections
from fourlep.errors import ConfigError
from unit.corrections.leptons import events, flat, leptons

NAME = "atlascp.EgammaTools.EgammaCalibrationAndSmearingTool"


class StandIn:
    """Made, given properties, initialised, called; energies are MeV, as in the bindings."""

    made: ClassVar[list[StandIn]] = []

    def __init__(self) -> None:
        self.properties: dict[str, str] = {}
        self.calls: list[tuple[ak.Array, str]] = []
        self.is_initialized = False
        StandIn.made.append(self)

    def setProperty(self, name: str, value: str) -> None:
        self.properties[name] = value

    def initialize(self) -> None:
        self.is_initialized = True

    def __call__(self, electrons: ak.Array, sys: str) -> Any:
        assert self.is_initialized
        self.calls.append((electrons, sys))
        factor = {"": 1.001, "EG_SCALE_ALL__1up": 1.003, "HUGE": 3.0}[sys]
        return types.SimpleNamespace(newPt=electrons.pt * factor)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    package, module = types.ModuleType("atlascp"), types.ModuleType("atlascp.EgammaTools")
    module.EgammaCalibrationAndSmearingTool = StandIn  # type: ignore[attr-defined]
    package.EgammaTools = module  # type: ignore[attr-defined]
    monkeypatch.setitem(python.modules, "atlascp", package)
    monkeypatch.setitem(python.modules, "atlascp.EgammaTools", module)
    StandIn.made.clear()
    bindings._initialised.cache_clear()
    yield
    bindings._initialised.cache_clear()


def tool(**changes: Any) -> BoundTool:
    settings = {
        "flavour": "electron",
        "tool": NAME,
        "systematics": ("EG_SCALE_ALL__1up", "HUGE"),
        "properties": (("ESModel", "es2022_R22_PRE"),),
        **changes,
    }
    return BoundTool(**settings)


@pytest.mark.usefixtures("installed")
def test_leptons_go_in_mev_and_come_back_in_gev() -> None:
    corrected = tool()(leptons([[(20.0, 0.5), (30.0, 1.0)], []]), sys="EG_SCALE_ALL__1up")
    assert flat(corrected.pt) == pytest.approx([20.06, 30.09])
    ((electrons, sys),) = StandIn.made[0].calls
    assert flat(electrons.pt) == pytest.approx([20e3, 30e3])
    assert flat(electrons.m) == pytest.approx([100.0, 100.0])
    assert sys == "EG_SCALE_ALL__1up"


@pytest.mark.usefixtures("installed")
def test_nominal_is_the_empty_systematic() -> None:
    corrected = tool()(leptons([[(20.0, 0.5)]]))
    assert flat(corrected.pt) == pytest.approx([20.02])


@pytest.mark.usefixtures("installed")
def test_tool_is_made_once_with_its_properties() -> None:
    some = leptons([[(20.0, 0.5)]])
    bound = tool()
    bound(some)
    bound(some, "EG_SCALE_ALL__1up")
    (made,) = StandIn.made
    assert made.properties == {"ESModel": "es2022_R22_PRE"}


@pytest.mark.usefixtures("installed")
def test_change_is_limited() -> None:
    assert flat(tool()(leptons([[(20.0, 0.5)]]), "HUGE").pt) == pytest.approx([21.0])


def test_absent_bindings_are_told_with_what_to_do() -> None:
    with pytest.raises(ConfigError, match="is not installed") as error:
        tool(tool="atlascp_absent.EgammaTools.Tool")(leptons([[(20.0, 0.5)]]))
    assert "corrections.bindings" in error.value.remedy


def test_unknown_variation_is_refused_before_anything_is_loaded() -> None:
    with pytest.raises(ConfigError, match="no systematic variation 'X'"):
        tool()(leptons([[(20.0, 0.5)]]), sys="X")


@pytest.mark.usefixtures("installed")
def test_configuration_puts_it_in_place_of_the_payload(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        "[[corrections.bindings]]\n"
        'systematics = ["EG_SCALE_ALL__1up"]\n'
        'properties = [["ESModel", "es2022_R22_PRE"]]\n'
    )
    settings = read_config(path, {"corrections": CorrectionsConfig})["corrections"]
    tools = make_corrections(settings)
    assert tools.kinematic_variations == (
        *("EG_SCALE_ALL__1up", "MUON_SCALE__1up", "MUON_SCALE__1down"),
        *("MUON_ID__1up", "MUON_MS__1up"),
    )
    varied = tools.apply(events([[(20.0, 0.5)]]), ("EG_SCALE_ALL__1up",))
    assert flat(varied.electrons.pt) == pytest.approx([20.06])
