"""How the values of a branch are laid out in its baskets.

All numbers are big-endian. The forms that occur among the columns of PHYSLITE:

=========  ==========================================================================
scalar     one number an entry
vector     10-byte header (byte count and version, 6; length, 4), then the numbers
nested     the same header, then for each inner vector its length (4) and its numbers
links      as nested; each item is an ElementLink, two classes around a key and an index,
           with checksums where ATLAS's software wrote them, else with versions
counted    the numbers alone: a member of a split vector, as long as the entry is
=========  ==========================================================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

import numpy as np

from fourlep.io.lean.unsupported import UnsupportedError


class Form(Enum):
    """The forms of the table above."""

    SCALAR = "scalar"
    VECTOR = "vector"
    NESTED = "nested"
    LINKS = "links"
    COUNTED = "counted"


@dataclass(frozen=True, slots=True)
class Layout:
    """Form and number type of a branch."""

    form: Form
    dtype: np.dtype[np.generic]


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
    "Long64_t": "i8",
    "unsigned long": "u8",
    "ULong64_t": "u8",
    "float": "f4",
    "double": "f8",
}
#: ROOT's numbers of basic types (TStreamerInfo::EReadWrite).
_STREAMER_TYPES = {
    1: "i1",
    2: "i2",
    3: "i4",
    4: "i8",
    5: "f4",
    8: "f8",
    11: "u1",
    12: "u2",
    13: "u4",
    14: "u8",
    16: "i8",
    17: "u8",
    18: "?",
}
_LEAVES = {
    "TLeafO": "?",
    "TLeafB": "1",
    "TLeafS": "2",
    "TLeafI": "4",
    "TLeafL": "8",
    "TLeafF": "f4",
    "TLeafD": "f8",
}
_LINK = re.compile(r"ElementLink<[\w:<> ]+>")
#: TBranchElement::fType of a whole object or basic type, and of members of split
#: clones arrays and vectors.
_WHOLE, _CLONES_MEMBER, _VECTOR_MEMBER = 0, 31, 41


@lru_cache(maxsize=1024)
def element_layout(class_name: str, branch_type: int, streamer_type: int) -> Layout:
    """Layout of a TBranchElement.

    Parameters
    ----------
    class_name
        Its fClassName: the class of the object, or of the one that it is a member of.
    branch_type, streamer_type
        Its fType and fStreamerType.

    Raises
    ------
    UnsupportedError
        If it is none of the forms above.
    """
    if branch_type in (_CLONES_MEMBER, _VECTOR_MEMBER) and streamer_type in _STREAMER_TYPES:
        return Layout(Form.COUNTED, np.dtype(_STREAMER_TYPES[streamer_type]))
    if branch_type == _WHOLE and streamer_type in _STREAMER_TYPES:
        return Layout(Form.SCALAR, np.dtype(_STREAMER_TYPES[streamer_type]))
    if branch_type == _WHOLE and streamer_type < 0:
        item, depth = class_name.replace(" >", ">").strip(), 0
        while item.startswith("vector<") and item.endswith(">"):
            item, depth = item[len("vector<") : -1].strip(), depth + 1
        if item in _NUMBERS and depth in (1, 2):
            form = Form.VECTOR if depth == 1 else Form.NESTED
            return Layout(form, np.dtype(_NUMBERS[item]))
        if _LINK.fullmatch(item) and depth == 2:
            return Layout(Form.LINKS, np.dtype("u4"))
    raise UnsupportedError(f"class {class_name} (type {branch_type}, {streamer_type})")


@lru_cache(maxsize=1024)
def leaf_layout(leaf_class: str, *, is_unsigned: bool) -> Layout:
    """Layout of a TBranch with one leaf of one number.

    Raises
    ------
    UnsupportedError
        If the leaf holds something else.
    """
    code = _LEAVES.get(leaf_class)
    if code is None:
        raise UnsupportedError(f"leaf {leaf_class}")
    if code.isdigit():
        code = ("u" if is_unsigned else "i") + code
    return Layout(Form.SCALAR, np.dtype(code))
