"""TOML to frozen dataclasses: strict, with errors that name file, key and choice.

The dataclasses are the one definition of every setting: their fields are the keys, their
defaults the defaults, and ``metadata={"doc": ...}`` the documentation, from which
`reference` renders the configuration reference; `rendered` writes an instance as TOML.
"""

from __future__ import annotations

import difflib
import math
import sys
import tomllib
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from fourlep.errors import ConfigError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Setting:
    """One documented key.

    Parameters
    ----------
    key
        Dotted name from the top of the file: ``fourlepton.electron.pt_min``.
    kind
        Type in words.
    default
        As TOML, "" where there is none.
    doc
        One sentence.
    """

    key: str
    kind: str
    default: str
    doc: str


def setting(default: Any, doc: str) -> Any:
    """Declare a field of a configuration dataclass, with its documentation.

    Parameters
    ----------
    default
        Default value; a dataclass instance for a sub-table.
    doc
        One sentence, with the unit.
    """
    return field(default=default, metadata={"doc": doc})


def read_config(
    path: Path, sections: Mapping[str, type[Any]], *, elsewhere: Sequence[str] = ()
) -> dict[str, Any]:
    """Read a TOML file whose top-level tables are ``sections``.

    Parameters
    ----------
    path
        The file.
    sections
        Dataclass of each table that may occur.
    elsewhere
        Tables that may occur and that something else reads.

    Returns
    -------
    dict
        Instances by table name, for every section: of defaults where the file has none.

    Raises
    ------
    ConfigError
        If the file cannot be read, is no TOML, or has an unknown key or a wrong type.
    """
    content = read_tables(path, (*sections, *elsewhere))
    return {
        name: structure(content.get(name, {}), kind, file=str(path), key=name)
        for name, kind in sections.items()
    }


def read_tables(path: Path, allowed: Sequence[str]) -> dict[str, Any]:
    """Read the tables of a TOML file, each as it stands there.

    Raises
    ------
    ConfigError
        If the file cannot be read, is no TOML, or has a table that is not ``allowed``.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror}", remedy="name a readable TOML file"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: {error}", remedy="correct the TOML") from error
    for name in content:
        if name not in allowed:
            raise _unknown(str(path), name, tuple(allowed))
    return content


def structure(
    data: object, kind: type[T], *, file: str, key: str = "", default: T | None = None
) -> T:
    """Make a dataclass of a TOML table.

    Parameters
    ----------
    data
        The parsed table.
    kind
        Frozen dataclass, whose fields may be dataclasses, tuples, numbers, strings,
        booleans, literals and unions with None.
    file, key
        Where the table stands, for errors.
    default
        What keys that are left out are taken from; by default the dataclass's own defaults.

    Raises
    ------
    ConfigError
        If a key is unknown or missing, or a value has the wrong type or is refused by
        the dataclass.
    """
    if not isinstance(data, Mapping):
        raise _wrong(file, key, "a table", data)
    hints, defaults = get_type_hints(kind), _defaults(kind, default)
    for name in data:
        if name not in hints:
            raise _unknown(file, _joined(key, str(name)), tuple(hints))
    values = dict(defaults)
    for name, hint in hints.items():
        place = _joined(key, name)
        if name in data:
            values[name] = _value(data[name], hint, file, place, defaults.get(name))
        elif name not in defaults:
            raise ConfigError(f"{file}: {place} is missing", remedy=f"set it to {_words(hint)}")
    try:
        return kind(**values)
    except ValueError as error:
        raise ConfigError(f"{file}: {key}: {error}", remedy="correct the value") from error


def _defaults(kind: type[Any], default: object) -> dict[str, Any]:
    """Values of the fields that need not be given."""
    if default is not None:
        return {item.name: getattr(default, item.name) for item in fields(kind)}
    given = {item.name: item.default for item in fields(kind) if item.default is not MISSING}
    made = {
        item.name: item.default_factory()
        for item in fields(kind)
        if item.default_factory is not MISSING
    }
    return {**given, **made}


def _value(data: Any, kind: Any, file: str, key: str, default: Any = None) -> Any:
    """One value of the annotated type ``kind``."""
    if is_dataclass(kind) and isinstance(kind, type):
        return structure(data, kind, file=file, key=key, default=default)
    if get_origin(kind) is tuple:
        return _tuple(data, get_args(kind), file, key, _words(kind))
    if get_origin(kind) in (Union, types.UnionType):
        (inner,) = (part for part in get_args(kind) if part is not type(None))
        return _value(data, inner, file, key)
    is_right = data in get_args(kind) if get_origin(kind) is Literal else _is_of(data, kind)
    if not is_right:
        raise _wrong(file, key, _words(kind), data)
    return float(data) if kind is float else data


def _tuple(
    data: object, parts: tuple[Any, ...], file: str, key: str, words: str
) -> tuple[Any, ...]:
    if not isinstance(data, list):
        raise _wrong(file, key, words, data)
    kinds = (parts[0],) * len(data) if parts[-1] is Ellipsis else parts
    if len(kinds) != len(data):
        raise _wrong(file, key, words, data)
    return tuple(
        _value(item, kind, file, f"{key}[{number}]")
        for number, (item, kind) in enumerate(zip(data, kinds, strict=True))
    )


def _is_of(data: object, kind: Any) -> bool:
    if isinstance(data, bool):
        return kind is bool
    if kind is float:
        return (isinstance(data, float) and not math.isnan(data)) or (
            isinstance(data, int) and abs(data) <= sys.float_info.max
        )
    return isinstance(data, kind)


def _unknown(file: str, key: str, allowed: Sequence[str]) -> ConfigError:
    name = key.rpartition(".")[2]
    near = difflib.get_close_matches(name, allowed, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return ConfigError(
        f"{file}: unknown key {key!r}", remedy=f"{hint}allowed are {', '.join(sorted(allowed))}"
    )


def _wrong(file: str, key: str, words: str, data: object) -> ConfigError:
    return ConfigError(f"{file}: {key} is {data!r}", remedy=f"it must be {words}")


def _joined(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


_WORDS = {bool: "true or false", int: "an integer", float: "a number", str: "a string"}


def _words(kind: Any) -> str:
    """Name a type as the reference and the errors do."""
    if get_origin(kind) is tuple:
        parts = get_args(kind)
        if parts[-1] is Ellipsis:
            return f"a list, each {_words(parts[0])}"
        return f"a list of {len(parts)}, each {_words(parts[0])}"
    if get_origin(kind) in (Union, types.UnionType):
        return _words(next(part for part in get_args(kind) if part is not type(None)))
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(repr(value) for value in get_args(kind))
    return _WORDS.get(kind, "a table")


def settings(kind: type[Any], key: str, default: object = None) -> Iterator[Setting]:
    """Every key of a configuration dataclass, sub-tables included.

    Parameters
    ----------
    kind
        The dataclass of the table.
    key
        Name of the table.
    default
        Instance whose values are the defaults; by default the dataclass's own.

    Raises
    ------
    TypeError
        If a field has no documentation: the reference would have a hole.
    """
    hints, defaults = get_type_hints(kind), _defaults(kind, default)
    for item in fields(kind):
        name, hint = _joined(key, item.name), hints[item.name]
        if is_dataclass(hint) and isinstance(hint, type):
            yield from settings(hint, name, defaults.get(item.name))
            continue
        if "doc" not in item.metadata:
            raise TypeError(f"{kind.__name__}.{item.name} has no documentation")
        has_tables = get_origin(hint) is tuple and is_dataclass(get_args(hint)[0])
        shown = "" if has_tables else _as_toml(defaults.get(item.name))
        yield Setting(name, _words(hint), shown, item.metadata["doc"])
        if has_tables:
            yield from settings(get_args(hint)[0], f"{name}[]")


def _as_toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return ""
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return f"[{', '.join(_as_toml(item) for item in value)}]"
    return repr(value)


def rendered(value: Any, key: str) -> str:
    """Write a configuration as TOML: the keys that differ from the dataclass's own defaults.

    Parameters
    ----------
    value
        Instance of a configuration dataclass.
    key
        Name of the table.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Cone:
    ...     size: float = setting(0.3, "Opening.")
    ...     name: str = setting("", "Name.")
    >>> print(rendered(Cone(0.2), "cone"))
    [cone]
    size = 0.2
    """
    return "\n\n".join(_tables(value, key, f"[{key}]"))


def _tables(value: Any, key: str, header: str) -> Iterator[str]:
    """Yield the table of a dataclass, then those within it."""
    defaults = _defaults(type(value), None)
    changed = {
        item.name: getattr(value, item.name)
        for item in fields(value)
        if getattr(value, item.name) != defaults.get(item.name)
    }
    within = {
        name: content if isinstance(content, tuple) else (content,)
        for name, content in changed.items()
        if is_dataclass(content)
        or (isinstance(content, tuple) and any(is_dataclass(part) for part in content))
    }
    plain = [f"{n} = {_as_toml(v)}" for n, v in changed.items() if n not in within]
    if plain or not within:
        yield "\n".join([header, *plain])
    for name, contents in within.items():
        place = _joined(key, name)
        opened = f"[[{place}]]" if isinstance(changed[name], tuple) else f"[{place}]"
        for content in contents:
            yield from _tables(content, place, opened)


def reference(sections: Mapping[str, type[Any]]) -> str:
    """Render the configuration reference as Markdown, one table a section.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Cone:
    ...     size: float = setting(0.3, "Opening.")
    >>> print(reference({"cone": Cone}).splitlines()[-1])
    | `cone.size` | a number | `0.3` | Opening. |
    """
    lines: list[str] = []
    for name, kind in sections.items():
        lines += [f"## `[{name}]`", "", "| key | value | default | meaning |"]
        lines += ["| --- | --- | --- | --- |"]
        lines += [_row(item) for item in settings(kind, name)]
        lines += [""]
    return "\n".join(lines).rstrip()


def _row(item: Setting) -> str:
    """One line of a Markdown table."""
    cells = (f"`{item.key}`", item.kind, f"`{item.default}`" if item.default else "", item.doc)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
