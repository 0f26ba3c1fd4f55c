"""What the execution calls: reads chunks one by one, finishes a batch of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fourlep.chunk.analysis import Analysis
from fourlep.chunk.model import Chunk, ChunkResult
from fourlep.chunk.pooled import Survivors, finish
from fourlep.chunk.process import read


@dataclass(frozen=True, slots=True)
class ChunkWork:
    """Work on chunks; picklable.

    Parameters
    ----------
    analysis
        What to do.
    """

    analysis: Analysis

    def __call__(self, chunk: Chunk, url: str) -> Any:
        """Read one chunk at ``url``: `Survivors`, or a `ChunkResult` where they are many."""
        return read(chunk, self.analysis, url=url)

    def finish(self, found: Sequence[Survivors | ChunkResult]) -> ChunkResult:
        """Analyse what several chunks left, and add everything up."""
        return finish(found, self.analysis)
