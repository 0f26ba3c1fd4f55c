"""Numbers of corrections: a correctionlib JSON file with names that the tools know.

`CONTRACT` says which corrections a payload may have. Each has a string input ``sys``
whose categories are the variations that it offers, ``nominal`` among them or as the
default, and any of the inputs `INPUTS`. So a payload decides by itself which variations
there are, and a site's own one needs no code.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from fourlep.corrections.flat import Floats
from fourlep.errors import ConfigError

#: The variation that varies nothing.
NOMINAL = "nominal"

#: Letters that are told of a long list of what is wrong with a payload.
_TOLD = 400

#: Corrections that a payload may have, and what their value is.
CONTRACT: Mapping[str, str] = {
    "electron_scale": "factor on pT",
    "electron_resolution": "relative width of additional Gaussian smearing of pT",
    "electron_reconstruction": "efficiency in data over that in simulation",
    "electron_identification": "efficiency in data over that in simulation",
    "electron_isolation": "efficiency in data over that in simulation",
    "muon_scale": "factor on pT",
    "muon_resolution": "relative width of additional Gaussian smearing of pT",
    "muon_reconstruction": "efficiency in data over that in simulation",
    "muon_isolation": "efficiency in data over that in simulation",
    "muon_vertex_association": "efficiency in data over that in simulation",
    "pileup": "factor on the weight of an event",
}

#: Inputs that a correction may have besides ``sys``.
INPUTS: Mapping[str, str] = {
    "pt": "transverse momentum, GeV",
    "eta": "pseudorapidity",
    "abs_eta": "|pseudorapidity|",
    "phi": "azimuth",
    "pileup": "average interactions per crossing",
}


class Payload:
    """A checked correctionlib payload, immutable and picklable.

    Its content travels with it, so that workers need no file; ``str`` is its name and
    checksum, which is what the record of a run keeps.

    Parameters
    ----------
    name
        For people.
    content
        The JSON text, not compressed.

    Raises
    ------
    ConfigError
        If it is no correctionlib JSON, or breaks the contract.
    """

    __slots__ = ("_offers", "content", "name", "sha256")

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        self.content = content
        self.sha256 = hashlib.sha256(content).hexdigest()
        self._offers = _checked(name, content)
        _evaluators(self)

    def __reduce__(self) -> tuple[type[Payload], tuple[str, bytes]]:
        return (Payload, (self.name, self.content))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Payload) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __repr__(self) -> str:
        return f"{self.name} (sha256 {self.sha256[:16]})"

    def has(self, correction: str) -> bool:
        """Whether there is a correction of this name."""
        return correction in self._offers

    def systematics(self, correction: str) -> tuple[str, ...]:
        """List the variations of a correction, without ``nominal``; none if it is absent."""
        return self._offers.get(correction, ())

    def evaluate(self, correction: str, sys: str, inputs: Mapping[str, Floats]) -> Floats:
        """Evaluate a correction.

        Parameters
        ----------
        correction
            Its name.
        sys
            ``nominal`` or one of its variations.
        inputs
            (n,) arrays by name; those that it needs are taken.

        Returns
        -------
        (n,) float64

        Raises
        ------
        ConfigError
            If a value is outside the payload's bins.
        """
        evaluator = _evaluators(self)[correction]
        names = [item.name for item in evaluator.inputs]
        values = [sys if name == "sys" else inputs[name] for name in names]
        try:
            return np.asarray(evaluator.evaluate(*values), dtype=np.float64)
        except (IndexError, RuntimeError, ValueError) as error:
            raise ConfigError(
                f"corrections {self.name}: {correction} ({sys}) cannot be evaluated: {error}",
                remedy="widen its bins, or set flow to 'clamp' in the payload",
            ) from error


@lru_cache(maxsize=16)
def _evaluators(payload: Payload) -> Mapping[str, Any]:
    """Compiled corrections, once in each process."""
    import correctionlib

    try:
        return dict(correctionlib.CorrectionSet.from_string(payload.content.decode()))
    except (RuntimeError, ValueError) as error:
        raise ConfigError(
            f"corrections {payload.name} are no correctionlib payload: {error}",
            remedy="check the file with 'correction validate'",
        ) from error


def _checked(name: str, content: bytes) -> dict[str, tuple[str, ...]]:
    """Variations by correction, after a look at everything below them.

    Without that look the library ends the process over a node that has no inputs.
    """
    from correctionlib import schemav2

    try:
        decoded = json.loads(content)
        offers = {item["name"]: _offered(name, item) for item in decoded["corrections"]}
        schemav2.CorrectionSet.model_validate(decoded)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ConfigError(
            f"corrections {name} are no correctionlib payload: {type(error).__name__}:"
            f" {str(error)[:_TOLD]}",
            remedy="check the file with 'correction validate'",
        ) from error
    return offers


def _offered(name: str, correction: Mapping[str, Any]) -> tuple[str, ...]:
    label = correction["name"]
    inputs = [item["name"] for item in correction["inputs"]]
    if label not in CONTRACT:
        raise ConfigError(
            f"corrections {name}: unknown correction {label!r}",
            remedy=f"known are {', '.join(CONTRACT)}",
        )
    unknown = [item for item in inputs if item not in INPUTS and item != "sys"]
    if unknown or "sys" not in inputs:
        raise ConfigError(
            f"corrections {name}: {label} has the inputs {', '.join(inputs)}",
            remedy=f"it needs 'sys', and may have {', '.join(INPUTS)}",
        )
    data = correction["data"]
    is_node = isinstance(data, Mapping)  # a number is a correction, too
    if not is_node or data.get("nodetype") != "category" or data["input"] != "sys":
        raise ConfigError(
            f"corrections {name}: {label} does not begin with a category of 'sys'",
            remedy="make a category of 'sys' its outermost node",
        )
    keys = [item["key"] for item in data["content"]]
    if NOMINAL not in keys and data.get("default") is None:
        raise ConfigError(
            f"corrections {name}: {label} has no nominal value",
            remedy="add the category 'nominal', or a default",
        )
    return tuple(key for key in keys if key != NOMINAL)


def read_payload(path: Path | None = None) -> Payload:
    """Read a payload, JSON or gzipped JSON; the illustrative one by default.

    Raises
    ------
    ConfigError
        If it cannot be read or is wrong.
    """
    chosen = Path(__file__).with_name("data") / "illustrative.json" if path is None else path
    try:
        content = chosen.read_bytes()
        if chosen.suffix == ".gz":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise ConfigError(
            f"corrections {chosen} cannot be read: {error}",
            remedy="give a correctionlib JSON, plain or gzipped",
        ) from error
    return Payload(chosen.name, content)
