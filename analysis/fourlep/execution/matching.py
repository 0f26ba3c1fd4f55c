"""Whether client, scheduler and workers run the same software.

Tasks travel as pickles: a difference in Python or in a package shows as an obscure error in
the middle of a run, or as a different number. So it is looked for before the first task.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from distributed import Client

from fourlep.errors import ClusterError

#: Packages of others that decide a sum.
DECIDING = ("awkward", "correctionlib", "hist", "numba", "numpy", "uproot", "vector")

#: What a task's result depends on, besides what dask itself compares.
PACKAGES = ("fourlep", *DECIDING, "cloudpickle")


def require_matching(client: Client, remedy: str) -> None:
    """Refuse a cluster whose software differs from the client's.

    Parameters
    ----------
    client
        Connected; workers that join later are not looked at.
    remedy
        What the user can do about it.

    Raises
    ------
    ClusterError
        Naming each package that differs, and where.
    """
    found: Any = client.get_versions(packages=list(PACKAGES))
    here = _versions(found["client"])
    others = {"scheduler": found["scheduler"], **found["workers"]}
    lines = list(
        differences(here, {name: _versions(each) for name, each in others.items() if each})
    )
    if lines:
        raise ClusterError(
            "the cluster does not run the software of this process:\n  " + "\n  ".join(lines),
            remedy=remedy,
        )


def differences(here: Mapping[str, str], others: Mapping[str, Mapping[str, str]]) -> Iterable[str]:
    """Yield one line for each package that differs on a node.

    Examples
    --------
    >>> list(differences({"numpy": "2.4"}, {"scheduler": {"numpy": "2.3"}}))
    ['numpy: 2.4 here, 2.3 on scheduler']
    """
    for node, versions in others.items():
        for package, version in here.items():
            there = versions.get(package, "absent")
            if there != version:
                yield f"{package}: {version} here, {there} on {node}"


def _versions(node: Mapping[str, Any]) -> dict[str, str]:
    packages = {name: str(version) for name, version in node["packages"].items()}
    wanted = ("python", "dask", "distributed", *PACKAGES)
    return {name: packages.get(name, "absent") for name in wanted}
