"""What a user's server and notebooks are made of."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fourlep.errors import ClusterError, ConfigError, OutputError
from fourlep.execution import Progress
from fourlep.execution.matching import differences, require_matching
from fourlep.facility import session
from fourlep.facility.hub.state import FacilityState, PartState, answers
from fourlep.facility.jupyter_extension import place_notebooks

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


def test_notebooks_are_copied_once_and_never_over_a_users_own(tmp_path: Path) -> None:
    source, home = tmp_path / "source", tmp_path / "home"
    source.mkdir()
    (source / "01.ipynb").write_text("ours")
    (source / "notes.txt").write_text("not a notebook")
    assert place_notebooks(source, home) == [home / "notebooks" / "01.ipynb"]
    (home / "notebooks" / "01.ipynb").write_text("theirs")
    assert place_notebooks(source, home) == []
    assert (home / "notebooks" / "01.ipynb").read_text() == "theirs"
    assert [path.name for path in (home / "notebooks").iterdir()] == ["01.ipynb"]


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_holds_prose_and_calls_and_no_outputs(path: Path) -> None:
    cells = json.loads(path.read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert len(cells) - len(code) >= len(code) // 2
    for cell in code:
        source = "".join(cell["source"])
        assert cell["outputs"] == []
        assert cell["execution_count"] is None
        assert not any(word in source for word in ("def ", "class ", "while ", "import os"))


def test_the_facility_may_name_no_fileset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FOURLEP_FILESET", raising=False)
    with pytest.raises(ConfigError, match="FOURLEP_FILESET is not set"):
        session.fileset()


def test_a_file_is_read_through_the_cache_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOURLEP_CACHES", "root://cache:1094")
    monkeypatch.setenv("FOURLEP_CACHE_ORIGIN", "root://origin:1095")
    assert session.nearest("root://origin:1095//x/a.root") == "root://cache:1094//x/a.root"


def test_a_figure_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "m4l_4l.png").write_bytes(b"")
    with pytest.raises(OutputError, match="choose one of m4l_4l"):
        session.figure(tmp_path, "absent")


def test_progress_says_files_events_bytes_and_rate() -> None:
    line = session.describe(
        Progress(n_items=4, n_done=1, n_failed=1, n_events=5000, read_bytes=2_000_000, elapsed_s=2)
    )
    assert line == "1 of 4 files, 1 failed, 5,000 events, 2.0 MB read, 2,500 events/s"


def test_equal_software_has_no_differences() -> None:
    assert not list(differences({"numpy": "2.4"}, {"scheduler": {"numpy": "2.4"}}))


def test_a_package_that_is_missing_on_a_node_is_a_difference() -> None:
    assert list(differences({"fourlep": "1"}, {"worker": {}})) == [
        "fourlep: 1 here, absent on worker"
    ]


class ClientOfOldCluster:
    """Answers as distributed's client does."""

    def get_versions(self, packages: list[str]) -> dict:
        here = {"packages": {"python": "3.12.1", "numpy": "2.4"}}
        there = {"packages": {"python": "3.11.7", "numpy": "2.4"}}
        return {"client": here, "scheduler": there, "workers": {"tls://w:1": here}}


def test_a_cluster_of_other_software_is_refused_with_both_versions() -> None:
    with pytest.raises(ClusterError, match=r"python: 3\.12\.1 here, 3\.11\.7 on scheduler"):
        require_matching(ClientOfOldCluster(), "start it anew")


@pytest.fixture
def healthy_address() -> Iterator[str]:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/health" else 500)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_part_answers_only_with_success(healthy_address: str) -> None:
    assert answers(f"{healthy_address}/health")
    assert not answers(f"{healthy_address}/broken")
    assert not answers("http://127.0.0.1:1/health")
    assert not answers("file:///etc/hostname")


def test_the_home_page_shows_what_was_heard_and_never_waits() -> None:
    state = FacilityState({"Cache": "http://127.0.0.1:1/metrics"})
    assert state.parts in {(PartState("Cache", "asking"),), (PartState("Cache", "down"),)}


def test_a_facility_without_parts_to_ask_shows_none() -> None:
    assert FacilityState({}).parts == ()
