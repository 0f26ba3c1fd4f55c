"""The Pod Security Standards' level *restricted*, for a Kubernetes that is older than they are.

Written from the published standard (kubernetes.io/docs/concepts/security/pod-security-standards)
and not from this repository's own policies, so that one may check the other. Pods are refused;
what makes pods gets warnings, as the built-in admission gives them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Object = dict[str, Any]

_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
_SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
}
_SELINUX = {None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}


def violations(pod: Object) -> Iterator[str]:
    """Say what of a pod's specification the level does not allow."""
    own = pod.get("securityContext") or {}
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(key):
            yield key
    for volume in pod.get("volumes") or []:
        if not _VOLUMES & set(volume):
            yield f"volume {volume['name']} of type {sorted(set(volume) - {'name'})}"
    for sysctl in own.get("sysctls") or []:
        if sysctl["name"] not in _SYSCTLS:
            yield f"sysctl {sysctl['name']}"
    yield from _context("pod", own)
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in pod.get(kind) or []:
            yield from _container(container, own)


def _container(container: Object, pod: Object) -> Iterator[str]:
    name, own = f"container {container['name']}", container.get("securityContext") or {}
    yield from _context(name, own)
    if own.get("privileged"):
        yield f"{name}: privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield f"{name}: allowPrivilegeEscalation is not false"
    capabilities = own.get("capabilities") or {}
    if "ALL" not in (capabilities.get("drop") or []):
        yield f"{name}: does not drop ALL capabilities"
    if set(capabilities.get("add") or []) - {"NET_BIND_SERVICE"}:
        yield f"{name}: adds capabilities"
    if own.get("procMount") not in {None, "Default"}:
        yield f"{name}: procMount"
    if not own.get("runAsNonRoot", pod.get("runAsNonRoot", False)):
        yield f"{name}: runAsNonRoot is not true"
    seccomp = (own.get("seccompProfile") or pod.get("seccompProfile") or {}).get("type")
    if seccomp not in {"RuntimeDefault", "Localhost"}:
        yield f"{name}: seccompProfile {seccomp}"
    if any(port.get("hostPort") for port in container.get("ports") or []):
        yield f"{name}: hostPort"
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        for way in ("httpGet", "tcpSocket"):
            if ((container.get(probe) or {}).get(way) or {}).get("host"):
                yield f"{name}: {probe} names a host"


def _context(name: str, context: Object) -> Iterator[str]:
    if context.get("runAsUser") == 0:
        yield f"{name}: runAsUser 0"
    if (context.get("appArmorProfile") or {}).get("type") == "Unconfined":
        yield f"{name}: AppArmor unconfined"
    selinux = context.get("seLinuxOptions") or {}
    if selinux.get("type") not in _SELINUX or selinux.get("user") or selinux.get("role"):
        yield f"{name}: seLinuxOptions"
    if (context.get("windowsOptions") or {}).get("hostProcess"):
        yield f"{name}: hostProcess"


def review(asked: Object) -> Object:
    """Answer an AdmissionReview."""
    request = asked["request"]
    thing = request["object"]
    is_pod = thing["kind"] == "Pod"
    pod = thing["spec"] if is_pod else thing["spec"]["template"]["spec"]
    found = list(violations(pod))
    answer: Object = {"uid": request["uid"], "allowed": not (found and is_pod)}
    if found:
        told = f'violates PodSecurity "restricted:latest": {"; ".join(found)}'
        answer |= (
            {"status": {"code": 403, "message": told}}
            if is_pod
            else {"warnings": [f"would {told}".replace("would violates", "would violate")]}
        )
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer}
