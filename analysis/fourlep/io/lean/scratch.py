"""Buffers that are used again: room fresh from the system costs a page fault every 4 kB.

A round of reading fills two buffers of some megabytes and needs them until its numbers
have been copied out. Fresh ones would take a fifth of the time that inflating takes.
"""

from __future__ import annotations

import threading

import numpy as np
import numpy.typing as npt

#: Bytes that the process keeps for later, whatever the number of its threads.
_MAX_FREE_BYTES = 64 << 20
#: Buffers are of whole multiples of this, so that one serves rounds of about the same size.
_STEP_BYTES = 1 << 18
#: A buffer serves for no less than its length over this: a long one would be missed.
_MOST_SPARE = 4
#: Length of the blocks that small rounds share; what is not used of one costs nothing.
_BLOCK_BYTES = 16 << 20


class _Pool:
    """Buffers that nobody uses, by falling age."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free: list[npt.NDArray[np.uint8]] = []

    @property
    def n_bytes(self) -> int:
        """Bytes that are kept."""
        with self._lock:
            return sum(map(len, self._free))

    def take(self, n_bytes: int) -> npt.NDArray[np.uint8]:
        wanted = -(-max(1, n_bytes) // _STEP_BYTES) * _STEP_BYTES
        with self._lock:
            fitting = [b for b in self._free if wanted <= len(b) <= _MOST_SPARE * wanted]
            if fitting:
                chosen = min(fitting, key=len)
                self._free = [buffer for buffer in self._free if buffer is not chosen]
                return chosen
        return np.empty(wanted, dtype=np.uint8)

    def give_back(self, buffers: list[npt.NDArray[np.uint8]]) -> None:
        with self._lock:
            self._free += buffers
            while sum(map(len, self._free)) > _MAX_FREE_BYTES:
                del self._free[0]


_POOL = _Pool()


class Block:
    """A long buffer that rounds fill one after the other.

    Parameters
    ----------
    buffer
        Its bytes.
    """

    def __init__(self, buffer: npt.NDArray[np.uint8]) -> None:
        self._buffer = buffer
        self._used = 0
        #: All of it, which kernels read: one type and one object, whoever made the buffer.
        self.data = buffer[:]
        self.data.flags.writeable = False

    @property
    def n_free(self) -> int:
        """Bytes that are left."""
        return len(self._buffer) - self._used

    def room(self, n_bytes: int) -> tuple[int, npt.NDArray[np.uint8]]:
        """Take the next bytes: where they begin, and room to write to."""
        begin, self._used = self._used, self._used + n_bytes
        return begin, self._buffer[begin : self._used]


class Scratch:
    """Buffers lent to one user, who gives all of them back at once."""

    def __init__(self) -> None:
        self._lent: list[npt.NDArray[np.uint8]] = []
        self._block: Block | None = None

    def room(self, n_bytes: int) -> npt.NDArray[np.uint8]:
        """Lend room for ``n_bytes``, of any content, until `give_back`."""
        buffer = _POOL.take(n_bytes)
        self._lent.append(buffer)
        return buffer[:n_bytes]

    def block(self, n_bytes: int) -> Block:
        """Lend a block with ``n_bytes`` left, the last one where that will do."""
        if self._block is None or self._block.n_free < n_bytes:
            self._block = Block(self.room(max(n_bytes, _BLOCK_BYTES)))
        return self._block

    def give_back(self) -> None:
        """Return all that was lent: whoever looks at it later finds others' bytes."""
        _POOL.give_back(self._lent)
        self._lent = []
        self._block = None
