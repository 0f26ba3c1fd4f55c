"""Machine code that is kept on disk, in processes of their own: numba reads its folder once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fourlep.io.lean import compiled

#: A kernel that another kernel calls, as two modules of a package of their own.
_MODULES = {
    "inner.py": (
        "from kernels.compiled import compiled\n@compiled\ndef one(x):\n    return x + {}\n"
    ),
    "outer.py": (
        "from kernels.compiled import compiled\nfrom kernels.inner import one\n"
        "@compiled\ndef twice(x):\n    return 2 * one(x)\n"
    ),
    "__init__.py": "",
}
_CALL = "from kernels.outer import twice\nprint(twice(20), sum(twice.stats.cache_hits.values()))"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Write the package, with the module under test as it is."""
    folder = tmp_path / "kernels"
    folder.mkdir()
    for name, text in _MODULES.items():
        (folder / name).write_text(text.replace("{}", "1"))
    (folder / "compiled.py").write_text(Path(compiled.__file__).read_text())
    return tmp_path


def _called(package: Path, **environment: str) -> tuple[int, int]:
    """What the kernel gives in a new process, and how often its code was found on disk."""
    done = subprocess.run(
        [sys.executable, "-c", _CALL],
        cwd=package,
        env={**os.environ, "NUMBA_CACHE_DIR": str(package / "cache"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result, hits = done.stdout.split()
    return int(result), int(hits)


def _kept(package: Path) -> list[Path]:
    return sorted(path for path in (package / "cache").rglob("*.twice*") if path.is_file())


def test_the_next_process_finds_what_was_compiled(package: Path) -> None:
    assert _called(package) == (42, 0)
    assert _called(package) == (42, 1)


def test_a_change_of_what_a_kernel_calls_is_noticed(package: Path) -> None:
    """Numba's own cache would go on with the old one."""
    assert _called(package) == (42, 0)
    (package / "kernels" / "inner.py").write_text(_MODULES["inner.py"].replace("{}", "2"))
    assert _called(package) == (44, 0)
    assert _called(package) == (44, 1)


@pytest.mark.parametrize("n_left", [0, -20])
def test_damaged_machine_code_is_as_good_as_none(package: Path, n_left: int) -> None:
    _called(package)
    found = _kept(package)
    assert len(found) == 2
    for path in found:
        path.write_bytes(path.read_bytes()[:n_left])
    assert _called(package) == (42, 0)
    assert _called(package) == (42, 1)


def test_a_disk_that_takes_no_more_costs_time_only(package: Path) -> None:
    _called(package)
    for path in _kept(package):  # where the code would go is a folder
        path.unlink()
        path.mkdir()
    assert _called(package) == (42, 0)
    assert _called(package) == (42, 0)


def test_code_for_any_processor_that_came_with_the_package_is_used(package: Path) -> None:
    generic = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    assert _called(package, NUMBA_CACHE_DIR="", **generic) == (42, 0)
    assert _called(package) == (42, 1)
    assert not _kept(package)


def test_without_any_folder_to_write_to_kernels_work(package: Path) -> None:
    (package / "kernels" / "__pycache__").write_text("no folder")
    nowhere = {"NUMBA_CACHE_DIR": "/dev/null/x", "HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null"}
    assert _called(package, PYTHONDONTWRITEBYTECODE="1", **nowhere) == (42, 0)


def test_the_code_of_old_versions_is_removed_in_the_end(tmp_path: Path) -> None:
    for age in range(7):
        folder = tmp_path / f"fourlep-{age}"
        folder.mkdir()
        os.utime(folder, (1e9 - age, 1e9 - age))
    (tmp_path / "of-others").mkdir()
    compiled._remove_others(tmp_path / "fourlep-6")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"fourlep-0", "fourlep-1", "fourlep-2", "fourlep-6", "of-others"}
