"""State of the facility's parts, for the home page.

A thread asks each part now and then; rendering a page only reads what it last heard, so a
part that hangs never holds up the hub.
"""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

#: Seconds between two rounds of questions, and for how long to wait for an answer.
PERIOD_S = 10.0
PATIENCE_S = 3.0


@dataclass(frozen=True, slots=True)
class PartState:
    """What one part last said.

    Parameters
    ----------
    title
        Name for people.
    state
        "up", "down" or "asking" (no answer yet).
    """

    title: str
    state: str


class FacilityState:
    """Keeps asking the parts how they are.

    Parameters
    ----------
    addresses
        Health address of each part, by title: ``http://`` or ``https://``.
    """

    def __init__(self, addresses: dict[str, str]) -> None:
        self._addresses = addresses
        self._parts = tuple(PartState(title, "asking") for title in addresses)
        self._started = threading.Lock()

    def __deepcopy__(self, memo: dict[int, object]) -> FacilityState:
        """Return itself: the hub copies its configuration, and the asking must stay one."""
        return self

    @property
    def parts(self) -> tuple[PartState, ...]:
        """The latest answers; the first look starts the asking."""
        if self._addresses and self._started.acquire(blocking=False):
            threading.Thread(target=self._keep_asking, name="facility-state", daemon=True).start()
        return self._parts

    def _keep_asking(self) -> None:
        while True:
            self._parts = tuple(
                PartState(title, "up" if answers(address) else "down")
                for title, address in self._addresses.items()
            )
            time.sleep(PERIOD_S)


def answers(address: str) -> bool:
    """Whether a health address answers with success within `PATIENCE_S`."""
    if not address.startswith(("http://", "https://")):
        return False
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE_S) as response:  # noqa: S310  # checked
            return bool(response.status < 400)
    except (urllib.error.URLError, OSError):
        return False
