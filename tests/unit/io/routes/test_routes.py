from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourlep.errors import ConfigError
from fourlep.io.routes import Cache, Place, Routes

ORIGIN = "root://eospublic.cern.ch"
PATHS = [f"{ORIGIN}//eos/opendata/file-{i}.root" for i in range(3000)]


def caches(n: int) -> tuple[Cache, ...]:
    return tuple(Cache(f"root://cache-{i}:1094") for i in range(n))


def first(routes: Routes, url: str) -> str:
    return routes.places(url)[0].endpoint


def test_without_caches_a_file_is_read_at_its_origin() -> None:
    url = f"{ORIGIN}//eos/a.root"
    assert Routes().places(url) == (Place(url, "root://eospublic.cern.ch:1094", "origin"),)


def test_a_local_path_has_one_place() -> None:
    routes = Routes(caches(2))
    assert routes.places("/data/a.root") == (Place("/data/a.root", "local", "local"),)


def test_the_origin_comes_last() -> None:
    places = Routes(caches(3)).places(f"{ORIGIN}//eos/a.root")
    assert [place.kind for place in places] == ["cache", "cache", "cache", "origin"]


def test_a_cache_with_a_fixed_origin_is_asked_for_the_path() -> None:
    (place, _) = Routes(caches(1)).places(f"{ORIGIN}:1094//eos/a.root")
    assert place.url == "root://cache-0:1094//eos/a.root"


def test_a_prefix_cache_is_asked_for_the_whole_url() -> None:
    routes = Routes.parse(["root://cache:1094//"])
    (place, _) = routes.places(f"{ORIGIN}//eos/a.root")
    assert place.url == "root://cache:1094//root://eospublic.cern.ch:1094//eos/a.root"


def test_an_http_cache_has_a_single_slash_before_the_path() -> None:
    routes = Routes.parse(["http://cache:8000"])
    assert routes.places(f"{ORIGIN}//eos/a.root")[0].url == "http://cache:8000/eos/a.root"


def test_a_query_is_kept() -> None:
    (place, _) = Routes(caches(1)).places(f"{ORIGIN}//eos/a.root?xrd.wantprot=unix")
    assert place.url.endswith("//eos/a.root?xrd.wantprot=unix")


def test_a_number_sign_is_part_of_the_path() -> None:
    (first, _) = Routes(caches(1)).places(f"{ORIGIN}//eos/a#1.root")
    assert first.url.endswith("//eos/a#1.root")


@pytest.mark.parametrize("url", ["root://host:port//a.root", "http://[::1/a.root", "s3://b/a.root"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="no address of a file server"):
        Routes().places(url)


def test_another_origin_never_goes_through_the_caches() -> None:
    url = "root://other.example//eos/a.root"
    assert [place.kind for place in Routes(caches(2)).places(url)] == ["origin"]


def test_another_port_is_another_origin() -> None:
    url = "root://eospublic.cern.ch:1095//eos/a.root"
    assert [place.kind for place in Routes(caches(2)).places(url)] == ["origin"]


def test_the_order_of_the_caches_means_nothing() -> None:
    forwards, backwards = Routes(caches(5)), Routes(caches(5)[::-1])
    assert all(forwards.places(url) == backwards.places(url) for url in PATHS[:100])


def test_files_spread_evenly_over_the_caches() -> None:
    counts = Counter(first(Routes(caches(4)), url) for url in PATHS)
    assert all(abs(count - 750) < 4 * 750**0.5 for count in counts.values())


def test_a_further_cache_takes_its_share_and_moves_nothing_else() -> None:
    before, after = Routes(caches(4)), Routes(caches(5))
    moved = [url for url in PATHS if first(before, url) != first(after, url)]
    assert {first(after, url) for url in moved} == {"root://cache-4:1094"}
    assert abs(len(moved) - 600) < 4 * 600**0.5


@given(st.integers(2, 6), st.integers(0, 5), st.text("abc/", min_size=1, max_size=20))
def test_a_lost_cache_hands_its_files_to_their_second_choice(n: int, lost: int, path: str) -> None:
    lost %= n
    url = f"{ORIGIN}//eos/{path}"
    left = tuple(cache for i, cache in enumerate(caches(n)) if i != lost)
    expected = [p for p in Routes(caches(n)).places(url) if p.endpoint != caches(n)[lost].endpoint]
    assert list(Routes(left).places(url)) == expected


@pytest.mark.parametrize(
    "endpoint", ["cache:1094", "ftp://cache", "root://", "root://cache//eos", "root://[cache"]
)
def test_what_is_no_endpoint_is_refused(endpoint: str) -> None:
    with pytest.raises(ConfigError):
        Routes.parse([endpoint])


def test_what_is_no_origin_is_refused() -> None:
    with pytest.raises(ConfigError, match="origin"):
        Routes.parse([], origin="origin:1094")
