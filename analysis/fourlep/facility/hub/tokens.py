"""Tokens of the hub's services: those of its secrets, and no earlier ones."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from sqlalchemy import bindparam, create_engine, inspect, text
from sqlalchemy.engine import make_url

_FORGET = text(
    "DELETE FROM api_tokens WHERE service_id IN (SELECT id FROM services WHERE name IN :names)"
).bindparams(bindparam("names", expanding=True))


def forget_service_tokens(address: str, services: Collection[str]) -> None:
    """Delete the tokens of ``services`` from the hub's database, before the hub starts.

    JupyterHub then adds those of its configuration, and never takes one away: a secret that
    was rotated would open what it did for ever, beside the new one.

    Parameters
    ----------
    address
        SQLAlchemy address of the database; one that is not made yet holds no tokens.
    services
        Names as in the hub's configuration.
    """
    url = make_url(address)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            if inspect(connection).has_table("api_tokens"):
                connection.execute(_FORGET, {"names": list(services)})
    finally:
        engine.dispose()
