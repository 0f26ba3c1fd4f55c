"""Images are looked for before anything is changed, in a real registry's terms."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from fourlep.facility.cluster.images import check_images
from fourlep.facility.cluster.registry import Reference, ask
from fourlep.facility.doctor.finding import Finding
from fourlep.facility.embedded.requirements import free_ports
from k8s.policies import Object
from k8s.test_deploy import Pretended


@dataclass
class Registry:
    """A registry on loopback: manifests by path, and who may ask for them."""

    address: str = ""
    manifests: set[str] = field(default_factory=set)
    private: set[str] = field(default_factory=set)
    asks_for_token: bool = False
    broken: bool = False
    asked: list[str] = field(default_factory=list)

    def status(self, path: str, authorization: str) -> int:
        """What a manifest is answered with."""
        self.asked.append(path)
        if self.broken:
            return 503
        if self.asks_for_token and authorization != f"Bearer for {path}":
            return 401
        if path in self.private:
            return 403
        return 200 if path in self.manifests else 404


@pytest.fixture
def registry() -> Iterator[Registry]:
    kept = Registry()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            status = kept.status(self.path, self.headers.get("Authorization", ""))
            self.send_response(status)
            if status == 401:
                realm = (
                    f'Bearer realm="http://{kept.address}/token",service="x",scope="{self.path}"'
                )
                self.send_header("WWW-Authenticate", realm)
            self.end_headers()

        def do_GET(self) -> None:
            (scope,) = parse_qs(urlsplit(self.path).query)["scope"]
            self.send_response(403 if scope in kept.private else 200)
            self.end_headers()
            self.wfile.write(f'{{"token": "for {scope}"}}'.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.address = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()


HUB = "/v2/fourlep/hub/manifests/9"


def hub_at(address: str) -> Reference:
    return Reference.parse(f"{address}/fourlep/hub:9")


@pytest.mark.parametrize("asks_for_token", [False, True])
def test_an_image_that_is_there_is_found(registry: Registry, *, asks_for_token: bool) -> None:
    registry.manifests.add(HUB)
    registry.asks_for_token = asks_for_token
    assert ask(hub_at(registry.address)) == "there"


@pytest.mark.parametrize("asks_for_token", [False, True])
def test_an_image_that_is_not_there_is_absent(registry: Registry, *, asks_for_token: bool) -> None:
    registry.asks_for_token = asks_for_token
    assert ask(hub_at(registry.address)) == "absent"


@pytest.mark.parametrize("asks_for_token", [False, True])
def test_a_registry_that_wants_a_login_refuses(registry: Registry, *, asks_for_token: bool) -> None:
    registry.private.add(HUB)
    registry.asks_for_token = asks_for_token
    assert ask(hub_at(registry.address)) == "refused"


def test_a_registry_that_fails_is_as_good_as_unreachable(registry: Registry) -> None:
    registry.broken = True
    assert ask(hub_at(registry.address)) == "unreachable"


def test_a_dead_registry_is_unreachable() -> None:
    (port,) = free_ports(1)
    assert ask(hub_at(f"127.0.0.1:{port}")) == "unreachable"


@pytest.mark.parametrize(
    ("image", "url"),
    [
        ("traefik:v3", "https://registry-1.docker.io/v2/library/traefik/manifests/v3"),
        ("fourlep/hub:9", "https://registry-1.docker.io/v2/fourlep/hub/manifests/9"),
        ("quay.io/a/b:1", "https://quay.io/v2/a/b/manifests/1"),
        ("localhost:5000/b:1", "http://localhost:5000/v2/b/manifests/1"),
        ("r.org:5000/a/b@sha256:12", "https://r.org:5000/v2/a/b/manifests/sha256:12"),
    ],
)
def test_a_reference_is_read_as_kubernetes_does(image: str, url: str) -> None:
    assert Reference.parse(image).url == url


def workloads(*images: str) -> list[Object]:
    containers = [{"image": image} for image in images]
    return [{"kind": "Job", "spec": {"template": {"spec": {"containers": containers}}}}]


def nodes(*images_of_each: list[str]) -> Pretended:
    return Pretended(
        get_nodes=[{"status": {"images": [{"names": images}]}} for images in images_of_each]
    )


def found(kubectl: Pretended, *images: str) -> list[Finding]:
    return list(check_images(kubectl, workloads(*images)))


def test_images_on_every_node_are_asked_of_nobody(registry: Registry) -> None:
    image = f"{registry.address}/fourlep/hub:9"
    (finding,) = found(nodes([image], [image, "x:1"]), image)
    assert finding.state == "well"
    assert not registry.asked


def test_an_image_on_one_node_only_is_asked_for(registry: Registry) -> None:
    image = f"{registry.address}/fourlep/hub:9"
    (finding,) = found(nodes([image], []), image)
    assert finding.state == "problem"
    assert registry.asked == [HUB]


def test_an_image_without_a_registry_is_known_by_its_whole_name() -> None:
    (finding,) = found(nodes(["docker.io/fourlep/hub:9"]), "fourlep/hub:9")
    assert finding.state == "well"


def test_what_a_registry_lacks_is_a_problem_with_its_name(registry: Registry) -> None:
    registry.manifests.add(HUB)
    images = [f"{registry.address}/fourlep/{each}" for each in ("hub:9", "gateway:9")]
    (finding,) = found(nodes([]), *images)
    assert finding.state == "problem"
    assert "has no fourlep/gateway:9" in finding.detail
    assert "LOADED=yes" in finding.remedy


def test_a_registry_that_wants_a_login_is_noted_with_the_secret_to_make(registry: Registry) -> None:
    registry.private.add(HUB)
    (finding,) = found(nodes([]), f"{registry.address}/fourlep/hub:9")
    assert finding.state == "note"
    assert "pull secret" in finding.remedy


def test_a_registry_that_cannot_be_reached_from_here_is_noted_once() -> None:
    (port,) = free_ports(1)
    images = [f"127.0.0.1:{port}/fourlep/{each}:9" for each in ("hub", "gateway", "xcache")]
    (finding,) = found(nodes([]), *images)
    assert finding.state == "note"
    assert "does not answer from here" in finding.detail


def test_nothing_is_changed_by_looking(registry: Registry) -> None:
    kubectl = nodes([])
    found(kubectl, f"{registry.address}/fourlep/hub:9")
    assert {call[0] for call in kubectl.calls} == {"get"}
