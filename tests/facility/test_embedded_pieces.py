"""Secrets, requirements, releases and state of the facility on one machine."""

from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path

import pytest

from fourlep.datasets.model import Dataset, Fileset, SourceFile
from fourlep.errors import ClusterError, ConfigError, DatasetError, OutputError
from fourlep.facility.embedded import requirements
from fourlep.facility.embedded.layout import Layout, Ports, Run
from fourlep.facility.embedded.processes import is_same, marked, started_at
from fourlep.facility.embedded.release import publish
from fourlep.facility.embedded.secrets import MAKERS, make_secrets
from fourlep.facility.embedded.state import (
    FacilityReport,
    PartReport,
    read_report,
    write_report,
)


def test_secrets_are_for_their_owner_only(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(MAKERS, 0o600)


def test_secrets_that_exist_are_kept(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}
    make_secrets(tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before


def test_all_secrets_differ(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    assert len({path.read_text() for path in tmp_path.iterdir()}) == len(MAKERS)


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    (tmp_path / "password").chmod(0o644)
    with pytest.raises(OutputError, match="can be read by others"):
        make_secrets(tmp_path)


def test_missing_node_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=r"Node\.js or npm is missing[\s\S]*apt-get install"):
        requirements.require_node()


def test_an_old_node_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, answer in (("node", "v12.22.0"), ("npm", "6")):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {answer}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(ConfigError, match=r"v12\.22\.0 is too old"):
        requirements.require_node()


def test_missing_xrootd_is_named_with_its_packages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, answer in (("node", "v20.0.0"), ("npm", "10")):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {answer}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=r"XRootD is missing[\s\S]*xrootd-server-plugins"):
        requirements.require_programs(own_origin=True)


def test_a_taken_port_is_refused_with_its_holder() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(ClusterError, match=f"port {port} is in use.*process {os.getpid()}"):
            requirements.require_free(port)
    requirements.require_free(port)


def test_free_ports_are_all_different() -> None:
    assert len(set(requirements.free_ports(20))) == 20


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts XRootD as somebody else")
def test_a_folder_that_the_daemons_user_cannot_reach_is_refused(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(ConfigError, match="cannot pass"):
        requirements.require_passage(closed / "data", "nobody")


def test_the_choices_of_a_run_survive_the_file(tmp_path: Path) -> None:
    run = Run(
        facility_id="f00", ports=Ports(*range(10)), origin="127.0.0.1:7", own_origin=True,
        export="/fourlep", fileset="x.json", users=("ada",), environment={"A": "1"},
    )  # fmt: skip
    layout = Layout(tmp_path)
    layout.write_run(run)
    assert layout.read_run() == run


def test_the_report_survives_the_file(tmp_path: Path) -> None:
    report = FacilityReport("f00", 12, 3.5, (PartReport("hub", "JupyterHub", "up", 13),))
    write_report(tmp_path / "state.json", report)
    assert read_report(tmp_path / "state.json") == report
    assert report.is_well


def test_a_broken_state_file_is_no_report(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text('{"parts": [')
    assert read_report(tmp_path / "state.json") is None


def test_a_process_id_that_was_used_again_is_another_process() -> None:
    assert is_same(os.getpid(), started_at(os.getpid()))
    assert not is_same(os.getpid(), started_at(os.getpid()) - 100.0)


def test_nobody_carries_a_mark_that_was_never_given() -> None:
    assert marked("never-given") == []


def fileset_of(file: SourceFile) -> Fileset:
    dataset = Dataset("d1", "data", "data", (file,))
    return Fileset("toy", (dataset,), luminosity_ifb=1.0, luminosity_source="chosen")


def release(folder: Path, content: bytes = b"root") -> Fileset:
    folder.mkdir(exist_ok=True)
    (folder / "a.root").write_bytes(content)
    file = SourceFile(url=str(folder / "a.root"), tree="CollectionTree")
    return fileset_of(file)


def test_a_release_is_served_under_the_origins_address(tmp_path: Path) -> None:
    served = tmp_path / "served"
    published = publish(
        release(tmp_path / "r"), served, "root://127.0.0.1:7//x", tmp_path / "f.json"
    )
    (url,) = (file.url for dataset in published.datasets for file in dataset.files)
    assert url.startswith("root://127.0.0.1:7//x/")
    assert (served / url.removeprefix("root://127.0.0.1:7//x/")).read_bytes() == b"root"
    assert url in json.loads((tmp_path / "f.json").read_text())["d1"]["files"]


def test_a_release_that_was_made_anew_gets_new_names(tmp_path: Path) -> None:
    addresses = set()
    for content in (b"one", b"two, and longer"):
        published = publish(
            release(tmp_path / "r", content), tmp_path / "s", "root://o//x", tmp_path / "f.json"
        )
        addresses |= {file.url for dataset in published.datasets for file in dataset.files}
    assert len(addresses) == 2


def test_a_remote_file_cannot_be_published(tmp_path: Path) -> None:
    file = SourceFile(url="root://elsewhere//a.root")
    with pytest.raises(DatasetError, match="is not a local file"):
        publish(fileset_of(file), tmp_path, "root://o//x", tmp_path / "f.json")
