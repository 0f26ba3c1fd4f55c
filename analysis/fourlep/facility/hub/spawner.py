"""KubeSpawner, for homes that somebody may have deleted."""

from __future__ import annotations

import asyncio
from typing import Any

from kubespawner import KubeSpawner


class HomeSpawner(KubeSpawner):  # type: ignore[misc]  # untyped base
    """Makes a user's home at every start where it is missing, not at the first one only.

    KubeSpawner remembers in the hub's database that a home was made. A pod whose home was
    deleted since would wait for it until the start times out, every time.
    """

    def start(self) -> asyncio.Future[Any]:
        """Start the user's server; a home that is there already is left as it is."""
        self._pvc_exists = False
        started: asyncio.Future[Any] = super().start()
        return started
