"""What the cluster needs to run ``names.py`` as its name server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

Object = dict[str, Any]


def objects(image: str, address: str) -> list[Object]:
    """A pod of ``image`` behind the Service at ``address``, and its right to list Services."""
    labels = {"k8s-app": "kube-dns"}
    place = {"name": "names", "namespace": "kube-system"}
    core = {"apiVersion": "v1"}
    rbac = "rbac.authorization.k8s.io"
    container = {
        "name": "names",
        "image": image,
        "imagePullPolicy": "Never",
        "command": ["python", "/program/names.py"],
        "securityContext": {"runAsUser": 0},
        "volumeMounts": [{"name": "program", "mountPath": "/program"}],
        "readinessProbe": {"tcpSocket": {"port": 53}, "periodSeconds": 2},
    }
    return [
        {**core, "kind": "ServiceAccount", "metadata": place},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": "names"},
            "rules": [
                {"apiGroups": [""], "resources": ["services", "endpoints"], "verbs": ["list"]}
            ],
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "names"},
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "names"},
            "subjects": [{"kind": "ServiceAccount", **place}],
        },
        {
            **core,
            "kind": "ConfigMap",
            "metadata": place,
            "data": {"names.py": Path(__file__).with_name("names.py").read_text()},
        },
        {
            **core,
            "kind": "Service",
            "metadata": {"name": "kube-dns", "namespace": "kube-system"},
            "spec": {
                "clusterIP": address,
                "selector": labels,
                "ports": [
                    {"name": "udp", "port": 53, "protocol": "UDP"},
                    {"name": "tcp", "port": 53, "protocol": "TCP"},
                ],
            },
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": place,
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {
                        "serviceAccountName": "names",
                        "dnsPolicy": "Default",
                        "containers": [container],
                        "volumes": [{"name": "program", "configMap": {"name": "names"}}],
                    },
                },
            },
        },
    ]
