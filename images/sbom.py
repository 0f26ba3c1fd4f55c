"""Writes an image's software bill of materials (CycloneDX 1.6) to standard output.

Called while the image is built, with the Python whose packages are to be listed: Debian's
packages and Python's, by name, version and package URL.
"""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import subprocess
import sys


def component(kind: str, name: str, version: str) -> dict[str, str]:
    """One entry of the list."""
    return {
        "type": "library",
        "name": name,
        "version": version,
        "purl": f"pkg:{kind}/{name}@{version}",
    }


def debian_packages() -> list[dict[str, str]]:
    """Packages that dpkg has installed; none where there is no dpkg."""
    if shutil.which("dpkg-query") is None:
        return []
    listed = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${Package} ${Version}\n"],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.split(" ", 1) for line in listed.stdout.splitlines()]
    return [component("deb/debian", name, version) for name, version in rows]


def python_packages() -> list[dict[str, str]]:
    """Distributions that this Python can import."""
    found = {
        (each.metadata["Name"].lower(), each.version) for each in importlib.metadata.distributions()
    }
    return [component("pypi", name, version) for name, version in sorted(found)]


if __name__ == "__main__":
    json.dump(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "components": [*debian_packages(), *python_packages()],
        },
        sys.stdout,
        indent=1,
    )
