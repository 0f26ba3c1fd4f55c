"""kubectl, called as a program."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

from fourlep.errors import ClusterError, ConfigError

#: A Kubernetes object, or a list of them, as JSON.
Object = dict[str, Any]


class Kubectl:
    """kubectl within one namespace.

    Parameters
    ----------
    namespace
        Where namespaced objects are.
    program
        Name or path of kubectl.

    Raises
    ------
    ConfigError
        If there is no kubectl.
    """

    def __init__(self, namespace: str, program: str = "kubectl") -> None:
        found = shutil.which(program)
        if found is None:
            raise ConfigError(
                "kubectl is missing", remedy="install it: kubernetes.io/docs/tasks/tools"
            )
        self.namespace = namespace
        self._program = found

    def run(self, *arguments: str, given: str | None = None, timeout_s: float = 120.0) -> str:
        """Call kubectl and return what it prints.

        Parameters
        ----------
        arguments
            As on the command line, without the namespace.
        given
            Standard input.
        timeout_s
            After which it is an error.

        Raises
        ------
        ClusterError
            With kubectl's own words.
        """
        try:
            done = subprocess.run(
                [self._program, f"--namespace={self.namespace}", *arguments],
                input=given,
                capture_output=True,
                text=True,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ClusterError(
                f"kubectl {arguments[0]} took more than {timeout_s:g} s",
                remedy="see whether the cluster answers: kubectl version",
            ) from error
        if done.returncode:
            raise ClusterError(
                f"kubectl {' '.join(arguments[:3])} failed: {done.stderr.strip()}",
                remedy="the last line above says why",
            )
        return done.stdout

    def get(self, *arguments: str) -> Object:
        """``kubectl get`` as JSON."""
        found: Object = json.loads(self.run("get", *arguments, "--output=json"))
        return found

    def find(self, kind: str, name: str) -> Object | None:
        """Get one object, None where it is not there."""
        text = self.run("get", kind, name, "--output=json", "--ignore-not-found")
        return json.loads(text) if text.strip() else None

    def items(self, *arguments: str) -> list[Object]:
        """Get objects of a kind."""
        found: list[Object] = self.get(*arguments)["items"]
        return found

    def allows(self, verb: str, resource: str) -> bool:
        """Whether the caller may do ``verb`` to ``resource``."""
        try:
            return self.run("auth", "can-i", verb, resource).strip() == "yes"
        except ClusterError:  # kubectl exits with 1 for "no"
            return False

    def apply(self, objects: Sequence[Object]) -> str:
        """Apply objects on the server's side; a second time changes nothing."""
        if not objects:
            return ""
        return self.run(
            "apply",
            "--server-side",
            "--force-conflicts",
            "--field-manager=fourlep",
            "--filename=-",
            given=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}),
        )


def is_forbidden(error: ClusterError) -> bool:
    """Whether the cluster refused for lack of a right, and not for another reason."""
    return "forbidden" in error.message.lower()
