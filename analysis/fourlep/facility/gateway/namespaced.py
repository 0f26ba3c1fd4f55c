"""Keeps the Gateway's programs within one namespace.

Their informers list clusters, pods and endpoints of all namespaces, which takes rights over
the whole Kubernetes cluster: without them the controller asks again without pause and never
starts. Here the same informers list one namespace, and rights over that one suffice.
"""

from __future__ import annotations

from typing import Any

from dask_gateway_server.backends.kubernetes import backend, controller
from dask_gateway_server.backends.kubernetes.utils import Informer

#: The call within a namespace for each call over all of them.
_WITHIN = {
    "list_cluster_custom_object": "list_namespaced_custom_object",
    "list_pod_for_all_namespaces": "list_namespaced_pod",
    "list_endpoints_for_all_namespaces": "list_namespaced_endpoints",
}


def watch_one_namespace(namespace: str) -> None:
    """Let informers that are made from now on list ``namespace`` only."""

    class NamespacedInformer(Informer):  # type: ignore[misc]  # untyped base
        """An informer of one namespace."""

        def __init__(self, *, method: str, method_kwargs: dict[str, Any], **options: Any) -> None:
            super().__init__(
                method=_WITHIN[method],
                method_kwargs={**method_kwargs, "namespace": namespace},
                **options,
            )

    # Both modules look the name up when they set up; there is no trait for it.
    backend.Informer = NamespacedInformer
    controller.Informer = NamespacedInformer
