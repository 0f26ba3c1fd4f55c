"""A Kubernetes of one node on this machine, in a network and a mount namespace of its own.

In ``tests``, ``python -m k8s.trial.node DIRECTORY up`` starts etcd, the control plane, containerd,
kubelet, kube-proxy and what else a cluster has, from what ``build.sh DIRECTORY`` left there.
``... run COMMAND`` runs a command inside with an administrator's kubeconfig (``TRIAL_USER=visitor``
or ``tenant``: with that of a user without rights); ``ctr`` is there too. ``... down`` ends all of
it. Nothing in there reaches beyond the machine, no address of the machine itself is listened on,
and nothing but empty folders is left outside DIRECTORY. Needs root.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from fourlep import __version__
from k8s.trial.companions import objects as of_companions
from k8s.trial.keys import make_keys
from k8s.trial.name_server import objects as of_name_server
from k8s.trial.world import (
    BIN,
    DNS_IP,
    KEYS,
    NODE,
    NODE_IP,
    PLACE,
    POD_RANGE,
    RUN,
    SERVER,
    SERVICE_RANGE,
    TOOLS,
    call,
    create,
    end,
    enter,
    kubectl,
    start,
    until,
)

IMAGE = f"docker.io/fourlep/analysis:{__version__}"
#: Where the programs write whatever they are told: the volumes' provisioner, containerd, kubelet.
FIXED = (
    "/tmp/hostpath_pv",
    "/run/containerd",
    "/run/netns",
    "/var/lib/cni",
    "/var/lib/kubelet",
    "/var/log/containers",
    "/var/log/pods",
)

# --- the namespaces that everything lives in


def make_world() -> None:
    holder = subprocess.Popen(
        ["unshare", "--net", "--mount", "--propagation", "slave", "sleep", "infinity"],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    (RUN / "holder.pid").write_text(str(holder.pid))
    time.sleep(0.5)
    call("mount", "--make-rshared", "/", inside=True)
    for folder in FIXED:
        own = RUN / "fixed" / Path(folder).name
        own.mkdir(parents=True)
        Path(folder).mkdir(parents=True, exist_ok=True)
        call("mount", "--bind", own, folder, inside=True)
    for line in (
        "ip link set lo up",
        "ip link add node0 type bridge",
        f"ip addr add {NODE_IP}/24 dev node0",
        "ip link set node0 up",
        "ip route add default dev node0",
        "sysctl -q -w net.ipv4.ip_forward=1",
        "sysctl -q -w net.bridge.bridge-nf-call-iptables=1",
    ):
        call(*line.split(), inside=True)


def settings(kubeconfig: str) -> list[str]:
    return [
        f"--{each}={KEYS / kubeconfig}.kubeconfig"
        for each in ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")
    ]


def start_control_plane() -> None:
    start("etcd", TOOLS / "usr/bin/etcd", f"--data-dir={RUN / 'etcd'}", "--unsafe-no-fsync")
    until("etcd", "curl", "-sf", "http://127.0.0.1:2379/health")
    (RUN / "audit.yaml").write_text(
        "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n"
        "omitStages: [RequestReceived]\n"
    )
    start(
        "apiserver",
        BIN / "kube-apiserver",
        "--etcd-servers=http://127.0.0.1:2379",
        "--bind-address=0.0.0.0",
        f"--advertise-address={NODE_IP}",
        "--secure-port=6443",
        f"--tls-cert-file={KEYS / 'server.crt'}",
        f"--tls-private-key-file={KEYS / 'server.key'}",
        f"--client-ca-file={KEYS / 'ca.crt'}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={KEYS / 'accounts.key'}",
        f"--service-account-signing-key-file={KEYS / 'accounts.key'}",
        f"--kubelet-client-certificate={KEYS / 'admin.crt'}",
        f"--kubelet-client-key={KEYS / 'admin.key'}",
        f"--requestheader-client-ca-file={KEYS / 'front.crt'}",
        "--kubelet-preferred-address-types=InternalIP",
        "--requestheader-allowed-names=front",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={KEYS / 'front-client.crt'}",
        f"--proxy-client-key-file={KEYS / 'front-client.key'}",
        "--enable-aggregator-routing=true",
        f"--audit-policy-file={RUN / 'audit.yaml'}",
        f"--audit-log-path={RUN / 'audit.log'}",
        "--feature-gates=BoundServiceAccountTokenVolume=true,TTLAfterFinished=true",
    )
    until("the API server", *kubectl("get", "--raw", "/readyz"))
    start(
        "controller-manager",
        BIN / "kube-controller-manager",
        *settings("controller-manager"),
        "--leader-elect=false",
        "--use-service-account-credentials=true",
        f"--service-account-private-key-file={KEYS / 'accounts.key'}",
        f"--root-ca-file={KEYS / 'ca.crt'}",
        "--enable-hostpath-provisioner=true",
        f"--cluster-signing-cert-file={KEYS / 'ca.crt'}",
        f"--cluster-signing-key-file={KEYS / 'ca.key'}",
        f"--requestheader-client-ca-file={KEYS / 'front.crt'}",
        "--feature-gates=BoundServiceAccountTokenVolume=true,TTLAfterFinished=true",
        umask=0,
    )
    start("scheduler", BIN / "kube-scheduler", *settings("scheduler"), "--leader-elect=false")


def start_companions() -> None:
    start("companions", sys.executable, "-m", "k8s.trial.companions", SERVER, KEYS)
    authority = base64.b64encode((KEYS / "ca.crt").read_bytes()).decode()
    create(of_companions(NODE_IP, authority))
    until("policy/v1", *kubectl("get", "--raw", "/apis/policy/v1"))
    for name in ("kube-system", "default"):
        call(
            *kubectl(
                "label", "--overwrite", "namespace", name, f"kubernetes.io/metadata.name={name}"
            ),
            inside=True,
        )
    create(
        [
            {
                "apiVersion": "storage.k8s.io/v1",
                "kind": "StorageClass",
                "metadata": {
                    "name": "standard",
                    "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
                },
                "provisioner": "kubernetes.io/host-path",
                "reclaimPolicy": "Delete",
            }
        ]
    )


def start_names() -> None:
    create(of_name_server(IMAGE, DNS_IP))
    until(
        "the name server",
        *kubectl("-n", "kube-system", "rollout", "status", "deployment/names", "--timeout=5s"),
    )


def start_node() -> None:
    network = RUN / "cni"
    network.mkdir(exist_ok=True)
    plugins = [
        {
            "type": "bridge",
            "bridge": "pods0",
            "isGateway": True,
            "hairpinMode": True,
            "ipam": {
                "type": "host-local",
                "dataDir": str(RUN / "addresses"),
                "ranges": [[{"subnet": "10.251.0.0/24"}]],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        },
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ]
    (network / "10-trial.conflist").write_text(
        json.dumps({"cniVersion": "0.4.0", "name": "trial", "plugins": plugins})
    )
    socket = RUN / "containerd.sock"
    (RUN / "containerd.toml").write_text(f"""
version = 2
root = "{PLACE}/containerd"
state = "{RUN}/containerd-state"
[grpc]
address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "docker.io/fourlep/pause:{__version__}"
# The machine may lack CAP_SYS_RESOURCE, without which no score can be lowered.
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{TOOLS}/usr/lib/cni"
conf_dir = "{network}"
""")
    start("containerd", TOOLS / "usr/bin/containerd", "--config", RUN / "containerd.toml")
    until("containerd", TOOLS / "usr/bin/ctr", "--address", socket, "version")
    load_images(socket)
    (RUN / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    (RUN / "kubelet.json").write_text(
        json.dumps(
            {
                "apiVersion": "kubelet.config.k8s.io/v1beta1",
                "kind": "KubeletConfiguration",
                "authentication": {
                    "x509": {"clientCAFile": str(KEYS / "ca.crt")},
                    "webhook": {"enabled": True},
                    "anonymous": {"enabled": False},
                },
                "authorization": {"mode": "Webhook"},
                "cgroupDriver": "cgroupfs",
                "clusterDNS": [DNS_IP],
                "clusterDomain": "cluster.local",
                "failSwapOn": False,
                "resolvConf": str(RUN / "resolv.conf"),
                "cgroupRoot": "/",
                "evictionHard": {
                    "memory.available": "200Mi",
                    "nodefs.available": "2%",
                    "imagefs.available": "2%",
                },
                "imageGCHighThresholdPercent": 100,
                "nodeStatusReportFrequency": "10s",
                "featureGates": {"BoundServiceAccountTokenVolume": True},
            }
        )
    )
    start(
        "kubelet",
        BIN / "kubelet",
        f"--config={RUN / 'kubelet.json'}",
        f"--kubeconfig={KEYS / 'kubelet.kubeconfig'}",
        f"--hostname-override={NODE}",
        f"--node-ip={NODE_IP}",
        f"--root-dir={RUN / 'kubelet'}",
        f"--cert-dir={RUN / 'kubelet-keys'}",
        f"--volume-plugin-dir={RUN / 'plugins'}",
        "--container-runtime=remote",
        f"--container-runtime-endpoint=unix://{socket}",
        "--register-node=true",
    )
    start(
        "kube-proxy",
        BIN / "kube-proxy",
        f"--kubeconfig={KEYS / 'proxy.kubeconfig'}",
        "--proxy-mode=iptables",
        f"--cluster-cidr={POD_RANGE}",
        f"--hostname-override={NODE}",
        "--conntrack-max-per-core=0",
    )


def load_images(socket: Path) -> None:
    ctr = [TOOLS / "usr/bin/ctr", "--address", socket, "--namespace=k8s.io", "images"]
    for archive in sorted((PLACE / "images").glob("*.tar")):
        loaded = PLACE / "containerd" / f"{archive.name}.loaded"
        if not loaded.exists() or loaded.stat().st_mtime < archive.stat().st_mtime:
            call(*ctr, "import", archive, inside=True)
            loaded.touch()


def up() -> None:
    if RUN.exists():
        raise SystemExit(f"it runs in {PLACE}, or did not end: `make trial-end` ends it")
    RUN.mkdir(parents=True)
    make_keys()
    make_world()
    start_control_plane()
    start_companions()
    start_node()
    start_names()
    start(
        "enforcer",
        "env",
        f"KUBECONFIG={KEYS / 'admin.kubeconfig'}",
        sys.executable,
        "-m",
        "k8s.trial.enforcer",
    )


def end_pods() -> None:
    ctr = [TOOLS / "usr/bin/ctr", "--address", RUN / "containerd.sock", "--namespace=k8s.io"]
    tasks = [*enter(), *map(str, ctr), "tasks"]
    # A containerd that does not answer leaves nothing to list.
    found = subprocess.run([*tasks, "list", "--quiet"], check=False, capture_output=True, text=True)
    for task in found.stdout.split():
        # It says so of each that had to be killed, and of those that went with their pod.
        subprocess.run([*tasks, "rm", "--force", task], check=False, capture_output=True)


def down() -> None:
    """End whatever came up, however far that was."""
    end("kubelet")
    if (RUN / "containerd.pid").exists():
        end_pods()
    for name in (
        "kube-proxy",
        "enforcer",
        "companions",
        "scheduler",
        "controller-manager",
        "apiserver",
        "etcd",
        "containerd",
        "holder",
    ):
        end(name)
    for group in sorted(Path("/sys/fs/cgroup").glob("*/kubepods/**"), reverse=True):
        with suppress(OSError):
            group.rmdir()
    if RUN.exists():
        shutil.rmtree(RUN)


def main(arguments: list[str]) -> None:
    # A cluster made anew has the address of the one before, and other kinds.
    os.environ["KUBECACHEDIR"] = str(RUN / "kubectl")
    match arguments:
        case [_, "up"]:
            up()
        case [_, "down"]:
            down()
        case [_, "run", *command]:
            user = os.environ.get("TRIAL_USER", "admin")
            os.environ |= {
                "KUBECONFIG": str(KEYS / f"{user}.kubeconfig"),
                "PATH": f"{os.environ['PATH']}:{TOOLS}/usr/bin",
                # For containerd's own client.
                "CONTAINERD_ADDRESS": str(RUN / "containerd.sock"),
                "CONTAINERD_NAMESPACE": "k8s.io",
            }
            words = [*enter(), "env", f"--chdir={Path.cwd()}", *command]
            os.execvp(words[0], words)
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
