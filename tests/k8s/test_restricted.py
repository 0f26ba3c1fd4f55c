"""Pods of the manifests, held to the published level *restricted* as the trial's admission does."""

from __future__ import annotations

import copy

import pytest

from k8s.policies import Object, name, of_kind, pod_of
from k8s.trial.pod_security import review, violations

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job")


def test_no_pod_is_warned_of(overlay: tuple[Object, ...]) -> None:
    found = {name(each): list(violations(pod_of(each))) for each in of_kind(overlay, *WORKLOADS)}
    assert found
    assert not {key: value for key, value in found.items() if value}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hostNetwork": True}, "hostNetwork"),
        ({"volumes": [{"name": "x", "hostPath": {"path": "/"}}]}, "volume x"),
        ({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}, "seccompProfile"),
        ({"securityContext": {"runAsUser": 0}}, "runAsUser 0"),
    ],
)
def test_a_pod_that_is_not_restricted_is_refused_and_its_workload_warned_of(
    local: tuple[Object, ...], change: Object, words: str
) -> None:
    workload = copy.deepcopy(next(of_kind(local, "Deployment")))
    pod = pod_of(workload)
    pod |= change
    asked = {"request": {"uid": "1", "object": {"kind": "Pod", "spec": pod}}}
    assert words in review(asked)["response"]["status"]["message"]
    asked["request"]["object"] = workload
    answer = review(asked)["response"]
    assert answer["allowed"]
    assert words in answer["warnings"][0]
