"""What this Kubernetes lacks of a newer one, on one port: newer API versions, Pod Security."""

from __future__ import annotations

import json
import ssl
import sys
from pathlib import Path

from aiohttp import web

from k8s.trial.newer_versions import GROUPS, Newer
from k8s.trial.pod_security import Object, review

PORT = 8443


async def admit(request: web.Request) -> web.Response:
    asked = await request.json()
    answer = review(asked)
    if "status" in answer["response"] or "warnings" in answer["response"]:
        sys.stderr.write(json.dumps(answer["response"]) + "\n")
        sys.stderr.flush()
    return web.json_response(answer)


def objects(address: str, authority: str) -> list[Object]:
    """What makes the API server ask us."""
    place = {"name": "companions", "namespace": "kube-system"}
    services = [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": place,
            "spec": {"ports": [{"port": 443, "targetPort": PORT}]},
        },
        {
            "apiVersion": "v1",
            "kind": "Endpoints",
            "metadata": place,
            "subsets": [{"addresses": [{"ip": address}], "ports": [{"port": PORT}]}],
        },
    ]
    versions = [
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": f"v1.{group}"},
            "spec": {
                "group": group,
                "version": "v1",
                "caBundle": authority,
                "service": {**place, "port": 443},
                "groupPriorityMinimum": 17000,
                "versionPriority": 30,
            },
        }
        for group in GROUPS
    ]
    everything = ["pods", "deployments", "statefulsets", "daemonsets", "jobs", "replicasets"]
    hook = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "pod-security"},
        "webhooks": [
            {
                "name": "restricted.pod-security.trial",
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
                "namespaceSelector": {
                    "matchLabels": {"pod-security.kubernetes.io/enforce": "restricted"}
                },
                "clientConfig": {
                    "caBundle": authority,
                    "service": {**place, "path": "/pod-security", "port": 443},
                },
                "rules": [
                    {
                        "apiGroups": ["", "apps", "batch"],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": everything,
                    }
                ],
            }
        ],
    }
    return [*services, *versions, hook]


def main(server: str, keys: Path) -> None:
    newer = Newer(server, keys)
    app = web.Application(client_max_size=2**24)
    app.router.add_post("/pod-security", admit)
    for group in GROUPS:
        app.router.add_route("*", f"/apis/{group}/v1", newer.answer)
        app.router.add_route("*", f"/apis/{group}/v1/{{rest:.*}}", newer.answer)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(keys / "companions.crt", keys / "companions.key")
    web.run_app(app, host="0.0.0.0", port=PORT, ssl_context=tls, print=None)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
