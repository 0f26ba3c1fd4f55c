"""A scheduler or a worker of a local cluster, as a process of its own.

``python -m fourlep.execution.node scheduler DIRECTORY`` prints its address; ``... node
worker DIRECTORY ADDRESS`` joins it. Scratch files go to DIRECTORY. Both listen on 127.0.0.1
only and end when their standard input closes, so that none is left behind however the client
ends.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Sequence

_LOOPBACK = "127.0.0.1"

#: What dask does every few milliseconds by default, and nobody looks at here: profiles of the
#: worker's threads, which only wait for the reading process, and moving results in memory.
_QUIET = {
    "distributed.worker.profile.enabled": False,
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.scheduler.work-stealing-interval": "1s",
    "distributed.admin.system-monitor.interval": "5s",
}


async def _scheduler() -> None:
    from distributed import Scheduler

    async with Scheduler(
        host=_LOOPBACK, port=0, dashboard=False, dashboard_address=f"{_LOOPBACK}:0"
    ) as scheduler:
        sys.stdout.write(f"{scheduler.address}\n")
        sys.stdout.flush()
        await scheduler.finished()


async def _worker(address: str) -> None:
    from distributed import Worker

    async with Worker(
        address,
        host=_LOOPBACK,
        nthreads=1,
        dashboard=False,
        dashboard_address=f"{_LOOPBACK}:0",
        memory_limit=0,  # the reading process has its own bounds; nothing is spilled
    ) as worker:
        await worker.finished()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main(arguments: Sequence[str]) -> None:
    """Run the node that ``arguments`` describe until its parent goes."""
    import dask

    threading.Thread(target=_end_with_parent, daemon=True).start()
    kind, directory, *address = arguments
    dask.config.set({**_QUIET, "temporary-directory": directory})
    asyncio.run(_scheduler() if kind == "scheduler" else _worker(*address))


if __name__ == "__main__":
    main(sys.argv[1:])
