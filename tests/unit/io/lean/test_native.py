"""Inflating through the libraries' own functions, and without them."""

import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from fourlep.benchmark.files import Content, write_file
from fourlep.errors import CorruptFileError
from fourlep.io.lean import basket_kernels as kernels
from fourlep.io.lean import baskets
from fourlep.io.lean.native import Native, native
from fourlep.io.lean.reader import LeanFile
from fourlep.synth.rootfile.codec import Compression

COLUMNS = ("event.number", "event.generator_weight", "electron.pt", "muon.d0")
NONE = Native(0, 0, 0, 0)


def _numbers(path: Path) -> list[list[float]]:
    with LeanFile(str(path)) as file:
        events = file.read(COLUMNS)
    return [events.event["generator_weight"].tolist(), events.electrons.pt.tolist()]


def test_the_wheels_have_the_functions_that_kernels_call() -> None:
    assert all(native())


def test_each_thread_has_contexts_of_its_own() -> None:
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(native).result()
    assert other.zlib == native().zlib
    assert other.zlib_context != native().zlib_context
    assert other.zstd_context != native().zstd_context


@pytest.mark.parametrize("codec", ["zlib", "zstd", "lz4", "lzma", "none"])
def test_without_the_functions_the_numbers_are_the_same(
    codec: str, tmp_path: Path, monkeypatch
) -> None:
    path = tmp_path / "SYNTHETIC.root"
    write_file(path, Content(300, 0.1, seed=2), compression=Compression(codec))
    with_them = _numbers(path)
    monkeypatch.setattr(baskets, "native", lambda: NONE)
    assert _numbers(path) == with_them


def _inflated(block: bytes, n_bytes: int, using: Native) -> tuple[int, bytes]:
    raw = kernels.as_bytes(block)
    out = np.zeros(n_bytes + 8, dtype=np.uint8)
    written = kernels.inflated((raw, 0, len(block)), (out, 0, n_bytes), using)
    return written, out.tobytes()


def _block(content: bytes, claimed: int | None = None) -> bytes:
    squeezed = zlib.compress(content)
    n = len(content) if claimed is None else claimed
    return b"ZL\x08" + len(squeezed).to_bytes(3, "little") + n.to_bytes(3, "little") + squeezed


def test_blocks_follow_one_another() -> None:
    written, out = _inflated(_block(b"abc" * 50) + _block(b"z" * 30), 180, native())
    assert written == 180
    assert out[:180] == b"abc" * 50 + b"z" * 30


@pytest.mark.parametrize(
    "block",
    [
        _block(b"x" * 100)[:-1],
        _block(b"x" * 100, claimed=101),
        _block(b"x" * 100, claimed=99),
        _block(b"x" * 100, claimed=0),
        _block(b"x" * 100) + b"ZL",
        b"??" + _block(b"x" * 100)[2:],
        _block(b"x" * 100)[:-4] + b"\0\0\0\0",  # the checksum
        b"ZS" + _block(b"x" * 100)[2:],
    ],
)
def test_a_block_that_lies_is_left_and_writes_nothing_beyond(block: bytes) -> None:
    written, out = _inflated(block, 101, native())
    assert written == -1
    assert out[101:] == bytes(8)


def test_what_the_kernel_left_is_refused_with_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "SYNTHETIC.root"
    write_file(path, Content(300, 0.1, seed=2), compression=Compression("zlib"))
    with LeanFile(str(path)) as file:
        branch = file._tree.branch("AnalysisElectronsAuxDyn.pt")
        at = int(branch.seeks[0] + branch.sizes[0]) - 1
    content = bytearray(path.read_bytes())
    content[at] ^= 0x01
    path.write_bytes(content)
    with pytest.raises(CorruptFileError, match=r"basket of AnalysisElectronsAuxDyn\.pt .*ZLIB"):
        _numbers(path)
