"""Enforces NetworkPolicies with iptables, on the one node there is.

A packet between pods passes FORWARD after the Service's address was replaced; one from a pod
to the node (the API server) passes INPUT. Probes of the kubelet come from the node and pass, as
the API demands. Every half second: pods, namespaces and policies are looked at, and where they
differ from before, both chains are written anew, whole.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

Object = dict[str, Any]


def get(what: str) -> list[Object]:
    done = subprocess.run(
        ["kubectl", "get", "--raw", what], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)["items"]


def selects(selector: Object, labels: dict[str, str]) -> bool:
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for each in selector.get("matchExpressions") or []:
        value, values = labels.get(each["key"]), each.get("values") or []
        fits = {
            "In": value in values,
            "NotIn": value not in values,  # codespell:ignore
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }[each["operator"]]
        if not fits:
            return False
    return True


class World:
    def __init__(self) -> None:
        everything = get("/api/v1/pods")
        self.pods = [
            p
            for p in everything
            if p["status"].get("podIP")
            and not p["spec"].get("hostNetwork")
            and p["status"]["phase"] in {"Pending", "Running"}
        ]
        self.spaces = {
            n["metadata"]["name"]: n["metadata"].get("labels", {})
            for n in get("/api/v1/namespaces")
        }
        self.policies = get("/apis/networking.k8s.io/v1/networkpolicies")

    def peers(self, peer: Object, space: str) -> Iterator[str]:
        if "ipBlock" in peer:
            yield peer["ipBlock"]["cidr"]
            return
        for pod in self.pods:
            home, labels = pod["metadata"]["namespace"], pod["metadata"].get("labels", {})
            if "namespaceSelector" in peer:
                if not selects(peer["namespaceSelector"] or {}, self.spaces.get(home, {})):
                    continue
            elif home != space:
                continue
            if "podSelector" in peer and not selects(peer["podSelector"] or {}, labels):
                continue
            yield pod["status"]["podIP"]

    def ports(self, rule: Object, pod: Object) -> list[str]:
        said = []
        for each in rule.get("ports") or []:
            number = each.get("port")
            if isinstance(number, str):
                number = next(
                    p["containerPort"]
                    for c in pod["spec"]["containers"]
                    for p in c.get("ports", [])
                    if p.get("name") == number
                )
            span = f"{number}:{each['endPort']}" if "endPort" in each else str(number)
            said.append(f"-p {each.get('protocol', 'TCP').lower()} --dport {span}")
        return said or [""]

    def lines(self) -> Iterator[str]:
        for way, own, other, key in (("Ingress", "-d", "-s", "from"), ("Egress", "-s", "-d", "to")):
            chain = f"TRIAL-{way.upper()}"
            yield f"-A {chain} -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN"
            for pod in self.pods:
                applying = [
                    p
                    for p in self.policies
                    if p["metadata"]["namespace"] == pod["metadata"]["namespace"]
                    and way in p["spec"].get("policyTypes", ["Ingress"])
                    and selects(p["spec"]["podSelector"], pod["metadata"].get("labels", {}))
                ]
                if not applying:
                    continue
                address = pod["status"]["podIP"]
                for policy in applying:
                    for rule in policy["spec"].get(way.lower()) or []:
                        if rule.get(key):
                            ends = [
                                f"{other} {ip}"
                                for peer in rule[key]
                                for ip in self.peers(peer, policy["metadata"]["namespace"])
                            ]
                        else:
                            ends = [""]
                        for end in ends:
                            for port in self.ports(rule, pod):
                                yield f"-A {chain} {own} {address} {end} {port} -j RETURN"
                told = f"-m comment --comment {pod['metadata']['name'][:60]}"
                yield f"-A {chain} {own} {address} {told} -j DROP"


def write(lines: list[str]) -> None:
    table = ["*filter", ":TRIAL-INGRESS - [0:0]", ":TRIAL-EGRESS - [0:0]", *lines, "COMMIT", ""]
    subprocess.run(["iptables-restore", "--noflush"], input="\n".join(table), text=True, check=True)


def main() -> None:
    write([])
    for chain, jump in (
        ("FORWARD", "TRIAL-INGRESS"),
        ("FORWARD", "TRIAL-EGRESS"),
        ("INPUT", "TRIAL-EGRESS"),
    ):
        subprocess.run(["iptables", "-I", chain, "-j", jump], check=True)
    before: list[str] = []
    while True:
        try:
            now = list(World().lines())
        except (subprocess.CalledProcessError, json.JSONDecodeError) as error:
            sys.stderr.write(f"{error}\n")
            time.sleep(1)
            continue
        if now != before:
            write(now)
            sys.stderr.write(f"{time.strftime('%T')} {len(now)} rules\n")
            sys.stderr.flush()
            before = now
        time.sleep(0.3)


if __name__ == "__main__":
    main()
