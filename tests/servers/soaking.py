"""Work for the soak: the exact sum of what files hold, read through XRootD, with troubles."""

from __future__ import annotations

import ctypes
import hashlib
import pickle
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fourlep.errors import TransientReadError
from fourlep.exact import ExactSums
from fourlep.execution import Progress, execute
from fourlep.io.transport import open_source
from toys import ToyItem, ToyRecord, ToyResult


def value(name: str, content: bytes) -> float:
    """A float that depends on every byte, of either sign and any size."""
    digest = hashlib.blake2b(name.encode() + content, digest_size=8).digest()
    number = int.from_bytes(digest, "big")
    return (number % 2**53 - 2**52) * 2.0 ** (digest[0] % 60 - 80)


def truth(contents: Mapping[str, bytes]) -> float:
    """The exact sum over all files, rounded once."""
    values = [value(name, content) for name, content in contents.items()]
    return float(ExactSums.of((1,), [0] * len(values), values).to_float()[0])


@dataclass(frozen=True, slots=True)
class Soaked:
    """Read a file whole; things may go wrong on the way.

    Parameters
    ----------
    pause_s
        Time that a read takes at least.
    share, seed
        Share of the reads that fail; what the chance begins with.
    trouble, victim, folder
        "crash" or "hang" at the first read of one file; the folder remembers it.
    """

    pause_s: float = 0.0
    share: float = 0.0
    seed: int = 0
    trouble: str = ""
    victim: str = ""
    folder: str = ""

    def __call__(self, item: ToyItem, url: str) -> ToyResult:
        threading.Event().wait(self.pause_s)
        if item.key == self.victim and _is_first(Path(self.folder) / "trouble"):
            if self.trouble == "crash":
                ctypes.string_at(0)
            ctypes.CDLL(None).pause()  # a hang in C, which no signal of ours interrupts
        source = open_source(url, timeout_s=3.0)
        try:
            (content,) = source.read_ranges([(0, source.size)])
        finally:
            source.close()
        self._be_unlucky(item, url, content)
        total = ExactSums.of((1,), [0], [value(item.key, content)])
        return ToyResult(total, {item.key: ToyRecord(1, 0, len(content))})

    def _be_unlucky(self, item: ToyItem, url: str, content: bytes) -> None:
        # The time is in it, or a file that was unlucky once would be so for ever.
        salt = f"{self.seed} {item.key} {url} {time.monotonic_ns()}".encode()
        digest = hashlib.blake2b(salt + content[:8], digest_size=4).digest()
        if int.from_bytes(digest, "big") < self.share * 2**32:
            raise TransientReadError(f"{url}: injected", url=url)


def _is_first(mark: Path) -> bool:
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def main(settings: Path) -> None:
    """A client that is going to be killed: prints a line for each portion."""
    items, chosen = pickle.loads(settings.read_bytes())

    def tell(progress: Progress) -> None:
        if progress.n_done:
            sys.stdout.write(f"{progress.n_done}\n")
            sys.stdout.flush()

    execute(items, progress=tell, **chosen)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
