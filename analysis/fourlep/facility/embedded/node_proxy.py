"""configurable-http-proxy, installed from the committed lock into a cache folder."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from fourlep.errors import ConfigError, OutputError

_FILES = ("package.json", "package-lock.json")
_TIMEOUT_S = 300


def install_proxy(source: Path, cache: Path) -> Path:
    """Install the proxy where it is not installed yet.

    Parameters
    ----------
    source
        Folder with ``package.json`` and ``package-lock.json``.
    cache
        Where to keep installations, one for each content of the lock.

    Returns
    -------
    Path
        The proxy's program, to be run with ``node``.

    Raises
    ------
    ConfigError
        If npm fails.
    OutputError
        If ``cache`` cannot be written.
    """
    digest = hashlib.sha256(b"".join((source / name).read_bytes() for name in _FILES))
    target = cache / f"proxy-{digest.hexdigest()[:16]}"
    program = target / "node_modules" / "configurable-http-proxy" / "bin"
    program /= "configurable-http-proxy"
    if not program.is_file():
        try:
            _install(source, target)
        except OSError as error:
            raise OutputError(
                f"the hub's proxy cannot be kept in {cache}: {error.strerror}",
                remedy="name a folder that can be written in FOURLEP_CACHE_DIR",
            ) from error
    return program


def _install(source: Path, target: Path) -> None:
    building = target.with_suffix(".new")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    for name in _FILES:
        shutil.copyfile(source / name, building / name)
    try:
        answer = subprocess.run(
            ["npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=building,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        failed = answer.stderr if answer.returncode else ""
    except subprocess.TimeoutExpired:
        failed = f"npm took more than {_TIMEOUT_S} s"
    if failed:
        shutil.rmtree(building, ignore_errors=True)
        raise ConfigError(
            f"npm could not install configurable-http-proxy:\n{failed.strip()[-1000:]}",
            remedy="check that npm reaches its registry (npm ping), then try again",
        )
    shutil.rmtree(target, ignore_errors=True)
    building.rename(target)
