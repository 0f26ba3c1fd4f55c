"""What a user of the Gateway may have."""

from __future__ import annotations

from dataclasses import astuple, fields, replace
from types import SimpleNamespace
from typing import Any

import pytest
from dask_gateway_server.backends.base import Backend, PublicException
from dask_gateway_server.models import Cluster, ClusterStatus, User
from hypothesis import given
from hypothesis import strategies as st

from fourlep.facility.gateway import limits
from fourlep.facility.gateway.limits import Limits, PerUserLimits, Reservation, refusal
from fourlep.facility.gateway.options import cluster_options

LIMITS = Limits(
    worker_cores=4,
    worker_memory_gib=8.0,
    workers=8,
    user_clusters=2,
    user_cores=8,
    user_memory_gib=16.0,
)


class ListedClusters(Backend):
    """Starts clusters by listing them, at once or only when told."""

    def __init__(self, *, delayed: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.delayed = delayed
        self.listed: list[Cluster] = []
        self.cluster_options = cluster_options(LIMITS)

    async def start_cluster(self, user: User, cluster_options: dict[str, Any]) -> str:
        options, config = await self.process_cluster_options(user, cluster_options)
        name = f"cluster{len(self.listed)}"
        self.listed.append(Cluster(name, user.name, "", options, config, ClusterStatus.PENDING))
        return name

    async def list_clusters(
        self, username: str | None = None, statuses: list[ClusterStatus] | None = None
    ) -> list[Cluster]:
        return [] if self.delayed else [c for c in self.listed if c.username == username]


class Limited(PerUserLimits, ListedClusters):
    """The limits over that backend."""


def limited(*, delayed: bool = False) -> Limited:
    return Limited(delayed=delayed, limits=LIMITS)


def start(backend: Limited, user: str, **options: Any) -> str:
    import asyncio

    return asyncio.run(backend.start_cluster(User(user), options))


def test_a_cluster_within_the_limits_is_started() -> None:
    assert start(limited(), "ada", workers=8) == "cluster0"


def test_every_limit_is_set_by_the_variable_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for number, limit in enumerate(fields(Limits), start=101):
        monkeypatch.setenv(f"FOURLEP_LIMIT_{limit.name.upper()}", str(number))
    assert astuple(Limits.from_environment()) == tuple(range(101, 109))


def test_a_thousand_workers_are_refused_by_the_form() -> None:
    with pytest.raises(PublicException, match="workers must be"):
        start(limited(), "ada", workers=1000)


def test_a_third_cluster_is_refused_with_the_limit() -> None:
    backend = limited()
    start(backend, "ada", workers=1)
    start(backend, "ada", workers=1)
    with pytest.raises(PublicException, match="you have 2 clusters and your limit is 2"):
        start(backend, "ada", workers=1)


def test_cores_add_up_over_the_clusters_of_a_user() -> None:
    backend = limited()
    start(backend, "ada", workers=6, worker_memory_gib=1.0)
    with pytest.raises(PublicException, match="3 cores, your others to 6, and your limit is 8"):
        start(backend, "ada", workers=3, worker_memory_gib=1.0)


def test_memory_adds_up_over_the_workers() -> None:
    with pytest.raises(PublicException, match="may grow to 24 GiB"):
        start(limited(), "ada", workers=3, worker_memory_gib=8.0)


def test_one_user_does_not_use_up_anothers_limits() -> None:
    backend = limited()
    start(backend, "ada", workers=8)
    assert start(backend, "ben", workers=8) == "cluster1"


def test_a_cluster_that_is_shut_down_gives_its_share_back() -> None:
    backend = limited()
    start(backend, "ada", workers=8)
    backend.listed[0].status = ClusterStatus.STOPPING
    assert start(backend, "ada", workers=8) == "cluster1"


def test_a_cluster_counts_before_the_backend_lists_it() -> None:
    backend = limited(delayed=True)
    start(backend, "ada", workers=8)
    with pytest.raises(PublicException, match="your others to 8"):
        start(backend, "ada", workers=1)


def test_a_cluster_that_is_never_listed_counts_for_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=lambda: now))
    backend = limited(delayed=True)
    start(backend, "ada", workers=8)
    now += 59.0
    with pytest.raises(PublicException, match="your others to 8"):
        start(backend, "ada", workers=1)
    now += 2.0
    assert start(backend, "ada", workers=8) == "cluster1"


def test_requests_at_the_same_time_cannot_pass_the_limits_together() -> None:
    import asyncio

    async def both(backend: Limited) -> list[Any]:
        user = User("ada")
        return await asyncio.gather(
            *(backend.start_cluster(user, {"workers": 8}) for _ in range(5)),
            return_exceptions=True,
        )

    answers = asyncio.run(both(limited()))
    assert sum(isinstance(answer, str) for answer in answers) == 1
    assert sum(isinstance(answer, PublicException) for answer in answers) == 4


@given(st.lists(st.builds(Reservation, st.integers(1, 10), st.floats(0.5, 20.0)), max_size=4))
def test_what_is_let_in_one_by_one_never_passes_the_limits(wanted: list[Reservation]) -> None:
    held: list[Reservation] = []
    for reservation in wanted:
        if not refusal(reservation, held, LIMITS):
            held.append(reservation)
    assert len(held) <= LIMITS.user_clusters
    assert sum(each.cores for each in held) <= LIMITS.user_cores
    assert sum(each.memory_gib for each in held) <= LIMITS.user_memory_gib


def test_the_form_translates_to_the_gateways_configuration() -> None:
    form = cluster_options(LIMITS, images=("analysis:1", "analysis:0"))
    options = form.parse_options({"worker_cores": 2, "worker_memory_gib": 1.5, "workers": 3})
    assert form.get_configuration(options, User("ada")) == {
        "worker_cores": 2,
        "worker_cores_limit": 2,
        "worker_threads": 2,
        "worker_memory": 1_610_612_736,
        "worker_memory_limit": 1_610_612_736,
        "cluster_max_workers": 3,
        "image": "analysis:1",
    }


def test_a_pod_may_use_more_than_the_share_that_is_kept_for_it() -> None:
    form = cluster_options(LIMITS, images=("analysis:1",), requested_share=0.25)
    asked = {"worker_cores": 2, "worker_memory_gib": 4}
    configuration = form.get_configuration(form.parse_options(asked), User("ada"))
    assert configuration["worker_cores"] == 0.5
    assert configuration["worker_cores_limit"] == 2
    assert configuration["worker_memory"] == 2**30
    assert configuration["worker_memory_limit"] == 4 * 2**30


WITH_GPUS = replace(LIMITS, worker_gpus=2, user_gpus=4)


def test_gpus_are_in_the_form_only_where_there_are_some() -> None:
    with pytest.raises(ValueError, match="worker_gpus"):
        cluster_options(WITH_GPUS, images=("analysis:1",)).parse_options({"worker_gpus": 1})


@pytest.mark.parametrize(("gpus", "configured"), [(0, None), (2, {"gpus": 2})])
def test_workers_with_gpus_are_configured_for_them(
    gpus: int, configured: dict[str, int] | None
) -> None:
    form = cluster_options(
        WITH_GPUS,
        images=("analysis:1",),
        with_gpus=lambda count: {"worker_extra_pod_config": {"gpus": count}},
    )
    configuration = form.get_configuration(form.parse_options({"worker_gpus": gpus}), User("ada"))
    assert configuration.get("worker_extra_pod_config") == configured


def test_a_users_gpus_are_counted_over_all_clusters() -> None:
    four = Reservation.of(
        {"workers": 2, "worker_cores": 1, "worker_memory_gib": 1, "worker_gpus": 2}
    )
    assert refusal(four, [], WITH_GPUS) == ""
    one = Reservation(cores=1, memory_gib=1.0, gpus=1)
    assert refusal(one, [four], WITH_GPUS).endswith("your limit is 4")
    assert refusal(replace(one, gpus=0), [four], WITH_GPUS) == ""


def test_an_image_that_is_not_offered_is_refused() -> None:
    form = cluster_options(LIMITS, images=("analysis:1",))
    with pytest.raises(ValueError, match="not a valid option for image"):
        form.parse_options({"image": "somebody/else"})
