"""The smoke test: what an analyst does first, through the hub's API, in minutes.

A user of its own starts a server and runs the notebooks of the full run and the measurement:
a Gateway cluster, reading through the caches, a fit. Whatever it started is ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fourlep.errors import ClusterError
from fourlep.facility.hub_session import HubSession

#: Run in this order, in one kernel.
NOTEBOOKS = ("02_full_run.ipynb", "03_measurement.ipynb")
USER = "smoke"
#: A cell that takes longer hangs; all of them together take a minute on a quiet machine.
_CELL_S = 600.0


@dataclass(frozen=True, slots=True)
class SmokeResult:
    """What the smoke test saw.

    Parameters
    ----------
    seconds
        In all.
    text
        What the notebooks printed.
    figures
        PNG images that they showed.
    """

    seconds: float
    text: str
    figures: tuple[bytes, ...]


async def smoke(url: str, token: str, notebooks: Path, say: Callable[[str], None]) -> SmokeResult:
    """Run the smoke test.

    Parameters
    ----------
    url
        Public address of the hub.
    token
        Of the hub's service ``smoke``.
    notebooks
        Folder with `NOTEBOOKS`.
    say
        Called with one line after each step.

    Raises
    ------
    ClusterError
        If a step fails; it says which.
    """
    started = time.monotonic()
    text: list[str] = []
    figures: list[bytes] = []

    def told(step: str) -> None:
        say(f"{time.monotonic() - started:6.1f} s  {step}")

    async with HubSession(url, token, USER) as session:
        told("logged in, server and kernel run")
        await session.run(FRESH_FOLDER)
        for name in NOTEBOOKS:
            results = await session.run_notebook(notebooks / name, timeout_s=_CELL_S)
            text += [result.text for result in results]
            shown = [image for result in results for image in result.images]
            figures += shown
            told(f"{name} ran, {len(shown)} figures")
            if not shown:
                raise ClusterError(f"{name} showed no figure")
        left = await session.run(_LEFT_CLUSTERS)
        if left.text.strip() != "0":
            raise ClusterError(f"{left.text.strip()} Gateway clusters are left")
        told("no cluster is left")
    told("server ended")
    return SmokeResult(time.monotonic() - started, "".join(text), tuple(figures))


#: The notebooks write below the working folder: each smoke test has a new one, until it ends.
FRESH_FOLDER = """
import os, tempfile
fresh_folder = tempfile.TemporaryDirectory(prefix="fourlep-smoke-")
os.chdir(fresh_folder.name)
"""

_LEFT_CLUSTERS = """
from dask_gateway import Gateway
with Gateway() as gateway:
    print(len(gateway.list_clusters()))
"""
