"""Derive the layout of a tree from a real sample, as package data for the stand-in.

    python analysis/scripts/build_layout.py PHYSLITE_example.root CollectionTree physlite
    python analysis/scripts/build_layout.py data_D.4lep.root mini ntuple2020

Writes ``analysis/fourlep/synth/layouts/NAME.json``: names, types, titles and class
descriptions, which are facts of the format. No event content is taken, but for the
constant bytes that stand for an empty object of each class.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any
from unittest.mock import patch

import uproot
import uproot.streamers

TARGETS = Path(__file__).parents[1] / "fourlep" / "synth" / "layouts"

_NUMBERS = {
    "bool": "?",
    "char": "i1",
    "signed char": "i1",
    "unsigned char": "u1",
    "short": "i2",
    "unsigned short": "u2",
    "int": "i4",
    "unsigned int": "u4",
    "long": "i8",
    "unsigned long": "u8",
    "ULong64_t": "u8",
    "float": "f4",
    "double": "f8",
    "string": "string",
}
#: Streamer types of basic members (ROOT's ``EReadWrite``).
_BASIC = {1: "i1", 2: "i2", 3: "i4", 5: "f4", 8: "f8", 11: "u1", 12: "u2", 13: "u4", 18: "?"}
_LEAVES = {"TLeafB": "i1", "TLeafI": "i4", "TLeafL": "i8", "TLeafF": "f4", "TLeafO": "?"}


def raw_streamers(path: str) -> list[Any]:
    """Read the class descriptions with type names as written, not as uproot spells them."""
    with (
        patch.object(uproot.streamers, "_canonical_typename", str),
        uproot.open(path) as file,
    ):
        return [info for versions in file.file.streamers.values() for info in versions.values()]


def class_record(info: Any) -> list[Any]:
    """One class: name, version, checksum, bits, elements."""
    return [
        str(info.all_members["fName"]),
        info.class_version,
        info.all_members["fCheckSum"],
        info.all_members["@fBits"],
        [element_record(element) for element in info.elements],
    ]


def element_record(element: Any) -> list[Any]:
    """One element: kind, name, title, type, code, size, max index, extras."""
    members = element.all_members
    extra = [
        members[name]
        for name in (
            "fBaseVersion",
            "fSTLtype",
            "fCtype",
            "fCountVersion",
            "fCountName",
            "fCountClass",
        )
        if name in members
    ]
    return [
        element.classname,
        str(members["fName"]),
        str(members["fTitle"]),
        str(members["fTypeName"]),
        members["fType"],
        members["fSize"],
        [int(number) for number in members["fMaxIndex"]],
        [str(value) if isinstance(value, str) else int(value) for value in extra],
    ]


def vector_value(class_name: str) -> str:
    """``*f4`` for ``vector<float>``, ``**ElementLink<X>`` for nested links."""
    inner = re.fullmatch(r"vector<(.*?) ?>", class_name)
    if inner:
        return "*" + vector_value(inner[1])
    return _NUMBERS.get(class_name, class_name)


def value_of(branch: Any, members: dict[str, Any], types: dict[str, list[str]]) -> str:
    """Say what a basket of the branch holds, in the grammar of ``layout.py``."""
    class_name = str(members.get("fClassName", ""))
    if branch.classname == "TBranch":
        leaf = members["fLeaves"][0]
        value = _LEAVES[leaf.classname]
        return value.replace("i", "u") if leaf.all_members["fIsUnsigned"] else value
    if branch.num_baskets == 0 or members["fType"] == 4:
        return "count" if branch.num_baskets else "none"
    code = members["fStreamerType"]
    if members["fType"] == 41:
        return "[" + _BASIC.get(code, "string")
    if code == 300:
        return vector_value(types[class_name][members["fID"]])
    if class_name.startswith("vector<") and members["fID"] == -1:
        return vector_value(class_name)
    return _BASIC.get(code) or object_value(branch, class_name)


def object_value(branch: Any, class_name: str) -> str:
    """Take the bytes of the first object, or of a container before its size."""
    basket = branch.basket(0)
    first = bytes(basket.data[basket.byte_offsets[0] : basket.byte_offsets[1]]).hex()
    if class_name.startswith("DataVector<") or first.startswith("4000000c4009"):
        return "objects:" + first[8:24]
    return "object:" + first


def branch_records(
    path: str, tree_name: str, types: dict[str, list[str]]
) -> tuple[list[Any], list[Any]]:
    """Kinds of branches, and each branch as (name, kind, parent or -1)."""
    kinds: dict[str, int] = {}
    rows: list[Any] = []
    with uproot.open(path) as file:
        tree = file[tree_name]

        def visit(branch: Any, parent: int) -> None:
            kind = json.dumps(kind_of(branch, rows[parent][0] if parent >= 0 else "", types))
            rows.append([branch.name, kinds.setdefault(kind, len(kinds)), parent])
            here = len(rows) - 1
            for child in branch.branches:
                visit(child, here)

        for branch in tree.branches:
            visit(branch, -1)
    return [json.loads(kind) for kind in kinds], rows


def kind_of(branch: Any, parent: str, types: dict[str, list[str]]) -> list[Any]:
    """All that branches share: class, value, titles, checksums, leaf."""
    members = branch.all_members
    leaf = members["fLeaves"][0]
    about = leaf.all_members
    last = branch.name.rpartition(".")[2]

    def pattern(text: str) -> str:
        if parent:
            text = text.replace(f"{parent}_", "{parent}_")
        if text.startswith(branch.name):
            return "{name}" + text[len(branch.name) :]
        return "{last}" + text[len(last) :] if text.startswith(last) else text

    element = branch.classname == "TBranchElement"
    return [
        branch.classname,
        value_of(branch, members, types),
        pattern(members["fTitle"]),
        members["@fBits"],
        members["fSplitLevel"],
        [
            str(members["fClassName"]),
            str(members["fParentName"]),
            str(members["fClonesName"]),
            members["fCheckSum"],
            members["fClassVersion"],
            members["fID"],
            members["fType"],
            members["fStreamerType"],
        ]
        if element
        else [],
        [
            leaf.classname,
            pattern(about["fName"]),
            pattern(about["fTitle"]),
            about["@fBits"],
            about["fLenType"],
            bool(about["fIsUnsigned"]),
            about["fLeafCount"] is not None,
        ],
    ]


def main() -> None:
    """Read the sample, write the layout."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sample", help="a real file")
    parser.add_argument("tree", help="its tree")
    parser.add_argument("name", help="of the layout")
    chosen = parser.parse_args()
    path, target = chosen.sample, TARGETS / f"{chosen.name}.json"
    infos = raw_streamers(path)
    types = {
        str(info.all_members["fName"]): [str(e.all_members["fTypeName"]) for e in info.elements]
        for info in infos
    }
    kinds, branches = branch_records(path, chosen.tree, types)
    rows = {
        "source": f"types, titles and class descriptions of {chosen.tree} in a real sample",
        "classes": [class_record(info) for info in infos],
        "kinds": kinds,
        "branches": branches,
    }
    text = ",\n".join(
        f"{json.dumps(name)}: "
        + (
            "[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in value) + "\n]"
            if isinstance(value, list)
            else json.dumps(value)
        )
        for name, value in rows.items()
    )
    target.write_text("{\n" + text + "\n}\n", encoding="utf-8")
    print(f"{target.name}: {len(branches)} branches of {len(kinds)} kinds, {len(infos)} classes")


if __name__ == "__main__":
    main()
