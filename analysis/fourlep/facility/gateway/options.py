"""The form of a new cluster: what users choose, within the limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dask_gateway_server.options import Float, Integer, Options, Select

from fourlep.facility.gateway.limits import Limits

_GIB = 2**30
#: Defaults that suit the analysis: its tasks are single-threaded and small.
_WORKERS = 8
_MEMORY_GIB = 2.0


def cluster_options(
    limits: Limits,
    images: tuple[str, ...] = (),
    requested_share: float = 1.0,
    with_gpus: Callable[[int], dict[str, Any]] | None = None,
) -> Options:
    """Build the form of a new cluster.

    Parameters
    ----------
    limits
        Bounds of the fields.
    images
        On Kubernetes, the images that a cluster may run in, the default first.
    requested_share
        On Kubernetes, how much of a worker's cores and memory is kept for it; up to all of
        them it uses what others leave.
    with_gpus
        On Kubernetes with GPUs, the configuration of a worker with so many of them.
    """
    fields = [
        Integer("worker_cores", default=1, min=1, max=limits.worker_cores, label="Cores a worker"),
        Float(
            "worker_memory_gib",
            default=min(_MEMORY_GIB, limits.worker_memory_gib),
            min=0.5,
            max=limits.worker_memory_gib,
            label="Memory a worker (GiB)",
        ),
        Integer(
            "workers",
            default=min(_WORKERS, limits.workers, limits.user_cores),
            min=1,
            max=limits.workers,
            label="Workers at most",
        ),
    ]
    if not images:
        return Options(*fields, handler=_configuration)

    def pods(options: Any, user: Any) -> dict[str, Any]:
        configuration = _configuration(options, user)
        gpus = options.worker_gpus if with_gpus else 0
        return {
            **configuration,
            "worker_cores": options.worker_cores * requested_share,
            "worker_cores_limit": options.worker_cores,
            "worker_memory": int(configuration["worker_memory"] * requested_share),
            "worker_memory_limit": configuration["worker_memory"],
            "image": options.image,
            **(with_gpus(gpus) if with_gpus and gpus else {}),
        }

    if with_gpus:
        most = limits.worker_gpus
        fields.append(Integer("worker_gpus", default=0, min=0, max=most, label="GPUs a worker"))

    return Options(*fields, Select("image", list(images), label="Image"), handler=pods)


def _configuration(options: Any, user: Any) -> dict[str, Any]:  # noqa: ARG001  # the Gateway passes it by name
    return {
        "worker_cores": options.worker_cores,
        "worker_threads": options.worker_cores,
        "worker_memory": int(options.worker_memory_gib * _GIB),
        "cluster_max_workers": options.workers,
    }
