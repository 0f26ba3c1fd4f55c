"""Class descriptions: the ``StreamerInfo`` list that makes a file self-describing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fourlep.synth.rootfile.buffer import Buffer

#: Version of each kind of element that ROOT 6 writes.
_VERSIONS = {
    "TStreamerBase": 3,
    "TStreamerBasicPointer": 2,
    "TStreamerBasicType": 2,
    "TStreamerObject": 2,
    "TStreamerObjectAny": 2,
    "TStreamerObjectPointer": 2,
    "TStreamerSTL": 3,
    "TStreamerSTLstring": 2,
    "TStreamerString": 2,
}
#: ``kIsOnHeap``, which ROOT leaves set in objects that it owned when writing.
_ON_HEAP = 0x01000000


@dataclass(frozen=True, slots=True)
class Element:
    """One member or base of a class.

    Parameters
    ----------
    kind
        Class of the element, ``TStreamerBasicType``.
    name, title, type_name
        As ROOT spells them.
    type_code, size
        ``fType`` and ``fSize``.
    max_index
        ``fMaxIndex``; its second number is a base's checksum.
    extra
        The base's version; an STL member's container and content codes; a counted
        pointer's counter version, name and class.
    """

    kind: str
    name: str
    title: str
    type_name: str
    type_code: int
    size: int
    max_index: tuple[int, int, int, int, int]
    extra: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class ClassInfo:
    """A class as a file describes it.

    Parameters
    ----------
    name, version, checksum
        Identify it.
    bits
        ``fBits`` of its description.
    elements
        Bases and members in order.
    """

    name: str
    version: int
    checksum: int
    bits: int
    elements: tuple[Element, ...]


def streamer_list(classes: Sequence[ClassInfo], displacement: int) -> bytes:
    """Stream the ``TList`` of descriptions.

    Parameters
    ----------
    classes
        In the order of the list.
    displacement
        Length of the record's key.
    """
    out = Buffer(displacement)
    with out.versioned(5):
        out.tobject()
        out.string("")
        out.pack("i", len(classes))
        for info in classes:
            with out.any_object("TStreamerInfo"):
                _write_class(out, info)
            out.append(b"\0")  # the list's option string
    return bytes(out)


def _write_class(out: Buffer, info: ClassInfo) -> None:
    with out.versioned(9):
        out.tnamed(info.name, "", info.bits)
        out.pack("Ii", info.checksum, info.version)
        with out.any_object("TObjArray"), out.object_array(len(info.elements)):
            for element in info.elements:
                with out.any_object(element.kind):
                    _write_element(out, element)


def _write_element(out: Buffer, element: Element) -> None:
    with out.versioned(_VERSIONS[element.kind]):
        if element.kind == "TStreamerSTLstring":
            with out.versioned(3):
                _write_stl(out, element)
        elif element.kind == "TStreamerSTL":
            _write_stl(out, element)
        else:
            _write_base(out, element)
            for value in element.extra:
                if isinstance(value, str):
                    out.string(value)
                else:
                    out.pack("i", value)


def _write_stl(out: Buffer, element: Element) -> None:
    _write_base(out, element)
    out.pack("ii", *element.extra)


def _write_base(out: Buffer, element: Element) -> None:
    with out.versioned(4):
        out.tnamed(element.name, element.title, _ON_HEAP)
        out.pack("iiii", element.type_code, element.size, 0, 0)
        out.pack("5i", *element.max_index)
        out.string(element.type_name)
