"""TOML to frozen dataclasses."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from fourlep.config.toml import read_config, reference, setting, settings, structure
from fourlep.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Window:
    low: float = setting(1.0, "Lower end.")
    high: float = setting(2.0, "Upper | end.")

    def __post_init__(self) -> None:
        if self.low >= self.high:
            raise ValueError("the window is empty")


@dataclass(frozen=True, slots=True)
class Example:
    name: str = field(metadata={"doc": "A name."})
    window: Window = setting(Window(3.0, 4.0), "A window.")
    mode: Literal["fast", "slow"] = setting("fast", "How.")
    limits: tuple[float, float] = setting((0.0, 1.0), "Two limits.")
    names: tuple[str, ...] = setting((), "Some names.")
    n: int = setting(7, "How many.")
    flag: bool = setting(False, "Whether.")
    maximum: float | None = setting(None, "At most.")


def _read(tmp_path: Path, text: str) -> Example:
    path = tmp_path / "example.toml"
    path.write_text(text)
    return read_config(path, {"example": Example})["example"]


def test_every_kind_of_value_is_read(tmp_path: Path) -> None:
    text = (
        '[example]\nname = "x"\nmode = "slow"\nlimits = [1, 2.5]\nnames = ["a", "b"]\n'
        "n = 3\nflag = true\nmaximum = 9\n[example.window]\nlow = 1.5\nhigh = 1.75"
    )
    assert _read(tmp_path, text) == Example(
        "x", Window(1.5, 1.75), "slow", (1.0, 2.5), ("a", "b"), 3, True, 9.0
    )


def test_what_is_left_out_keeps_its_default(tmp_path: Path) -> None:
    assert _read(tmp_path, '[example]\nname = "x"') == Example("x")


def test_a_table_given_in_part_keeps_the_rest_of_its_own_default(tmp_path: Path) -> None:
    text = '[example]\nname = "x"\nwindow.high = 9.0'
    assert _read(tmp_path, text).window == Window(3.0, 9.0)


def test_a_section_that_is_left_out_is_of_defaults(tmp_path: Path) -> None:
    path = tmp_path / "empty.toml"
    path.write_text("")
    assert read_config(path, {"window": Window}) == {"window": Window()}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[exampel]", "unknown key 'exampel'\n  -> did you mean 'example'? allowed are example"),
        ("[example]\nnam = 'x'", "unknown key 'example.nam'\n  -> did you mean 'name'?"),
        ("[example]\nname = 'x'\nwindow.lo = 1", "unknown key 'example.window.lo'"),
        ("[example]", "example.name is missing\n  -> set it to a string"),
        ("[example]\nname = 5", "example.name is 5\n  -> it must be a string"),
        ("[example]\nname = 'x'\nn = 1.5", "example.n is 1.5\n  -> it must be an integer"),
        ("[example]\nname = 'x'\nn = true", "example.n is True\n  -> it must be an integer"),
        ("[example]\nname = 'x'\nflag = 1", "example.flag is 1\n  -> it must be true or false"),
        ("[example]\nname = 'x'\nmode = 'z'", "it must be one of 'fast', 'slow'"),
        ("[example]\nname = 'x'\nlimits = [1]", "it must be a list of 2, each a number"),
        ("[example]\nname = 'x'\nlimits = [1, 'a']", "example.limits[1] is 'a'"),
        ("[example]\nname = 'x'\nnames = 'a'", "it must be a list, each a string"),
        ("[example]\nname = 'x'\nwindow = 1", "example.window is 1\n  -> it must be a table"),
        (
            "[example]\nname = 'x'\nmaximum = 'a'",
            "example.maximum is 'a'\n  -> it must be a number",
        ),
        (
            "[example]\nname = 'x'\nmaximum = nan",
            "example.maximum is nan\n  -> it must be a number",
        ),
        (
            f"[example]\nname = 'x'\nmaximum = 1{400 * '0'}",
            "000\n  -> it must be a number",
        ),
        (f"example.x = {2000 * '['}", "correct the TOML"),
        ("[example]\nname = 'x'\nwindow.low = 5", "example.window: the window is empty"),
        ("[example", "correct the TOML"),
    ],
)
def test_a_mistake_is_named_with_what_is_allowed(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _read(tmp_path, text)
    assert message in str(caught.value)
    assert "example.toml" in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.toml: No such file"):
        read_config(tmp_path / "absent.toml", {})


def test_tables_from_elsewhere_can_be_read() -> None:
    assert structure({"low": 0}, Window, file="inline") == Window(0.0, 2.0)


def test_the_reference_has_every_key_with_its_own_default() -> None:
    found = {item.key: item.default for item in settings(Example, "example")}
    assert found == {
        "example.name": "",
        "example.window.low": "3.0",
        "example.window.high": "4.0",
        "example.mode": '"fast"',
        "example.limits": "[0.0, 1.0]",
        "example.names": "[]",
        "example.n": "7",
        "example.flag": "false",
        "example.maximum": "",
    }


def test_the_reference_is_a_table_that_markdown_can_read() -> None:
    assert r"| `window.high` | a number | `2.0` | Upper \| end. |" in reference({"window": Window})


def test_a_key_without_documentation_is_refused() -> None:
    @dataclass(frozen=True)
    class Silent:
        value: int = 1

    with pytest.raises(TypeError, match=r"Silent\.value has no documentation"):
        list(settings(Silent, "silent"))


def test_tables_in_a_list_are_read_and_documented() -> None:
    @dataclass(frozen=True)
    class Several:
        windows: tuple[Window, ...] = setting((), "Windows.")

    made = structure({"windows": [{"low": 0.0}, {}]}, Several, file="inline")
    assert made.windows == (Window(0.0, 2.0), Window())
    keys = [item.key for item in settings(Several, "several")]
    assert keys == ["several.windows", "several.windows[].low", "several.windows[].high"]
