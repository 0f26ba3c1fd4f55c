"""Secrets of the embedded facility: made when missing, readable by their owner only."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from fourlep.errors import OutputError


def _hexadecimal() -> str:
    return secrets.token_hex(32)


def _password() -> str:
    return secrets.token_urlsafe(15)


def _database_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


#: What each part needs, by file name; ``images/`` reads them by these names too.
MAKERS: dict[str, Callable[[], str]] = {
    "cookie-secret": _hexadecimal,
    "proxy-token": _hexadecimal,
    "gateway-token": _hexadecimal,
    "gateway-proxy-token": _hexadecimal,
    "gateway-database-key": _database_key,
    "smoke-token": _hexadecimal,
    "metrics-token": _hexadecimal,
    "database-password": _hexadecimal,
    "password": _password,
}


def make_secrets(folder: Path) -> None:
    """Make the secrets that ``folder`` lacks; keep those that it has.

    Raises
    ------
    OutputError
        If a secret that is there can be read by others.
    """
    for name, maker in MAKERS.items():
        path = folder / name
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            _check(path)
            continue
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(maker() + "\n")


def _check(path: Path) -> None:
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise OutputError(
            f"the secret {path} can be read by others (mode {mode:o})",
            remedy="delete it, a new one is made; whoever may have read it can log in",
        )
