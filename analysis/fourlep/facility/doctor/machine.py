"""The installation and the machine: packages, memory, disk, file descriptors."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import psutil
from packaging.requirements import Requirement

from fourlep.facility.doctor.finding import Finding

_GIB = 2**30
_LEAST_DISK_GIB = 2.0
_LEAST_MEMORY_GIB = 2.0
_LEAST_FILES = 1024


def packages() -> Iterator[Finding]:
    """Whether what fourlep requires is installed, in versions that it accepts."""
    wrong = []
    for text in metadata.requires("fourlep") or ():
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} is absent")
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"{requirement.name} {version}, wanted {requirement.specifier}")
    here = f"fourlep {metadata.version('fourlep')}, Python {platform.python_version()}"
    if wrong:
        yield Finding(
            "packages",
            "problem",
            "; ".join(wrong),
            "install from the lock: pip install --require-hashes -r locks/run.txt",
        )
    else:
        yield Finding("packages", "well", here)


def disk() -> Iterator[Finding]:
    """Whether the working folder and the scratch folder have room and can be written."""
    for subject, folder in (("disk", Path.cwd()), ("scratch", Path(tempfile.gettempdir()))):
        free = shutil.disk_usage(folder).free / _GIB
        if not os.access(folder, os.W_OK):
            yield Finding(
                subject, "problem", f"{folder} cannot be written", "work in another folder"
            )
        elif free < _LEAST_DISK_GIB:
            yield Finding(
                subject,
                "problem",
                f"{free:.1f} GiB free in {folder}",
                f"make room: a run wants {_LEAST_DISK_GIB:g} GiB",
            )
        else:
            yield Finding(subject, "well", f"{free:.1f} GiB free in {folder}")


def memory() -> Iterator[Finding]:
    """Whether there is memory for a worker."""
    free = psutil.virtual_memory().available / _GIB
    if free < _LEAST_MEMORY_GIB:
        yield Finding(
            "memory",
            "problem",
            f"{free:.1f} GiB free",
            "end other kernels, or start a larger server; workers want 2 GiB each",
        )
    else:
        yield Finding("memory", "well", f"{free:.1f} GiB free, {os.cpu_count()} cores")


def descriptors() -> Iterator[Finding]:
    """Whether enough files and connections may be open at once."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < _LEAST_FILES:
        yield Finding(
            "open files",
            "problem",
            f"the limit is {soft}",
            f"ulimit -n {min(hard, 65_536)}",
        )
    else:
        yield Finding("open files", "well", f"the limit is {soft}")
