"""How many items make a batch: as many as take the time wanted, by measurement."""

from __future__ import annotations

import math
from collections.abc import Iterable

#: Weight of everything earlier, each time a batch is measured.
_MEMORY = 0.9


class CostModel:
    """Seconds of a batch as ``per_item * items + per_byte * bytes``, fitted as it goes.

    Least squares over the batches measured, older ones fading; a negative coefficient is
    put to zero and the other fitted alone.

    Parameters
    ----------
    per_item_s
        First guess, before anything is measured.
    """

    def __init__(self, per_item_s: float = 1.0) -> None:
        self._per_item_s = per_item_s
        self._per_byte_s = 0.0
        self._sums = (0.0, 0.0, 0.0, 0.0, 0.0)  # nn, nb, bb, nt, bt

    def measure(self, sizes: Iterable[int], seconds: float) -> None:
        """Learn from a batch of items of ``sizes`` bytes (-1: unknown) that took ``seconds``."""
        known = [max(size, 0) for size in sizes]
        n, b = float(len(known)), float(sum(known))
        new = (n * n, n * b, b * b, n * seconds, b * seconds)
        self._sums = tuple(_MEMORY * old + add for old, add in zip(self._sums, new, strict=True))  # type: ignore[assignment]  # five in, five out
        nn, nb, bb, nt, bt = self._sums
        determinant = nn * bb - nb * nb
        if determinant > 1e-6 * nn * bb:
            self._per_item_s = (bb * nt - nb * bt) / determinant
            self._per_byte_s = (nn * bt - nb * nt) / determinant
        if determinant <= 1e-6 * nn * bb or self._per_byte_s < 0.0:
            self._per_item_s, self._per_byte_s = nt / nn, 0.0
        elif self._per_item_s < 0.0:
            self._per_item_s, self._per_byte_s = 0.0, bt / bb

    def seconds(self, n_bytes: int) -> float:
        """Expect this of one item of ``n_bytes`` (-1: unknown) in a batch."""
        return self._per_item_s + self._per_byte_s * max(n_bytes, 0)

    def fitting(self, sizes: Iterable[int], target_s: float, most: int) -> int:
        """How many of the items of ``sizes``, in order, fit into ``target_s``: 1 to ``most``."""
        total, count = 0.0, 0
        for size in sizes:
            total += self.seconds(size)
            if count == most or (count and total > target_s):
                break
            count += 1
        return count


def fair_share(n_waiting: int, n_workers: int) -> int:
    """Largest batch that still leaves two for every worker: the end of a run stays even."""
    return max(1, math.ceil(n_waiting / (2 * max(n_workers, 1))))
