"""A secret that was rotated opens nothing any more."""

from __future__ import annotations

from pathlib import Path

import pytest
from jupyterhub import orm

from fourlep.facility.hub.tokens import forget_service_tokens


@pytest.fixture
def database(tmp_path: Path) -> str:
    """A hub's database with tokens of two services and of a user."""
    address = f"sqlite:///{tmp_path / 'jupyterhub.sqlite'}"
    with orm.new_session_factory(address)() as session:
        session.add(orm.OAuthClient(identifier="jupyterhub"))
        for owner in (orm.Service(name="metrics"), orm.Service(name="own"), orm.User(name="ada")):
            session.add(owner)
            session.flush()
            owner.new_api_token(f"token-of-{owner.name}", generated=True)
        session.commit()
        session.get_bind().dispose()
    return address


def tokens(address: str) -> set[str]:
    with orm.new_session_factory(address)() as session:
        found = {name for name in ("metrics", "own", "ada") if known(session, name)}
        session.get_bind().dispose()
    return found


def known(session: object, name: str) -> bool:
    return orm.APIToken.find(session, f"token-of-{name}") is not None


def test_tokens_of_the_configured_services_are_forgotten_and_no_others(database: str) -> None:
    assert tokens(database) == {"metrics", "own", "ada"}
    forget_service_tokens(database, ["metrics", "smoke"])
    assert tokens(database) == {"own", "ada"}


def test_a_database_that_is_not_made_yet_is_left_to_the_hub(tmp_path: Path) -> None:
    forget_service_tokens(f"sqlite:///{tmp_path / 'new.sqlite'}", ["metrics"])
    assert not list(tmp_path.iterdir())


def test_an_empty_database_is_left_to_the_hub(tmp_path: Path) -> None:
    (tmp_path / "new.sqlite").touch()
    forget_service_tokens(f"sqlite:///{tmp_path / 'new.sqlite'}", ["metrics"])
