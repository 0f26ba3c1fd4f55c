"""Small ntuples, a fileset over them, and the command, run in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

from fourlep.cli import main

Writer = Callable[..., str]
Command = Callable[..., "Answer"]


@dataclass(frozen=True)
class Answer:
    """What a command answered."""

    status: int
    out: str
    err: str


@pytest.fixture
def fourlep(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run ``fourlep ARGUMENTS``."""

    def run(*arguments: object) -> Answer:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        code = ended.value.code
        return Answer(code if isinstance(code, int) else 1, out, err)

    return run


@pytest.fixture
def ntuple(tmp_path: Path) -> Writer:
    """Write a 2020 ntuple of 2e2mu events near 125 GeV; ``changed`` replaces branches."""

    def write(name: str, n: int = 10, *, is_data: bool = True, **changed: Any) -> str:
        pt = np.tile(np.array([45.6e3, 45.6e3, 17.0e3, 17.0e3]), (n, 1))
        phi = np.tile(np.array([0.0, np.pi, np.pi / 2, -np.pi / 2]), (n, 1))
        branches: dict[str, Any] = {
            "runNumber": np.full(n, 300000, dtype=np.int32),
            "eventNumber": np.arange(n, dtype=np.int32),
            "channelNumber": np.full(n, 300000 if is_data else 363490, dtype=np.int32),
            "mcWeight": np.full(n, 0.0 if is_data else 2.0, dtype=np.float32),
            "trigE": np.ones(n, dtype=np.bool_),
            "trigM": np.ones(n, dtype=np.bool_),
            **{
                f"scaleFactor_{kind}": np.ones(n, dtype=np.float32)
                for kind in ("ELE", "MUON", "LepTRIGGER", "PILEUP")
            },
            "lep_type": ak.from_regular(np.tile(np.array([11, 11, 13, 13], "u4"), (n, 1))),
            "lep_charge": ak.from_regular(np.tile(np.array([1, -1, 1, -1], "i4"), (n, 1))),
            "lep_pt": ak.from_regular(pt.astype("f4")),
            "lep_eta": ak.from_regular((0 * pt).astype("f4")),
            "lep_phi": ak.from_regular(phi.astype("f4")),
            "lep_trackd0pvunbiased": ak.from_regular((0 * pt).astype("f4")),
        }
        branches |= changed
        held = {key: value for key, value in branches.items() if value is not None}
        path = tmp_path / name
        with uproot.recreate(path) as file:
            file.mktree("mini", {key: ak.type(ak.Array(v)).content for key, v in held.items()})
            if n:
                file["mini"].extend(held)
        return str(path)

    return write


@pytest.fixture
def fileset(tmp_path: Path) -> Callable[..., Path]:
    """Write a fileset over data files and simulated files."""

    def write(data: list[str], simulated: list[str] | None = None, **metadata: Any) -> Path:
        content: dict[str, Any] = {
            "periods": {"files": dict.fromkeys(data, "mini"), "metadata": {"process": "data"}}
        }
        if simulated is not None:
            facts = {"process": "ZZ", "xsec": 1.0, "genFiltEff": 1.0, "kFactor": 1.0, "sumw": 2e4}
            facts |= metadata
            content["zz"] = {
                "files": dict.fromkeys(simulated, "mini"),
                "metadata": {key: value for key, value in facts.items() if value is not None},
            }
        path = tmp_path / "fileset.json"
        path.write_text(json.dumps(content))
        return path

    return write
