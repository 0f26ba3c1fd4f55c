"""Hostile files for hours: never a wrong number, a crash, a hang, or memory without bound.

    python analysis/benchmarks/fuzz_reader.py [--examples N] [--seed S] [--output DIR]

Small files of every codec and the real sample, where it is at hand, are damaged by chance:
bits flipped, bytes overwritten, lengths made absurd, pieces moved, ends cut; most of it in
the list of branches, in keys and in the headers of vectors. Each is read by the lean reader
in another process, whose kernels check every index (``NUMBA_BOUNDSCHECK``); every tenth goes
through the whole analysis, uproot's fall-back included. An example counts as good if it
gives a named error, or, where a checksum guards what was damaged, the numbers of the
undamaged file. (Baskets that do not shrink are stored as they are, without a checksum.)

Prints a table of outcomes, writes ``fuzz.json`` into DIR, and fails if one was not good.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from fourlep.benchmark.files import Content, columns
from fourlep.chunk.analysis import Analysis
from fourlep.chunk.model import Chunk
from fourlep.chunk.process import process
from fourlep.config.environment import child_environment
from fourlep.errors import FourlepError
from fourlep.io.lean.reader import LeanFile
from fourlep.io.lean.unsupported import UnsupportedError
from fourlep.physics.registry import selection
from fourlep.synth.physlite.layout import layout
from fourlep.synth.physlite.write import Clusters, write_tree
from fourlep.synth.rootfile.codec import CODECS, Compression

#: Seconds and bytes that one example may take. The kernels' own bounds are 256 MB for a
#: tree and as much for a round.
_PATIENCE_S, _MEMORY_BYTES = 30, 4 << 30
#: How often a file is chosen whose bytes reach the parsers as they are, against another.
_OFTEN = 8
_CHECKED = ("zlib", "lz4", "lzma")
_INTERESTING = (0, 1, 2, 0x7F, 0xFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x40000000, 0x4000FFFF)
_REAL = Path(os.environ.get("FOURLEP_SHARED_DATA", "../shared/data")) / "physlite"


Places = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Whole:
    """An undamaged file.

    Parameters
    ----------
    name, content
        What to call it, and its bytes.
    matters, unguarded
        Begin and end of what the selection reads, and of what no checksum guards.
    """

    name: str
    content: bytes
    matters: Places
    unguarded: Places

    def guards(self, bad: bytes) -> bool:
        """Whether all that differs in ``bad`` is guarded by a checksum."""
        if self.name not in _CHECKED:
            return False
        pieces = [(self.content[begin:end], bad[begin:end]) for begin, end in self.unguarded]
        return all(one == other for one, other in pieces)


def corpus(folder: Path) -> list[Whole]:
    """Make the files."""
    files = {}
    for codec in CODECS:
        content = columns(Content(60, 0.3, seed=3))
        path = folder / f"{codec}.root"
        write_tree(
            path,
            content,
            layout=layout().only(frozenset(content)),
            compression=Compression(codec),
            clusters=Clusters(entries=25),
        )
        files[codec] = path
    if (_REAL / "PHYSLITE_example.root").exists():
        files["real"] = _REAL / "PHYSLITE_example.root"
    return [Whole(name, path.read_bytes(), *places(path)) for name, path in files.items()]


def places(path: Path) -> tuple[Places, Places]:
    """What matters, the tree record as much as all baskets together, and what is unguarded."""
    analysis = Analysis(selection("fourlepton"))
    wanted = sorted({*analysis.columns(needs_weights=True), *analysis.optional})
    matters: Places = []
    unguarded: Places = []
    with LeanFile(str(path)) as file:
        for branch in file.indexed(wanted).held.values():
            baskets = file._baskets.together((branch,)).baskets_between(0, file.n_entries)
            held = file._baskets.inflated(baskets)
            is_stored = held.end - held.begin == branch.sizes - held.key_bytes
            found = zip(branch.seeks.tolist(), branch.sizes.tolist(), is_stored, strict=True)
            for seek, size, stored in found:
                matters.append((seek, seek + size))
                if stored:
                    unguarded.append((seek, seek + size))
        last = max(end for _, end in matters)
        return [*matters, *[(last, file.n_bytes)] * len(matters)], unguarded


def damaged(content: bytes, where: Places, dice: random.Random) -> bytes:
    """Damage a file in one to four places."""
    changed = bytearray(content)
    for _ in range(dice.randint(1, 4)):
        begin, end = dice.choice(where) if dice.random() < 0.9 else (0, len(content))
        place = begin + int((end - begin) * dice.random() ** dice.choice((1, 4)))
        kind = dice.randrange(5)
        if kind == 0:
            new = bytes([changed[place] ^ 1 << dice.randrange(8)])
        elif kind == 1:
            new = dice.randbytes(dice.randint(1, 16))
        elif kind == 2:
            new = dice.choice(_INTERESTING).to_bytes(4, "big")
        elif kind == 3:
            source = dice.randrange(len(content))
            new = content[source : source + dice.randint(1, 2000)]
        else:
            new = bytes(dice.randint(1, 500))
        changed[place : place + len(new)] = new[: len(changed) - place]
    if dice.random() < 0.03:
        del changed[dice.randrange(len(changed)) :]
    return bytes(changed)


def numbers(path: Path) -> list[object]:
    """What the lean reader makes of a file, as plain lists."""
    analysis = Analysis(selection("fourlepton"))
    with LeanFile(str(path)) as file:
        parts = file.surviving_parts(
            analysis.cascade,
            analysis.columns(needs_weights=True),
            optional=analysis.optional,
            early=analysis.early(needs_weights=True),
        )
        return [
            (part.entry.tolist(), [[c.tobytes() for c in v.content] for v in part.values.values()])
            for part in parts
        ]


def outcome(path: Path, expected: list[object] | None, *, is_whole: bool) -> str:
    """Read a damaged file: a word for what happened; raises where that must not be."""
    try:
        if is_whole:
            process(Chunk("made", str(path)), Analysis(selection("fourlepton")))
            return "analysed"
        found = numbers(path)
    except (FourlepError, UnsupportedError) as error:
        return type(error).__name__
    if expected is None:
        return "read"
    if found != expected:
        raise AssertionError("other numbers than those of the undamaged file")
    return "read, the same numbers"


def work(seed: int, first: int, last: int) -> None:
    """Try examples, and tell each before it is tried and after."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    signal.signal(signal.SIGALRM, _too_late)
    with tempfile.TemporaryDirectory(prefix="fourlep-fuzz-") as folder:
        files = corpus(Path(folder))
        truth = {each.name: numbers(_written(Path(folder), each.content)) for each in files}
        for example in range(first, last):
            dice = random.Random(f"{seed}-{example}")
            (whole,) = dice.choices(files, [_OFTEN if f.name == "none" else 1 for f in files])
            bad = damaged(whole.content, whole.matters, dice)
            path = _written(Path(folder), bad)
            print(json.dumps(["tries", example, whole.name]), flush=True)
            signal.alarm(_PATIENCE_S)
            try:
                expected = truth[whole.name] if whole.guards(bad) else None
                what = outcome(path, expected, is_whole=example % 10 == 0)
                print(json.dumps(["found", example, what]), flush=True)
            except BaseException:  # noqa: BLE001  # the point is to tell whatever it is
                print(json.dumps(["fault", example, traceback.format_exc()]), flush=True)
            signal.alarm(0)


def _written(folder: Path, content: bytes) -> Path:
    path = folder / "damaged.root"
    path.write_bytes(content)
    return path


def _too_late(_signal: int, _frame: FrameType | None) -> None:
    raise TimeoutError(f"not done within {_PATIENCE_S} s")


def main() -> None:
    """Keep a process at work, and start another one where it was ended."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--examples", type=int, default=20_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--output", type=Path, default=Path("build/fuzz"))
    options.add_argument("--first", type=int, default=0, help="number of the first example")
    options.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    last = chosen.first + chosen.examples
    if chosen.work:
        work(chosen.seed, chosen.first, last)
        return
    begun = time.monotonic()
    outcomes: Counter[str] = Counter()
    faults: list[tuple[int, str]] = []
    example = chosen.first
    while example < last:
        command = [
            sys.executable, __file__, "--work", "--seed", str(chosen.seed),
            "--first", str(example), "--examples", str(last - example),
        ]  # fmt: skip
        environment = child_environment() | {
            "NUMBA_BOUNDSCHECK": "1",
            "NUMBA_CACHE_DIR": str(chosen.output.resolve() / "kernels"),
        }
        tried = example - 1
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as child:
            for line in child.stdout or ():
                kind, example, what = json.loads(line)
                if kind == "tries":
                    tried = example
                elif kind == "found":
                    outcomes[what] += 1
                else:
                    faults.append((example, what))
                    last_line = what.strip().rpartition("\n")[2]
                    print(f"example {example}: {last_line}", file=sys.stderr)
        if tried < example:
            sys.exit(f"the reading process does not start: {' '.join(command)} says why")
        if child.returncode:
            faults.append((tried, f"the process ended with {child.returncode}"))
            print(f"example {tried}: the process ended with {child.returncode}", file=sys.stderr)
        example = tried + 1
    chosen.output.mkdir(parents=True, exist_ok=True)
    record = {"seed": chosen.seed, "outcomes": outcomes, "faults": faults}
    (chosen.output / "fuzz.json").write_text(json.dumps(record, indent=1))
    for what, n in outcomes.most_common():
        print(f"{n:8d}  {what}")
    print(f"{len(faults):8d}  faults, {time.monotonic() - begun:.0f} s")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
