"""Starts, asks after and stops one user's server with KubeSpawner, as the hub would.

Run as a program, with the hub's environment and a kubeconfig: ``spawn.py CONFIGURATION``.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from kubespawner import KubeSpawner
from traitlets.config import PyFileConfigLoader


async def main(configuration: Path) -> None:
    loader = PyFileConfigLoader(configuration.name, str(configuration.parent))
    spawner = KubeSpawner(config=loader.load_config(), _mock=True)
    spawner.user.name = "ada"
    spawner.environment = {
        key: value for key, value in spawner.environment.items() if not callable(value)
    }
    await spawner.load_user_options()
    sys.stdout.write(f"started {await spawner.start()}\n")
    sys.stdout.write(f"poll {await spawner.poll()}\n")
    await spawner.stop(now=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
