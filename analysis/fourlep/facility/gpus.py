"""Where a Kubernetes cluster has its GPUs, for users' servers and for Gateway workers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from fourlep.config.settings import pairs, text


@dataclass(frozen=True, slots=True)
class GpuNodes:
    """How a pod asks for GPUs.

    Parameters
    ----------
    resource
        As the device plug-in calls them: ``nvidia.com/gpu``.
    labels
        Of the nodes that have them; none where the resource alone decides.
    taint
        Key of the taint that keeps other pods away, which these pods tolerate.
    """

    resource: str
    labels: dict[str, str] = field(default_factory=dict)
    taint: str = ""

    @classmethod
    def from_environment(cls) -> Self | None:
        """Read ``FOURLEP_GPU_*``; None where the facility offers no GPUs."""
        resource = text("FOURLEP_GPU_RESOURCE", "")
        if not resource:
            return None
        return cls(resource, pairs("FOURLEP_GPU_NODES"), text("FOURLEP_GPU_TAINT", resource))

    def limits(self, count: int) -> dict[str, str]:
        """Limits of a container with ``count`` GPUs; a request for them follows from it."""
        return {self.resource: str(count)}

    @property
    def tolerations(self) -> list[dict[str, Any]]:
        """Tolerations of the pod."""
        return [{"key": self.taint, "operator": "Exists", "effect": "NoSchedule"}]
