from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

#: Reads a file with another codec, other columns, parts and windows, and by an index.
_OTHER = """
import sys
from pathlib import Path
from numba.core import event
from fourlep.benchmark.files import Content, cascade, write_file
from fourlep.benchmark.kernels import compile_kernels
from fourlep.io.lean import gather, reader, scan
from fourlep.io.lean.reader import LeanFile
from fourlep.synth.physlite.write import Clusters
from fourlep.synth.rootfile.codec import Compression
print(compile_kernels())
path = str(Path(sys.argv[1]) / "file.root")
write_file(Path(path), Content(300, 0.3, seed=2), compression=Compression("lz4"),
           clusters=Clusters(entries=37))
gather.PART_BYTES = reader.PART_BYTES = 100_000
scan.WINDOW_BYTES = 2_000
with event.install_recorder("numba:compile") as compiled:
    with LeanFile(path) as file:
        columns = sorted(file.columns())
        found = sum(map(len, file.survivors(cascade(), columns)))
        index = file.indexed(columns)
    with LeanFile(path, index=index) as file:
        assert file.is_indexed
        assert sum(map(len, file.survivors(cascade(), columns))) == found > 0
print(len(compiled.buffer))
"""


def test_no_kernel_is_left_to_be_compiled_by_the_first_who_reads(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _OTHER, str(tmp_path)],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    before, after = map(int, done.stdout.split())
    assert before > 30
    assert after == 0
