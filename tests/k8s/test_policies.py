"""Every workload keeps to every policy, and every policy notices a violation."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from k8s import policies
from k8s.policies import Object, Policy, containers, name, of_kind, pod_of


@pytest.mark.parametrize("policy", policies.POLICIES, ids=lambda each: each.__name__)
def test_the_overlay_keeps_to_the_policy(overlay: tuple[Object, ...], policy: Policy) -> None:
    assert policy(overlay) == []


def _first(objects: tuple[Object, ...], *kinds: str) -> Any:
    return next(of_kind(objects, *kinds))


def _named(objects: tuple[Object, ...], wanted: str) -> Any:
    return next(each for each in objects if name(each) == wanted)


def _container(objects: tuple[Object, ...]) -> Any:
    return containers(pod_of(_first(objects, "StatefulSet")))[0]


def _pod(objects: tuple[Object, ...]) -> Any:
    return pod_of(_named(objects, "Deployment/proxy"))


Plant = Callable[[tuple[Object, ...]], object]

#: A violation of each policy, planted into the local overlay.
PLANTED: dict[Policy, list[Plant]] = {
    policies.runs_as_nobody_special: [
        lambda found: _pod(found)["securityContext"].pop("runAsNonRoot"),
        lambda found: _pod(found)["securityContext"].update(runAsUser=0),
        lambda found: _pod(found)["securityContext"].pop("seccompProfile"),
    ],
    policies.is_confined: [
        lambda found: _container(found)["securityContext"].update(readOnlyRootFilesystem=False),
        lambda found: _container(found)["securityContext"]["capabilities"].update(add=["CHOWN"]),
        lambda found: _container(found)["securityContext"].update(privileged=True),
        lambda found: _container(found).pop("securityContext"),
    ],
    policies.says_what_it_needs: [
        lambda found: _container(found)["resources"]["limits"].pop("memory"),
        lambda found: _container(found).pop("resources"),
    ],
    policies.is_probed: [lambda found: _container(found).pop("livenessProbe")],
    policies.is_pinned: [
        lambda found: _container(found).update(image="fourlep/xcache:latest"),
        lambda found: _container(found).update(image="fourlep/xcache"),
    ],
    policies.gets_no_token_in_vain: [
        lambda found: _pod(found).update(automountServiceAccountToken=True),
        lambda found: _pod(found).pop("automountServiceAccountToken"),
        lambda found: _pod(found).pop("serviceAccountName"),
        lambda found: _pod(found).pop("enableServiceLinks"),
    ],
    policies.has_a_priority: [lambda found: _pod(found).pop("priorityClassName")],
    policies.may_do_what_is_listed: [
        lambda found: _named(found, "Role/hub")["rules"][0]["verbs"].append("patch"),
        lambda found: _named(found, "Role/hub")["rules"].pop(),
        lambda found: _named(found, "Role/hub").update(kind="ClusterRole"),
    ],
    policies.namespace_is_restricted: [
        lambda found: _first(found, "Namespace")["metadata"]["labels"].update(
            {"pod-security.kubernetes.io/enforce": "baseline"}
        )
    ],
    policies.can_be_drained: [
        lambda found: _named(found, "PodDisruptionBudget/hub").update(kind="Removed")
    ],
    policies.holds_no_secret: [
        lambda found: _first(found, "ConfigMap").update(kind="Secret"),
    ],
    policies.starts_from_nothing_allowed: [
        lambda found: _named(found, "NetworkPolicy/default-deny")["spec"].update(ingress=[{}])
    ],
    policies.keeps_users_apart: [
        lambda found: _named(found, "NetworkPolicy/user-server")["spec"]["egress"].append({}),
        lambda found: _named(found, "NetworkPolicy/user-server")["spec"]["ingress"].append({}),
        lambda found: _named(found, "NetworkPolicy/readers")["spec"]["egress"][0]["ports"].append(
            {"protocol": "TCP", "port": 6443}
        ),
    ],
    policies.leaves_the_database_to_the_hub: [
        lambda found: _named(found, "NetworkPolicy/readers")["spec"]["egress"][0]["ports"].append(
            {"protocol": "TCP", "port": 5432}
        ),
        lambda found: _named(found, "NetworkPolicy/xcache")["spec"].update(
            podSelector={"matchLabels": {"app.kubernetes.io/name": "postgres"}}
        ),
        lambda found: _named(found, "NetworkPolicy/smoke")["spec"].update(
            podSelector={"matchLabels": {"app.kubernetes.io/name": "postgres"}}, ingress=[{}]
        ),
    ],
    policies.schedulers_outrank_workers: [
        lambda found: _named(found, "PriorityClass/fourlep-workers").update(value=10**6)
    ],
}


def test_every_policy_has_a_planted_violation() -> None:
    assert set(PLANTED) == set(policies.POLICIES)


@pytest.mark.parametrize(
    ("policy", "plant"),
    [(policy, plant) for policy, plants in PLANTED.items() for plant in plants],
)
def test_a_planted_violation_is_noticed(
    local: tuple[Object, ...], policy: Policy, plant: Plant
) -> None:
    objects = copy.deepcopy(local)
    plant(objects)
    assert policy(objects)
