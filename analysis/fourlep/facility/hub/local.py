"""Users' servers as processes of this machine.

All run as the account that started the facility: a trial and a test bed for people who trust
each other, not a wall between users. On Kubernetes each user has a pod of their own.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from fourlep.config.settings import text
from fourlep.facility.hub import profiles


def configure_local(c: Any, offered: tuple[profiles.Profile, ...]) -> None:
    """Spawn servers with the `OwnProcessSpawner`, on 127.0.0.1."""

    def apply_profile(spawner: Any, user_options: dict[str, Any]) -> None:
        slug = user_options.get("profile", offered[0].slug)
        profile = profiles.by_slug(str(slug), offered)
        spawner.cpu_limit = profile.cores
        spawner.mem_limit = f"{profile.memory_gib}G"
        spawner.environment = {**spawner.environment, **profile.thread_environment}

    c.JupyterHub.spawner_class = "fourlep.facility.hub.processes.OwnProcessSpawner"
    # A hub that is ended because it, or the proxy, does not answer leaves servers to the next
    # one; what the supervisor ends at last is found by its mark.
    c.JupyterHub.cleanup_servers = False
    c.SimpleLocalProcessSpawner.home_dir_template = text("FOURLEP_HUB_HOMES") + "/{username}"
    c.Spawner.ip = "127.0.0.1"
    c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
    c.Spawner.args = ["--allow-root"] if os.geteuid() == 0 else []
    c.Spawner.options_form = profiles.html_form(offered)
    c.Spawner.options_from_form = lambda form: profiles.chosen(form, offered)
    c.Spawner.apply_user_options = apply_profile
    c.Spawner.env_keep = [
        "PATH",
        "LANG",
        "LC_ALL",
        "VIRTUAL_ENV",
        "FOURLEP_FACILITY_ID",
        "FOURLEP_NOTEBOOKS",
        "JUPYTER_CONFIG_PATH",
    ]
