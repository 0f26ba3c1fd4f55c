"""Links as ROOT alone writes them: class versions in place of checksums.

Whoever copies events without ATLAS's software (``hadd``, ``CopyTree``, ``CloneTree``) gets a
file with such links.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from fourlep.benchmark.files import cascade
from fourlep.io.lean.arrays import Spans
from fourlep.io.lean.bytes_kernels import DAMAGED, UNKNOWN, copy_links, inner_lengths
from fourlep.io.lean.reader import LeanFile
from fourlep.io.uproot_reader import UprootFile
from fourlep.synth.physlite import encode
from lean_files import WriteLean
from same_events import assert_same, joined

_LONG = bytes.fromhex("4000 0018 0000 d312 37d7 4000 000e 0000 feb3 df9e")
_SHORT = bytes.fromhex("4000 0010 0001 4000 000a 0001")
_BASE_ONLY = bytes.fromhex("4000 0014 0001 4000 000e 0000 feb3 df9e")
_NUMBERS = bytes.fromhex("2e42 db0b 0000 0007")


@pytest.fixture
def root_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write links without checksums."""
    original = encode._flat_items

    def items(item: str, content: Any, checksums: Any) -> npt.NDArray[np.uint8]:
        rows = original(item, content, checksums)
        if not item.startswith("ElementLink<"):
            return rows
        heads = np.broadcast_to(np.frombuffer(_SHORT, np.uint8), (len(rows), len(_SHORT)))
        return np.concatenate([heads, rows[:, len(_LONG) :]], axis=1)

    monkeypatch.setattr(encode, "_flat_items", items)


@pytest.mark.parametrize("kind", [LeanFile, UprootFile])
def test_events_that_root_alone_has_copied_are_the_same(
    write_lean: WriteLean, request: pytest.FixtureRequest, kind: type[LeanFile | UprootFile]
) -> None:
    original = write_lean(share=0.2)
    request.getfixturevalue("root_copies")
    copied = write_lean(share=0.2, name="copied.root")
    assert copied.read_bytes() != original.read_bytes()
    with UprootFile(str(original)) as first, kind(str(copied)) as second:
        columns = sorted(first.columns())
        assert_same(second.read(columns), first.read(columns))
        found = joined(second.survivors(cascade(), columns))
        assert_same(found, joined(first.survivors(cascade(), columns)))


def _read(vector: bytes) -> tuple[int, list[int]]:
    """Indices of the links in one vector, and what the kernels say."""
    data = np.frombuffer(vector, np.uint8)
    one, end = np.ones(1, np.int64), np.full(1, len(data))
    inner = Spans.empty(1)
    n = int(inner_lengths(data, Spans(0 * one, end, one), 0, inner))
    numbers = np.zeros((2, max(n, 0)), np.uint32)
    return (n if n < 0 else copy_links(data, inner, *numbers)), numbers[1].tolist()


def test_both_kinds_may_stand_beside_each_other() -> None:
    links = [
        head + _NUMBERS[:-1] + bytes([k]) for k, head in enumerate((_LONG, _SHORT, _BASE_ONLY))
    ]
    assert _read(b"\0\0\0\x03" + b"".join(links)) == (0, [0, 1, 2])


@pytest.mark.parametrize(
    ("vector", "status"),
    [
        (b"\0\0\0\x02" + _SHORT + _NUMBERS, DAMAGED),
        (b"\0\0\0\x01" + _SHORT + _NUMBERS + b"\0", DAMAGED),
        (b"\0\0\0\x01" + _LONG + _NUMBERS[:-1], DAMAGED),
        (b"\0\0\0\x01" + b"\x40\0\0\x11" + _SHORT[4:] + _NUMBERS + b"\0", UNKNOWN),
    ],
    ids=["too few", "too much", "cut", "another length"],
)
def test_links_that_contradict_themselves_are_refused(vector: bytes, status: int) -> None:
    assert _read(vector) == (status, [])
