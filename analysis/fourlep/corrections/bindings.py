"""Adapter to the collaboration's own tools, where their Python bindings are installed.

ATLAS's columnar combined-performance tools have Python bindings (``atlascp``, shown at
SciPy 2024): a tool is made, given properties, initialised, and called with electrons and
a systematic; the result has the corrected momentum as ``newPt``, in MeV. The adapter makes
that a `KinematicTool`. The bindings are not public: what is known of them is what was
shown, and the tests run against a stand-in of that signature.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import awkward as ak
import numpy as np

from fourlep.corrections.flat import FlatLeptons, Floats
from fourlep.corrections.momentum import Flavour, corrected
from fourlep.corrections.payload import NOMINAL
from fourlep.errors import ConfigError
from fourlep.units import MeV

#: What the bindings call the fields of a lepton; energies are MeV there.
_FIELDS = {"pt": "pt", "eta": "eta", "phi": "phi", "m": "mass", "charge": "charge"}
_ENERGIES = ("pt", "m")


@dataclass(frozen=True, slots=True)
class BoundTool:
    """A tool of the collaboration, as a `KinematicTool`.

    Parameters
    ----------
    flavour
        Which leptons it corrects.
    tool
        Dotted name of the class: ``atlascp.EgammaTools.EgammaCalibrationAndSmearingTool``.
    systematics
        Variations to take from it, in its own names.
    properties
        Names and values that it is given before it is initialised.
    largest_change
        Of pT, relative; a larger one is limited to it.
    """

    flavour: Flavour
    tool: str
    systematics: tuple[str, ...]
    properties: tuple[tuple[str, str], ...] = ()
    largest_change: float = 0.05

    def __call__(self, leptons: ak.Array, sys: str = NOMINAL) -> ak.Array:
        """Correct leptons.

        Parameters
        ----------
        leptons : (n_events, var) records
            With ``pt`` (GeV), ``eta``, ``phi``, ``mass`` and ``charge``.
        sys
            ``nominal`` or one of `systematics`.

        Returns
        -------
        (n_events, var) records
            With corrected ``pt``.

        Raises
        ------
        ConfigError
            If the bindings are not installed, or the tool does not have ``sys``.
        """
        return corrected(self, leptons, sys)

    def changes(self, leptons: FlatLeptons, sys: str) -> Floats:
        """Compute the factor on pT of each lepton, (n_leptons,)."""
        columns = {
            theirs: leptons.jagged(leptons.inputs[ours] / (MeV if theirs in _ENERGIES else 1.0))
            for theirs, ours in _FIELDS.items()
        }
        made = _initialised(self.tool, self.properties)
        answer = made(ak.zip(columns), sys="" if sys == NOMINAL else sys)
        pt = np.asarray(ak.flatten(answer.newPt, axis=None), dtype=np.float64) * MeV
        change = pt / leptons.inputs["pt"]
        return np.clip(change, 1.0 - self.largest_change, 1.0 + self.largest_change)


@lru_cache(maxsize=8)
def _initialised(tool: str, properties: tuple[tuple[str, str], ...]) -> Any:
    """The tool, made and initialised once in each process."""
    module, _, name = tool.rpartition(".")
    try:
        made = getattr(importlib.import_module(module), name)()
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"the collaboration's tool {tool} is not installed: {error}",
            remedy="run where its Python bindings are, or empty corrections.bindings",
        ) from error
    for key, value in properties:
        made.setProperty(key, value)
    made.initialize()
    return made
