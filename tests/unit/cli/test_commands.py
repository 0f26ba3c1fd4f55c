"""The command line explains itself and starts quickly."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from fourlep import __version__
from fourlep.cli import COMMANDS, cli, main
from fourlep.errors import ConfigError
from fourlep.execution import driver
from fourlep.execution.clusters import Workers, launcher
from fourlep.physics.registry import CONFIGS


def _commands(group: click.Group, path: str = "fourlep") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")


ALL = dict(_commands(cli))


@pytest.mark.parametrize("path", ALL)
def test_every_command_and_option_has_help(path: str) -> None:
    command = ALL[path]
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{path} {parameter.opts} explains nothing"


@pytest.mark.parametrize("path", ALL)
def test_every_command_prints_its_help(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*path.split()[1:], "--help"])
    assert ended.value.code == 0
    assert f"Usage: {path}" in capsys.readouterr().out


def _help(option: str) -> str:
    (found,) = [each for each in ALL["fourlep run"].params if option in each.opts]
    assert isinstance(found, click.Option)
    return str(found.help)


def _accepted_clusters() -> list[str]:
    """Every text that a ``--cluster`` value is compared with."""
    code = inspect.getsource(launcher) + inspect.getsource(driver)
    calls = re.findall(r"cluster(?: == |\.startswith\()(.*)", code)
    return sorted({text for call in calls for text in re.findall(r'"([^"]+)"', call)})


def test_every_kind_of_cluster_is_in_the_help_and_in_the_error() -> None:
    kinds = _accepted_clusters()
    assert kinds == ["gateway", "gateway:", "inline", "local", "tcp://", "tls://"]
    with pytest.raises(ConfigError) as caught:
        launcher("nonsense", Workers(1, 1), Path())
    for kind in kinds:
        assert kind in _help("--cluster")
        assert kind in caught.value.remedy


def test_every_selection_is_in_the_help() -> None:
    assert all(name in _help("--selection") for name in CONFIGS)


@pytest.mark.parametrize(
    "path", ["fourlep", *(path for path, each in ALL.items() if isinstance(each, click.Group))]
)
def test_no_summary_in_a_list_of_commands_is_cut_off(
    path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([*path.split()[1:], "--help"])
    _, _, commands = capsys.readouterr().out.partition("Commands:")
    assert commands
    assert "..." not in commands


def test_commands_are_listed_in_order() -> None:
    assert list(COMMANDS) == sorted(COMMANDS)


def test_an_unknown_command_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["fitt"])
    assert ended.value.code == 2
    assert "No such command 'fitt'" in capsys.readouterr().err


def test_the_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert __version__ in capsys.readouterr().out


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from fourlep.cli import main\n"
        "try: main(['run', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'awkward', 'numba', 'uproot', 'distributed', 'matplotlib', 'pyhf', 'XRootD'}\n"
        "sys.exit(','.join(sorted(heavy & set(sys.modules))) or 0)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 0, answer.stderr
