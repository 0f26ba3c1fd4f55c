"""The configuration files of ``images/`` load, for one machine and for Kubernetes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config, PyFileConfigLoader

from fourlep.errors import ConfigError
from fourlep.facility.embedded.parts import read_settings
from fourlep.facility.embedded.secrets import make_secrets

IMAGES = Path(__file__).resolve().parents[2] / "images"

COMMON = {
    "FOURLEP_HUB_API_URL": "http://hub:8081",
    "FOURLEP_GATEWAY_URL": "http://127.0.0.1:8002",
    "FOURLEP_GATEWAY_SCHEDULERS": "gateway://127.0.0.1:8786",
    "FOURLEP_CACHES": "root://127.0.0.1:1094",
}
HUB = {
    "FOURLEP_HUB_BIND_URL": "http://127.0.0.1:8000",
    "FOURLEP_HUB_API_BIND_URL": "http://127.0.0.1:8081",
    "FOURLEP_PROXY_API_URL": "http://127.0.0.1:8001",
    "FOURLEP_HUB_USERS": "ada,ben",
    "FOURLEP_HUB_HOMES": "/homes",
}
GATEWAY = {
    "FOURLEP_GATEWAY_API_BIND": "127.0.0.1:8003",
    "FOURLEP_GATEWAY_DATABASE": "sqlite:///gateway.sqlite",
    "FOURLEP_GATEWAY_WORK": "/clusters",
    "FOURLEP_GATEWAY_CLUSTER_API": "http://traefik/services/dask-gateway/api",
    "DASK_GATEWAY_INSTANCE": "fourlep",
}
PODS = {"FOURLEP_IMAGE": "analysis:1", "POD_NAMESPACE": "fourlep"}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    make_secrets(tmp_path)
    for name, value in {**COMMON, **HUB, **GATEWAY, **PODS}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("FOURLEP_SECRETS", str(tmp_path))
    monkeypatch.setenv("FOURLEP_HUB_SPAWNER", "local")
    monkeypatch.setenv("FOURLEP_GATEWAY_BACKEND", "local")
    return monkeypatch


def load(name: str) -> Config:
    path = IMAGES / name
    return PyFileConfigLoader(path.name, str(path.parent)).load_config()


def hub() -> Config:
    return load("hub/jupyterhub_config.py")


def gateway() -> Config:
    return load("gateway/dask_gateway_config.py")


def test_the_hub_spawns_processes_on_one_machine(environment: pytest.MonkeyPatch) -> None:
    config = hub()
    assert config.JupyterHub.spawner_class.endswith("OwnProcessSpawner")
    assert config.Spawner.ip == "127.0.0.1"


def test_the_hub_spawns_pods_on_kubernetes(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FOURLEP_HUB_SPAWNER", "kubernetes")
    config = hub()
    assert config.JupyterHub.spawner_class == "fourlep.facility.hub.spawner.HomeSpawner"
    assert config.KubeSpawner.image == "analysis:1"
    assert config.Spawner.environment["DASK_GATEWAY__CLUSTER__OPTIONS__IMAGE"] == "analysis:1"


def test_pods_of_users_are_confined(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FOURLEP_HUB_SPAWNER", "kubernetes")
    spawner = hub().KubeSpawner
    assert spawner.container_security_context["readOnlyRootFilesystem"] is True
    assert spawner.container_security_context["capabilities"] == {"drop": ["ALL"]}
    assert spawner.pod_security_context["runAsNonRoot"] is True
    assert spawner.automount_service_account_token is False
    assert spawner.delete_pvc is False


def test_both_worlds_tell_the_server_the_same_gateway(environment: pytest.MonkeyPatch) -> None:
    local = hub().Spawner.environment
    environment.setenv("FOURLEP_HUB_SPAWNER", "kubernetes")
    pods = hub().Spawner.environment
    names = [name for name in local if name.startswith("DASK_GATEWAY__")]
    assert names
    assert all(local[name] == pods[name] for name in names if not callable(local[name]))


def test_nobody_may_log_in_unless_named(environment: pytest.MonkeyPatch) -> None:
    config = hub()
    assert config.Authenticator.allow_all is False
    assert config.Authenticator.allowed_users == {"ada", "ben"}
    environment.setenv("FOURLEP_HUB_USERS", "")
    with pytest.raises(ConfigError, match="nobody could log in"):
        hub()


def test_the_password_of_all_users_makes_nobody_an_administrator(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from jupyterhub.authenticators.shared import SharedPasswordAuthenticator

    environment.setenv("FOURLEP_HUB_ADMINS", "ben")
    everybodys, own = (tmp_path / "password").read_text().strip(), "an administrator's " * 2

    def may_log_in(user: str, password: str) -> bool:
        authenticator = SharedPasswordAuthenticator(config=hub())
        offered = {"username": user, "password": password}
        return asyncio.run(authenticator.get_authenticated_user(None, offered)) is not None

    assert may_log_in("ada", everybodys)
    assert not may_log_in("ben", everybodys)
    (tmp_path / "admin-password").write_text(own)
    assert may_log_in("ben", own.strip())
    assert not may_log_in("ada", own.strip())


@pytest.mark.parametrize("name", ["../../etc", "a/b", ".hidden", "A", "-x", "a b", "ada\n", ""])
def test_names_that_could_leave_their_folder_are_no_users(
    environment: pytest.MonkeyPatch, name: str
) -> None:
    from jupyterhub.authenticators.shared import SharedPasswordAuthenticator

    config = hub()
    assert not SharedPasswordAuthenticator(config=config).validate_username(name)


def test_single_sign_on_asks_for_allowed_users_or_groups(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FOURLEP_HUB_LOGIN", "oidc")
    environment.setenv("FOURLEP_HUB_USERS", "")
    with pytest.raises(ConfigError, match="FOURLEP_OIDC_GROUPS"):
        hub()


def test_single_sign_on_is_a_setting(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "oidc-client-secret").write_text("hush")
    environment.setenv("FOURLEP_HUB_LOGIN", "oidc")
    environment.setenv("FOURLEP_OIDC_GROUPS", "atlas")
    environment.setenv("FOURLEP_OIDC_ADMIN_GROUPS", "atlas-operators")
    for name in ("CLIENT_ID", "CALLBACK_URL", "AUTHORIZE_URL", "TOKEN_URL", "USERINFO_URL"):
        environment.setenv(f"FOURLEP_OIDC_{name}", f"https://sso/{name}")
    config = hub()
    from oauthenticator.generic import GenericOAuthenticator

    authenticator = GenericOAuthenticator(config=config)
    assert authenticator.allowed_groups == {"atlas"}
    assert authenticator.admin_groups == {"atlas-operators"}
    assert authenticator.validate_username("ada.lovelace@atlas.example")
    assert not authenticator.validate_username(".hidden")
    assert authenticator.token_url == "https://sso/TOKEN_URL"
    assert not authenticator.allow_all


def test_the_smoke_test_can_touch_its_own_user_only(environment: pytest.MonkeyPatch) -> None:
    role = next(role for role in hub().JupyterHub.load_roles if role["name"] == "smoke-test")
    assert all(scope.endswith("!user=smoke") for scope in role["scopes"])


def test_whoever_reads_the_metrics_can_do_nothing_else(environment: pytest.MonkeyPatch) -> None:
    roles = [role for role in hub().JupyterHub.load_roles if "metrics" in role.get("services", ())]
    assert [role["scopes"] for role in roles] == [["read:metrics"]]


def test_the_database_is_a_file_unless_it_is_set(environment: pytest.MonkeyPatch) -> None:
    assert hub().JupyterHub.db_url == "sqlite:///jupyterhub.sqlite"


def test_the_databases_password_is_a_secret(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "database-password").write_text("p@ss/word\n")
    environment.setenv("FOURLEP_HUB_DATABASE", "postgresql+psycopg://jupyterhub@db:5432/hub")
    assert hub().JupyterHub.db_url == "postgresql+psycopg://jupyterhub:p%40ss%2Fword@db:5432/hub"


def test_a_password_in_the_databases_address_is_kept(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FOURLEP_HUB_DATABASE", "postgresql+psycopg://ada:own@db/hub")
    assert hub().JupyterHub.db_url == "postgresql+psycopg://ada:own@db/hub"


def test_the_gateway_runs_processes_on_one_machine(environment: pytest.MonkeyPatch) -> None:
    config = gateway()
    assert config.DaskGateway.backend_class.__name__ == "LoopbackBackend"
    assert config.Proxy.address == "127.0.0.1:8002"
    assert config.Proxy.tcp_address == "127.0.0.1:8786"


def test_the_gateway_runs_pods_on_kubernetes(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FOURLEP_GATEWAY_BACKEND", "kubernetes")
    config = gateway()
    assert config.DaskGateway.backend_class.__name__ == "LimitedKubeBackend"
    instances = {config.LimitedKubeBackend.gateway_instance, config.KubeController.gateway_instance}
    assert instances == {"fourlep"}
    for role in ("scheduler", "worker"):
        container = config.KubeClusterConfig[f"{role}_extra_container_config"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        pod = config.KubeClusterConfig[f"{role}_extra_pod_config"]
        assert pod["securityContext"]["runAsNonRoot"] is True


def test_the_controller_needs_no_token_of_the_hub(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "gateway-token").unlink()
    environment.setenv("FOURLEP_GATEWAY_BACKEND", "kubernetes")
    environment.setenv("FOURLEP_GATEWAY_PART", "controller")
    assert "JupyterHubAuthenticator" not in gateway()


@pytest.mark.parametrize("world", ["local", "kubernetes"])
def test_every_cluster_is_limited_and_guarded(environment: pytest.MonkeyPatch, world: str) -> None:
    environment.setenv("FOURLEP_GATEWAY_BACKEND", world)
    config = gateway()
    for command in (config.ClusterConfig.scheduler_cmd, config.ClusterConfig.worker_cmd):
        assert "fourlep.facility.dashboard_guard" in command
    backend = config[config.DaskGateway.backend_class.__name__]
    assert backend.limits.user_clusters == 2
    assert config.ClusterConfig.idle_timeout == 1800


def test_workers_on_one_machine_listen_on_loopback(environment: pytest.MonkeyPatch) -> None:
    backend_class: Any = gateway().DaskGateway.backend_class
    assert backend_class.default_host == "127.0.0.1"


def test_the_cache_has_one_origin_and_bounds() -> None:
    lines = (IMAGES / "xcache" / "xcache.cfg").read_text().splitlines()
    directives = [line.split()[0] for line in lines if line and not line.startswith("#")]
    assert directives.count("pss.origin") == 1
    assert directives.count("all.export") == 1
    assert {"pfc.ram", "pfc.diskusage", "ofs.authorize", "acc.authdb"} <= set(directives)
    assert "pss.permit" not in directives


def test_the_caches_wait_for_the_origin_is_bounded() -> None:
    settings = read_settings(IMAGES / "xcache" / "xcache.env")
    assert settings["XRD_STREAMERRORWINDOW"] == "0"
    assert int(settings["XRD_REQUESTTIMEOUT"]) <= 10
