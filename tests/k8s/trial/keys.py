"""Certificates of the trial's Kubernetes, and a kubeconfig for each of its users."""

from __future__ import annotations

import json

from k8s.trial.world import API_IP, KEYS, NODE, NODE_IP, SERVER, call


def authority(name: str) -> None:
    call(
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "30",
        "-subj",
        f"/CN={name}",
        "-addext",
        "keyUsage=critical,keyCertSign,cRLSign",
        "-keyout",
        KEYS / f"{name}.key",
        "-out",
        KEYS / f"{name}.crt",
    )


def issue(file: str, subject: str, *names: str, by: str = "ca") -> None:
    request = call(
        "openssl",
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        subject,
        "-keyout",
        KEYS / f"{file}.key",
    )
    extensions = KEYS / f"{file}.ext"
    # Python 3.13 takes no certificate without these.
    lines = [
        "subjectKeyIdentifier=hash",
        "authorityKeyIdentifier=keyid",
        "keyUsage=critical,digitalSignature",
        "extendedKeyUsage=serverAuth,clientAuth",
    ]
    lines += [f"subjectAltName={','.join(names)}"] if names else []
    extensions.write_text("\n".join(lines))
    call(
        "openssl",
        "x509",
        "-req",
        "-days",
        "30",
        "-CA",
        KEYS / f"{by}.crt",
        "-CAkey",
        KEYS / f"{by}.key",
        "-CAcreateserial",
        "-extfile",
        extensions,
        "-out",
        KEYS / f"{file}.crt",
        given=request,
    )


def make_keys() -> None:
    KEYS.mkdir(parents=True, exist_ok=True)
    authority("ca")
    authority("front")
    issue(
        "server",
        "/CN=kube-apiserver",
        f"IP:{NODE_IP}",
        "IP:127.0.0.1",
        f"IP:{API_IP}",
        "DNS:kubernetes",
        "DNS:kubernetes.default",
        "DNS:kubernetes.default.svc",
        "DNS:localhost",
    )
    issue("admin", "/O=system:masters/CN=admin")
    issue("controller-manager", "/CN=system:kube-controller-manager")
    issue("scheduler", "/CN=system:kube-scheduler")
    issue("proxy", "/CN=system:kube-proxy")
    issue("kubelet", f"/O=system:nodes/CN=system:node:{NODE}")
    issue("front-client", "/CN=front", by="front")
    issue("visitor", "/CN=visitor")
    issue("tenant", "/CN=tenant")
    issue("companions", "/CN=companions", f"IP:{NODE_IP}", "DNS:companions.kube-system.svc")
    call("openssl", "genrsa", "-out", KEYS / "accounts.key", "2048")
    for user in (
        "admin",
        "controller-manager",
        "scheduler",
        "proxy",
        "kubelet",
        "visitor",
        "tenant",
    ):
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "trial",
            "clusters": [
                {
                    "name": "trial",
                    "cluster": {"server": SERVER, "certificate-authority": str(KEYS / "ca.crt")},
                }
            ],
            "users": [
                {
                    "name": user,
                    "user": {
                        "client-certificate": str(KEYS / f"{user}.crt"),
                        "client-key": str(KEYS / f"{user}.key"),
                    },
                }
            ],
            "contexts": [{"name": "trial", "context": {"cluster": "trial", "user": user}}],
        }
        (KEYS / f"{user}.kubeconfig").write_text(json.dumps(config))
