"""Limits for each user of the Gateway, enforced by its server.

The Gateway bounds a cluster by itself but not the number of clusters, so a user could have
any amount of everything. Here a cluster reserves what it may grow to when it is started, and
is refused where the user's clusters together would pass the limits.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dask_gateway_server.backends.base import Backend, PublicException
from dask_gateway_server.models import ClusterStatus
from traitlets import Instance

from fourlep.config.settings import number

#: For how long (s) a new cluster counts although the backend does not list it yet: on
#: Kubernetes the list follows the API server with a delay.
_SETTLING_S = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a cluster and what a user may have.

    Parameters
    ----------
    worker_cores, worker_memory_gib
        Of one worker, at most.
    workers
        Of one cluster, at most.
    user_clusters, user_cores, user_memory_gib
        Of all of a user's clusters together, at most; schedulers count as clusters only.
    worker_gpus, user_gpus
        Of one worker, and of all of a user's clusters together, where there are GPUs.
    """

    worker_cores: int
    worker_memory_gib: float
    workers: int
    user_clusters: int
    user_cores: int
    user_memory_gib: float
    worker_gpus: int = 0
    user_gpus: int = 0

    @classmethod
    def from_environment(cls) -> Limits:
        """Read the limits from ``FOURLEP_LIMIT_*``."""
        return cls(
            worker_cores=int(number("FOURLEP_LIMIT_WORKER_CORES", 4)),
            worker_memory_gib=number("FOURLEP_LIMIT_WORKER_MEMORY_GIB", 16),
            workers=int(number("FOURLEP_LIMIT_WORKERS", 64)),
            user_clusters=int(number("FOURLEP_LIMIT_USER_CLUSTERS", 2)),
            user_cores=int(number("FOURLEP_LIMIT_USER_CORES", 64)),
            user_memory_gib=number("FOURLEP_LIMIT_USER_MEMORY_GIB", 256),
            worker_gpus=int(number("FOURLEP_LIMIT_WORKER_GPUS", 1)),
            user_gpus=int(number("FOURLEP_LIMIT_USER_GPUS", 4)),
        )


@dataclass(frozen=True, slots=True)
class Reservation:
    """What a cluster may grow to."""

    cores: int
    memory_gib: float
    gpus: int = 0

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Reservation:
        """Reservation of a cluster started with ``options`` of the form."""
        workers = int(options["workers"])
        return cls(
            cores=workers * int(options["worker_cores"]),
            memory_gib=workers * float(options["worker_memory_gib"]),
            # The field is in the form only where there are GPUs.
            gpus=workers * int(options.get("worker_gpus", 0)),
        )


def refusal(wanted: Reservation, held: list[Reservation], limits: Limits) -> str:
    """Say why ``wanted`` is too much beside what is ``held``; "" where it is not.

    Examples
    --------
    >>> limits = Limits(4, 8.0, 8, user_clusters=2, user_cores=4, user_memory_gib=16.0)
    >>> refusal(Reservation(4, 4.0), [], limits)
    ''
    >>> refusal(Reservation(4, 4.0), [Reservation(2, 2.0)], limits)
    'this cluster may grow to 4 cores, your others to 2, and your limit is 4'
    """
    if len(held) >= limits.user_clusters:
        return f"you have {len(held)} clusters and your limit is {limits.user_clusters}"
    cores = sum(other.cores for other in held)
    if cores + wanted.cores > limits.user_cores:
        return (
            f"this cluster may grow to {wanted.cores} cores, your others to {cores}, "
            f"and your limit is {limits.user_cores}"
        )
    memory = sum(other.memory_gib for other in held)
    if memory + wanted.memory_gib > limits.user_memory_gib:
        return (
            f"this cluster may grow to {wanted.memory_gib:g} GiB, your others to {memory:g} GiB, "
            f"and your limit is {limits.user_memory_gib:g} GiB"
        )
    gpus = sum(other.gpus for other in held)
    if wanted.gpus and gpus + wanted.gpus > limits.user_gpus:
        return (
            f"this cluster may grow to {wanted.gpus} GPUs, your others to {gpus}, "
            f"and your limit is {limits.user_gpus}"
        )
    return ""


class PerUserLimits(Backend):  # type: ignore[misc]  # dask_gateway_server is untyped
    """Mixed into a backend, refuses clusters that pass their user's limits."""

    limits = Instance(Limits, config=True, help="Limits of a cluster and of a user.")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._settling: dict[str, tuple[float, str, Reservation]] = {}

    async def start_cluster(self, user: Any, cluster_options: dict[str, Any]) -> str:
        """Start a cluster, or refuse it and say which limit it would pass."""
        async with self._turns[user.name]:
            options, _ = await self.process_cluster_options(user, cluster_options)
            wanted = Reservation.of(options)
            reason = refusal(wanted, await self._held(user.name), self.limits)
            if reason:
                self.log.warning("Refused a cluster of %s: %s", user.name, reason)
                raise PublicException(
                    f"{reason}. Shut a cluster down (Gateway().list_clusters() names yours) "
                    "or ask for fewer or smaller workers."
                )
            name: str = await super().start_cluster(user, cluster_options)
            self._settling[name] = (time.monotonic() + _SETTLING_S, user.name, wanted)
            return name

    async def _held(self, username: str) -> list[Reservation]:
        listed = await self.list_clusters(username=username, statuses=list(ClusterStatus))
        known = {cluster.name for cluster in listed}
        now = time.monotonic()
        self._settling = {
            name: entry
            for name, entry in self._settling.items()
            if name not in known and entry[0] > now
        }
        held = [
            Reservation.of(cluster.options)
            for cluster in listed
            if cluster.status <= ClusterStatus.RUNNING
        ]
        held += [mine for _, owner, mine in self._settling.values() if owner == username]
        return held
