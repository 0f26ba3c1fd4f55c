"""Compiles all kernels of the lean reader before anybody waits for them.

``python -m fourlep.benchmark.kernels`` tells how many were not on disk. With
``NUMBA_CPU_NAME=generic NUMBA_CPU_FEATURES=`` what it leaves beside the package serves every
processor of this kind, see `fourlep.io.lean.compiled`; the analysis image is made so.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from numba.core import event

from fourlep.benchmark.files import Content, write_file
from fourlep.chunk.analysis import Analysis
from fourlep.chunk.model import Chunk
from fourlep.chunk.process import process
from fourlep.io.lean.reader import LeanFile
from fourlep.physics.registry import selection
from fourlep.synth.physlite.write import Clusters


def compile_kernels() -> int:
    """Read small synthetic files in every way; how many kernels had to be compiled."""
    with (
        event.install_recorder("numba:compile") as compiled,
        tempfile.TemporaryDirectory(prefix="fourlep-kernels-") as folder,
    ):
        for is_data in (False, True):
            path = Path(folder) / f"SYNTHETIC_{'data' if is_data else 'simulation'}.root"
            content = Content(400, 0.2, seed=1, is_data=is_data)
            write_file(path, content, clusters=Clusters(entries=50))
            for name in ("fourlepton", "scipy2024"):
                process(Chunk("kernels", str(path)), Analysis(selection(name), reader="lean"))
            with LeanFile(str(path)) as file:
                file.read(sorted(file.columns()))
    return sum(1 for _, each in compiled.buffer if each.is_start)


if __name__ == "__main__":
    sys.stdout.write(f"{compile_kernels()} kernels compiled\n")
