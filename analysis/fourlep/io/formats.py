"""Which tree of a file holds the events, and in which format, told from its content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from fourlep.errors import UnknownFormatError
from fourlep.io.branches import FORMATS, Format

RNTUPLE_CLASSES = frozenset({"ROOT::RNTuple", "ROOT::Experimental::RNTuple"})
_TREE_CLASSES = RNTUPLE_CLASSES | {"TTree"}


def candidate_trees(
    url: str, classes: Mapping[str, str], wanted: str
) -> tuple[tuple[str, ...], ...]:
    """Trees to look into, in groups, the most likely first.

    Parameters
    ----------
    url
        Of the file, for the error.
    classes
        Class of each object of the file, by name, with the folders that it is in.
    wanted
        The only one to look into; "" for any.

    Returns
    -------
    tuple of tuples of str
        Each tree that has a usual name and is in no folder, alone; then all others, of
        which none goes before another.

    Raises
    ------
    UnknownFormatError
        If ``wanted`` is not there, or there is no tree at all.
    """
    trees = trees_of(classes)
    if wanted:
        if wanted not in trees:
            raise no_known_tree(url, classes, wanted)
        return ((wanted,),)
    usual = [known.tree for known in FORMATS.values()]
    alone = sorted(name for name in trees if name in usual)
    return (*((name,) for name in alone), tuple(sorted(set(trees) - set(alone))))


def trees_of(classes: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the trees and RNTuples among objects of these classes."""
    return tuple(name for name, kind in classes.items() if kind in _TREE_CLASSES)


def detect(names: AbstractSet[str], *, tree: str = "") -> Format | None:
    """Tell the format of a tree or RNTuple with these branches; None where none is known.

    A skim may be either, whatever it was made of: uproot writes RNTuples.

    Parameters
    ----------
    names
        Its branches or fields.
    tree
        Its name, where a format's usual one makes up for a few branches that are missing:
        those are then errors, or left out, as any other column is. "" asks for all.
    """
    own_name = tree.rpartition("/")[2]
    for known in FORMATS.values():
        if known.resembles(own_name, names) if tree else known.matches(names):
            return known
    return None


def no_known_tree(url: str, classes: Mapping[str, str], wanted: str) -> UnknownFormatError:
    """Make the error that names the trees that there are and those that would do."""
    trees = trees_of(classes)
    there = ", ".join(trees) if trees else "none"
    known = ", ".join(f"{each.tree} ({each.title})" for each in FORMATS.values())
    if wanted and wanted not in trees:
        what = f"no tree {wanted!r}"
    elif wanted:
        what = f"the tree {wanted!r} is of no known format"
    else:
        what = "no tree of a known format"
    return UnknownFormatError(
        "\n  ".join((f"{url}: {what}; trees there: {there}", *_lacking(trees, wanted))),
        url=url,
        remedy=f"name one of those, or read one of {known}",
    )


def _lacking(trees: Sequence[str], wanted: str) -> list[str]:
    """Say by what a tree with a usual name would have been known."""
    return [
        f"{tree} has not enough of {', '.join(slot[0] for slot in known.markers)},"
        f" by which {known.title} are known"
        for tree in trees
        for known in FORMATS.values()
        if tree.rpartition("/")[2] == known.tree and wanted in {"", tree}
    ]


def several_trees(url: str, trees: Sequence[str]) -> UnknownFormatError:
    """Make the error for a file where more than one tree could be meant."""
    return UnknownFormatError(
        f"{url}: it is not known which of {' and '.join(map(repr, trees))} is meant",
        url=url,
        remedy="name the tree: in the fileset behind the file, or with --tree",
    )
