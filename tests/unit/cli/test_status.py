"""What ``fourlep status`` and ``fourlep failed`` print."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fourlep.chunk.model import Chunk
from fourlep.cli import main
from fourlep.datasets.fileset import load_fileset
from fourlep.datasets.model import Dataset, Fileset, Normalisation, SourceFile
from fourlep.execution.ledger import open_ledger
from fourlep.execution.model import Failure, ItemReport, Portion, Progress
from fourlep.execution.payload import pack
from fourlep.pipeline.directory import keep_fileset
from toys import ToyItem, ToyResult

URLS = [f"root://origin:1094//store/SYNTHETIC_{i}.root" for i in range(4)]


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A run that was killed: two files done, one failed, one pending."""
    files = tuple(SourceFile(url, n_events=10) for url in URLS)
    normalisation = Normalisation(1.0, 1.0, 1.0, 40.0)
    datasets = (
        Dataset("ggF", "ggF", "signal", files[:3], normalisation),
        Dataset("VBF", "VBF", "signal", files[3:], normalisation),
    )
    keep_fileset(tmp_path, Fileset("test", datasets, 10.0, "made up"))
    total = ToyResult.of(ToyItem(URLS[0])) + ToyResult.of(ToyItem(URLS[1]))
    failure = Failure("MissingFileError", "gone\n  -> look again", is_permanent=True)
    reports = (
        ItemReport(URLS[0], "root://cache:1094", 1, 0.5, None, 10, 1, 1_000_000, "u"),
        ItemReport(URLS[1], "root://origin:1094", 1, 0.5, None, 10, 1, 500_000, "u"),
        ItemReport(URLS[2], "root://origin:1094", 2, 0.5, failure),
    )
    chunks = [Chunk("ggF", url) for url in URLS]
    with open_ledger(tmp_path, chunks, fingerprint="f", resume=False) as ledger:
        ledger.sample(Progress(4, 0, 0, 0, 0, 0.0))
        ledger.enter(Portion(pack(total), reports, 1.0, (1,)), again=frozenset())
        ledger.sample(Progress(4, 2, 1, 20, 1_500_000, 4.0))
    return tmp_path


def test_a_killed_run_says_how_to_go_on(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "status", directory)
    assert code == 0
    assert "state\tstopped; --resume goes on" in out
    assert "done\t2" in out
    assert "failed\t1" in out
    assert "pending\t1" in out


def test_each_server_is_listed_with_what_it_delivered(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = run(capsys, "status", directory)
    assert "root://cache:1094\t1\t10\t1.0" in out
    assert "root://origin:1094\t1\t10\t0.5" in out


def test_status_as_json_has_the_rate(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "status", directory, "--json")
    status = json.loads(out)
    assert status["files_per_s"] == 0.5
    assert status["is_running"] is False
    assert status["n_pending"] == 1


def test_a_running_ledger_is_seen_to_run(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chunks = [Chunk("ggF", url) for url in URLS]
    with open_ledger(directory, chunks, fingerprint="f", resume=True):
        _, out, _ = run(capsys, "status", directory)
    assert "state\trunning" in out


def test_watching_a_run_that_ended_ends(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "status", directory, "--watch")
    assert code == 0
    assert out.count("state\t") == 1


def test_failed_files_are_a_fileset_to_run_again(
    directory: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "failed", directory)
    assert code == 0
    assert "failed files: 1, datasets: 1" in err
    again = tmp_path_factory.mktemp("again") / "failed.json"
    again.write_text(out)
    (dataset,) = load_fileset(again).datasets
    assert [file.url for file in dataset.files] == [URLS[2]]
    assert dataset.normalisation.sum_of_weights == 40.0


def test_failed_files_say_why_in_a_line_each(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = run(capsys, "failed", directory, "--why")
    assert f"{URLS[2]}\tMissingFileError\t2\troot://origin:1094\tgone -> look again" in out
    assert len(out.splitlines()) == 2


@pytest.mark.parametrize("command", ["status", "failed"])
def test_a_directory_without_a_run_is_an_error(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, command, tmp_path)
    assert code == 1
    assert "holds no ledger" in err
