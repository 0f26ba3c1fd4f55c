"""Address of the hub's database."""

from __future__ import annotations

from sqlalchemy.engine import make_url

from fourlep.config.settings import secret, text


def database_url() -> str:
    """Address of the database (``FOURLEP_HUB_DATABASE``), with its password put in.

    The setting names server and user; the password of a PostgreSQL server is the secret
    ``database-password``, so that it stands in no environment and in no manifest.
    """
    url = make_url(text("FOURLEP_HUB_DATABASE", "sqlite:///jupyterhub.sqlite"))
    if url.get_backend_name() != "sqlite" and url.password is None:
        url = url.set(password=secret("database-password"))
    return url.render_as_string(hide_password=False)
