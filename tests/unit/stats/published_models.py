"""Validation models that pyhf publishes with the CLs that ROOT and pyhf agree on.

Models and numbers are those of ``validation/data`` and ``tests/test_validation.py`` of
https://github.com/scikit-hep/pyhf (Apache-2.0): CLs at strength 1, observed and expected
at -2 to 2 standard deviations, with interpolation codes 0 and 1 (the defaults when they
were published).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_MU = {"name": "mu", "type": "normfactor", "data": None}


@dataclass(frozen=True)
class Published:
    name: str
    channels: dict[str, list[dict[str, Any]]]
    data: list[float]
    observed: float | None
    expected: tuple[float, ...]
    parameters: tuple[dict[str, Any], ...] = ()
    interpolation: tuple[str, str] = ("code1", "code0")

    @property
    def spec(self) -> dict[str, Any]:
        return {
            "channels": [
                {"name": name, "samples": samples} for name, samples in self.channels.items()
            ],
            "parameters": list(self.parameters),
        }


def _signal(*events: float) -> dict[str, Any]:
    return {"name": "signal", "data": list(events), "modifiers": [_MU]}


def _background(name: str, events: list[float], kind: str, label: str, data: Any) -> dict[str, Any]:
    modifier = {"name": label, "type": kind, "data": data}
    return {"name": name, "data": events, "modifiers": [modifier]}


PUBLISHED = (
    Published(
        "one bin, shapesys",
        {"single": [_signal(10), _background("bkg", [50.0], "shapesys", "gamma", [7.0])]},
        [55.0],
        0.4541865416107029,
        (
            0.06371799398864626,
            0.15096503398048894,
            0.3279606950533305,
            0.6046087303039118,
            0.8662627605298466,
        ),
    ),
    Published(
        "one bin, luminosity",
        {
            "single": [
                _signal(20),
                _background("bkg", [100.0], "lumi", "lumi", None),
            ]
        },
        [55.0],
        None,  # published with another formula for a best fit at its limit
        (0.01060338, 0.04022273, 0.13614217, 0.37078321, 0.71104119),
        (
            {
                "name": "lumi",
                "auxdata": [1.0],
                "bounds": [[0.0, 10.0]],
                "inits": [1.0],
                "sigmas": [0.1],
            },
        ),
    ),
    Published(
        "two bins, normsys",
        {
            "single": [
                _signal(30, 95),
                _background("bkg", [100.0, 150.0], "normsys", "norm", {"lo": 0.9, "hi": 1.1}),
            ]
        },
        [120.0, 180.0],
        0.0006735317023683173,
        (
            7.471694618861785e-10,
            5.7411551509088054e-08,
            3.6898088058290313e-06,
            0.000169657315363677,
            0.004392708998183163,
        ),
    ),
    Published(
        "two bins, histosys",
        {
            "single": [
                _signal(30, 95),
                _background(
                    "bkg",
                    [100.0, 150.0],
                    "histosys",
                    "shape",
                    {"lo_data": [98.0, 100.0], "hi_data": [102.0, 190.0]},
                ),
            ]
        },
        [120.0, 180.0],
        0.1001463460725534,
        (
            7.134513306138892e-06,
            0.00012547100627138575,
            0.001880010666437615,
            0.02078964907605385,
            0.13692494523572218,
        ),
    ),
    Published(
        "two channels, shapesys",
        {
            "signal": [
                _signal(10, 35),
                _background("bkg", [100.0, 150.0], "shapesys", "gamma_signal", [10.0, 10.0]),
            ],
            "control": [
                _background("bkg", [200.0, 350.0], "shapesys", "gamma_control", [5.0, 10.0])
            ],
        },
        [205.0, 345.0, 110.0, 155.0],
        0.056332621064982304,
        (
            0.00043491354821983556,
            0.0034223000502860606,
            0.02337423265831151,
            0.1218654225510158,
            0.40382074249477845,
        ),
    ),
    Published(
        "two channels, coupled normsys",
        {
            "signal": [
                _signal(10, 35),
                _background("bkg1", [100.0, 100.0], "normsys", "coupled", {"lo": 0.9, "hi": 1.1}),
                _background("bkg2", [50.0, 100.0], "normsys", "coupled", {"lo": 0.5, "hi": 1.5}),
            ],
            "control": [
                _background("bkg", [100.0, 100.0], "normsys", "coupled", {"lo": 0.9, "hi": 1.1})
            ],
        },
        [110.0, 105.0, 105.0, 220.0],
        0.5906228034705155,
        (
            0.055223914655538435,
            0.13613239925395315,
            0.3068720101493323,
            0.5839470093910164,
            0.8554725461337025,
        ),
    ),
    Published(
        "one of two bins with shapesys (ROOT)",
        {
            "single": [
                _signal(20, 10),
                _background("bkg", [100.0, 10.0], "shapesys", "gamma", [10.0, 0.0]),
            ]
        },
        [100.0, 10.0],
        0.004360634405484502,
        (
            2.702197937866914e-05,
            0.00037099917612576155,
            0.004360634386335687,
            0.03815031509701916,
            0.20203027564155074,
        ),
        interpolation=("code4", "code4p"),
    ),
)
