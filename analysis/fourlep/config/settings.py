"""Settings of the facility's parts: environment variables and secret files, checked.

The parts (hub, gateway, caches, collector) run as separate programs and in separate images,
so the environment is what reaches them all; ``docs/reference/facility-settings.md`` lists
every variable. Secrets are files, one each, in the folder that ``FOURLEP_SECRETS`` names:
they never travel in an environment, which servers that the hub starts would inherit.

Only the standard library is needed, so that the images of hub and gateway carry fourlep
without its dependencies.
"""

from __future__ import annotations

import os
from pathlib import Path

from fourlep.errors import ConfigError

_WHERE = "docs/reference/facility-settings.md explains every setting"


def text(name: str, default: str | None = None) -> str:
    """Value of the variable ``name``; without a default it must be set and not empty."""
    value = os.environ.get(name, "")
    if value:
        return value
    if default is None:
        raise ConfigError(f"{name} is not set", remedy=_WHERE)
    return default


def number(name: str, default: float) -> float:
    """Value of ``name`` as a number that is not negative."""
    value = text(name, str(default))
    try:
        parsed = float(value)
    except ValueError:
        raise ConfigError(f"{name}={value!r} is no number", remedy=_WHERE) from None
    if not 0 <= parsed < float("inf"):
        raise ConfigError(f"{name}={value!r} is negative or not finite", remedy=_WHERE)
    return parsed


def one_of(name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
    """Value of ``name``, which must be one of ``allowed``."""
    value = text(name, default)
    if value not in allowed:
        raise ConfigError(f"{name}={value!r}", remedy=f"choose one of {', '.join(allowed)}")
    return value


def names(name: str) -> set[str]:
    """Comma-separated names in ``name``; the empty set where it is not set."""
    return {part.strip() for part in text(name, "").split(",") if part.strip()}


def pairs(name: str) -> dict[str, str]:
    """``title=value`` pairs in ``name``, separated by commas, in the order written."""
    found = {}
    for part in text(name, "").split(","):
        title, separator, value = part.strip().partition("=")
        if separator and title:
            found[title] = value
        elif part.strip():
            raise ConfigError(f"{name}: {part.strip()!r} is no TITLE=VALUE", remedy=_WHERE)
    return found


def present(*wanted: str) -> dict[str, str]:
    """Those of the variables ``wanted`` that are set, to be handed on to a child."""
    return {name: os.environ[name] for name in wanted if os.environ.get(name)}


def secret(name: str, *, required: bool = True) -> str:
    """Content of the secret file ``name``; "" where it is absent and not required."""
    path = Path(text("FOURLEP_SECRETS")) / name
    try:
        value = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        value = ""
    if required and not value:
        raise ConfigError(
            f"the secret {path} is missing or empty",
            remedy="generate it (make secrets, or fourlep facility up)",
        )
    return value
