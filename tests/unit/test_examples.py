"""Every example in a docstring runs and gives what it shows."""

import doctest
import importlib
from pathlib import Path

import pytest

import fourlep

PACKAGE = Path(fourlep.__file__).parent


def _modules_with_examples() -> list[str]:
    files = sorted(path for path in PACKAGE.rglob("*.py") if ">>> " in path.read_text())
    names = (path.relative_to(PACKAGE.parent).with_suffix("").parts for path in files)
    return [".".join(name).removesuffix(".__init__") for name in names]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of libraries that are imported
@pytest.mark.parametrize("name", _modules_with_examples())
def test_the_examples_of_a_module_run(name: str) -> None:
    module = importlib.import_module(name)
    outcome = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert outcome.failed == 0
