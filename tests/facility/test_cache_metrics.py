"""XCache's monitoring packets, counted for Prometheus."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from fourlep.facility.cache_metrics import metrics as metrics_module
from fourlep.facility.cache_metrics.metrics import CacheMetrics, allocated
from fourlep.facility.cache_metrics.packets import (
    ClosedFile,
    Sender,
    Summary,
    UnreadablePacketError,
    parse,
)

HELLO = b'{"code":"=","pseq":1,"sid":21094,"src":{"site":"cache-0","host":"h","port":1094}}\0'
#: As XRootD 5.5.3 writes the part that counts.
SUMMARY = (
    b'<statistics tod="1" ver="v5.5.3" src="h:1" site="cache-0"><stats id="link"><num>3</num>'
    b'<maxn>4</maxn></stats><stats id="ofs"><role>server</role><opr>2</opr><opw>0</opw></stats>'
)


def closed(path: str, *, hit: int = 0, miss: int = 0, origins: tuple[str, ...] = ()) -> dict:
    return {
        "event": "file_close", "lfn": path, "size": 100, "b_hit": hit, "b_miss": miss,
        "b_bypass": 0, "remotes": list(origins), "n_cks_errs": 0,
    }  # fmt: skip


def packet(*files: dict) -> bytes:
    header = {"code": "g", "sid": 21094, "gs": {"type": "C"}}
    return "\n".join(json.dumps(line) for line in (header, *files)).encode() + b"\0"


def test_a_daemon_tells_its_name() -> None:
    assert parse(HELLO) == [Sender(21094, "cache-0")]


def test_every_closed_file_of_a_packet_is_read() -> None:
    first = closed("/a", miss=100, origins=("origin:1094",))
    assert parse(packet(first, closed("/a", hit=100))) == [
        ClosedFile(21094, "/a", 0, 100, 0, ("origin:1094",), 0),
        ClosedFile(21094, "/a", 100, 0, 0, (), 0),
    ]


def test_other_events_are_passed_over() -> None:
    assert parse(packet({"event": "file_purge", "lfn": "/a"})) == []


def test_the_summary_tells_open_files_and_connections() -> None:
    assert parse(SUMMARY) == [Summary("cache-0", open_files=2, connections=3)]


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"[]", b"{}", b'{"code":"g"}', b"<statistics></statistics>",
     packet({"event": "file_close", "lfn": "/a"}), packet(closed("/a") | {"b_hit": "many"})],
)  # fmt: skip
def test_what_is_no_packet_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadablePacketError):
        parse(content)


def scraped(metrics: CacheMetrics) -> dict[str, float]:
    lines = generate_latest(metrics.registry).decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def test_bytes_are_counted_by_cache_and_origin() -> None:
    metrics = CacheMetrics("fallback")
    metrics.take(HELLO)
    metrics.take(packet(closed("/a", miss=100, origins=("origin:1094",)), closed("/a", hit=70)))
    metrics.take(packet(closed("/b", hit=5, miss=20, origins=("origin:1094",))))
    found = scraped(metrics)
    assert found['fourlep_cache_hit_bytes_total{cache="cache-0"}'] == 75
    assert found['fourlep_cache_miss_bytes_total{cache="cache-0"}'] == 120
    origin = 'fourlep_cache_origin_bytes_total{cache="cache-0",origin="origin:1094"}'
    assert found[origin] == 120
    assert found['fourlep_cache_files_closed_total{cache="cache-0"}'] == 3


def test_a_cache_that_has_not_told_its_name_gets_the_configured_one() -> None:
    metrics = CacheMetrics("fallback")
    metrics.take(packet(closed("/a", hit=1)))
    assert scraped(metrics)['fourlep_cache_hit_bytes_total{cache="fallback"}'] == 1


def test_unreadable_packets_are_counted_and_harm_nothing() -> None:
    metrics = CacheMetrics("fallback")
    metrics.take(b"nonsense")
    metrics.take(SUMMARY)
    found = scraped(metrics)
    assert found["fourlep_cache_unreadable_packets_total"] == 1
    assert found['fourlep_cache_open_files{cache="cache-0"}'] == 2


def test_disk_counts_what_is_allocated_and_not_holes(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(50_000_000)
    (tmp_path / "full").write_bytes(b"x" * 8192)
    assert 8192 <= allocated(tmp_path) < 100_000
    found = scraped(CacheMetrics("fallback", tmp_path))
    assert found['fourlep_cache_disk_bytes{kind="blocks"}'] == allocated(tmp_path)


def test_however_many_ask_the_disk_is_measured_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = []
    monkeypatch.setattr(metrics_module, "allocated", lambda folder: measured.append(folder) or 7)
    cache = CacheMetrics("fallback", tmp_path)
    for _ in range(3):
        assert scraped(cache)['fourlep_cache_disk_bytes{kind="blocks"}'] == 7
    assert measured == [tmp_path]


def test_a_cache_that_never_reported_is_missed() -> None:
    started = time.time()
    found = scraped(CacheMetrics("xcache-0"))
    heard = found['fourlep_cache_last_report_timestamp_seconds{cache="xcache-0"}']
    assert heard == pytest.approx(started, abs=60)


def test_a_folder_that_is_gone_offers_no_disk_figures(tmp_path: Path) -> None:
    found = scraped(CacheMetrics("fallback", tmp_path / "gone"))
    assert not [name for name in found if "disk" in name]
