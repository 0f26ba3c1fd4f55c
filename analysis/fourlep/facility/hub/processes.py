"""The hub's local spawner, for process ids that others were given since."""

from __future__ import annotations

from typing import Any

from jupyterhub.spawner import SimpleLocalProcessSpawner

from fourlep.config.mark import carries
from fourlep.config.settings import text


class OwnProcessSpawner(SimpleLocalProcessSpawner):  # type: ignore[misc]  # untyped base
    """Takes a process for a user's server only where it carries the mark of this run.

    The hub's database keeps process ids. After a crash or a reboot they are other programs',
    which JupyterHub would take for servers, and end because they do not answer.
    """

    async def poll(self) -> Any:
        """Say how the server ended; None while it runs."""
        if self.proc is None and self.pid and not carries(self.pid, text("FOURLEP_FACILITY_ID")):
            self.clear_state()
        return await super().poll()
