"""Starts, asks after and stops one user's server with the hub's own spawner, as the hub would.

Starts it again, from what the hub's database keeps, for every line that it is given. Run as a
program, with the hub's environment and a kubeconfig: ``spawn.py CONFIGURATION``.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from kubespawner import KubeSpawner
from traitlets import import_item
from traitlets.config import Config, PyFileConfigLoader


def spawner_of(config: Config) -> KubeSpawner:
    spawner = import_item(config.JupyterHub.spawner_class)(config=config, _mock=True)
    spawner.user.name = "ada"
    spawner.environment = {
        key: value for key, value in spawner.environment.items() if not callable(value)
    }
    return spawner


async def main(configuration: Path) -> None:
    config = PyFileConfigLoader(configuration.name, str(configuration.parent)).load_config()
    state: dict[str, object] = {}
    while True:
        spawner = spawner_of(config)
        spawner.load_state(state)
        await spawner.load_user_options()
        sys.stdout.write(f"started {await spawner.start()}\n")
        sys.stdout.write(f"poll {await spawner.poll()}\n")
        await spawner.stop(now=True)
        state = spawner.get_state()
        if not await asyncio.to_thread(sys.stdin.readline):
            return


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
