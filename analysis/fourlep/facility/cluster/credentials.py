"""The facility's secret in the cluster: made where it is missing, never printed."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Collection

from fourlep.errors import ConfigError
from fourlep.facility.cluster.kubectl import Kubectl
from fourlep.facility.embedded.secrets import MAKERS

NAME = "fourlep-secrets"


def make_secrets(kubectl: Kubectl, rotate: Collection[str] = ()) -> list[str]:
    """Make what the secret lacks, keep what it has, make anew what is to be rotated.

    Parameters
    ----------
    kubectl
        In the namespace of the facility, which must be there.
    rotate
        Keys to make anew.

    Returns
    -------
    list
        The keys that were made.

    Raises
    ------
    ConfigError
        If a key to rotate is not one that is made here.
    """
    unknown = sorted(set(rotate) - set(MAKERS))
    if unknown:
        raise ConfigError(
            f"{', '.join(unknown)}: no such secret", remedy=f"choose of {', '.join(MAKERS)}"
        )
    found = kubectl.find("secret", NAME) or {}
    kept = {key: value for key, value in found.get("data", {}).items() if key not in rotate}
    made = {
        key: b64encode(maker().encode()).decode()
        for key, maker in MAKERS.items()
        if key not in kept
    }
    if made:
        kubectl.apply(
            [
                {
                    "apiVersion": "v1",
                    "kind": "Secret",
                    "metadata": {
                        "name": NAME,
                        "namespace": kubectl.namespace,
                        "labels": {"app.kubernetes.io/part-of": "fourlep"},
                    },
                    "type": "Opaque",
                    "data": {**kept, **made},
                }
            ]
        )
    return sorted(made)


def read_secret(kubectl: Kubectl, key: str) -> str:
    """Value of one key; "" where it is not there."""
    found = kubectl.find("secret", NAME) or {}
    return b64decode(found.get("data", {}).get(key, "")).decode()
