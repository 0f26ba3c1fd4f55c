"""Compilation of the kernels, kept on disk where there is a place for it.

Numba's own cache looks at the file of one kernel alone: after an upgrade of this package
it runs machine code with the old version of what the kernel calls, or fails on a class
that has gone. Here the machine code belongs to the text of all kernels, and a cache that
cannot be read or written is as good as none.

An image brings machine code for any processor of its kind beside the package, made by
``python -m fourlep.benchmark.kernels`` with ``NUMBA_CPU_NAME=generic``: a worker that has
just started need not compile for ten seconds.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core.caching import (
    CompileResultCacheImpl,
    FunctionCache,
    IndexDataCacheFile,
    InTreeCacheLocator,
    UserProvidedCacheLocator,
    UserWideCacheLocator,
)

Function = TypeVar("Function", bound=Callable[..., object])

#: Folders of machine code begin with this; so many of other versions are left.
_PREFIX = "fourlep-"
_MOST_FOLDERS = 4
#: Name and features of the processor as ``NUMBA_CPU_NAME=generic NUMBA_CPU_FEATURES=`` gives them.
_ANY_PROCESSOR = ("generic", "")


def inlined(function: Function) -> Function:
    """Compile a part of kernels into each of them.

    A call with an array counts references to it, which takes ten times as long as
    reading a vector's header does; so does an inlined call within an inlined one.
    """
    return cast("Function", numba.njit(inline="always", error_model="numpy")(function))


def compiled(function: Function) -> Function:
    """Compile a kernel when it is first called, and keep it for the next process.

    The machine code is kept beside this package or, where that cannot be written, in the
    user's cache folder; ``NUMBA_CACHE_DIR`` names another place. Where there is none at
    all, every process compiles anew what did not come with the package.
    The interpreter's lock is released while a kernel runs.
    """
    kernel = numba.njit(nogil=True, error_model="numpy")(function)
    # What its enable_caching() does, with numba's own kind of cache.
    cast("Any", kernel)._cache = cast("Any", KernelCache)(function)
    return cast("Function", kernel)


@cache
def fingerprint() -> str:
    """Digest of the text of all modules that kernels are made of: those of this folder."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


class _OfThisText:
    """Puts machine code into a folder of its own for each text of the kernels."""

    def get_cache_path(self) -> str:
        """Folder of the machine code."""
        folder = super().get_cache_path()  # type: ignore[misc]  # of the locator that this is mixed into
        return str(Path(folder, _PREFIX + fingerprint()))


class _UserProvided(_OfThisText, UserProvidedCacheLocator):
    """``NUMBA_CACHE_DIR``."""


class _InTree(_OfThisText, InTreeCacheLocator):
    """Beside the kernels."""


class _UserWide(_OfThisText, UserWideCacheLocator):
    """The user's cache folder."""


class _Shipped(_InTree):
    """Beside the kernels, written or not."""

    def ensure_cache_path(self) -> None:
        """Take the folder as it is; whoever writes to it finds out."""


class _Storage(CompileResultCacheImpl):
    _locator_classes = [_UserProvided, _InTree, _UserWide, _Shipped]  # noqa: RUF012  # numba's declaration


class KernelCache(FunctionCache):
    """Machine code of one kernel on disk: a cache, never a prerequisite.

    Parameters
    ----------
    function
        The kernel's Python function.
    """

    _impl_class = _Storage

    def __init__(self, function: Callable[..., object]) -> None:
        super().__init__(function)  # type: ignore[no-untyped-call]  # numba's
        beside = _Shipped(function, function.__code__.co_filename)  # type: ignore[no-untyped-call]  # numba's
        folder, stamp = beside.get_cache_path(), beside.get_source_stamp()  # type: ignore[no-untyped-call]  # numba's
        self._shipped = IndexDataCacheFile(folder, self._impl.filename_base, stamp)  # type: ignore[no-untyped-call]  # numba's

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Load machine code; None where there is none, or what is there is damaged."""
        try:
            found = super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]  # numba's
            return self._brought(sig, target_context) if found is None else found
        except Exception:  # noqa: BLE001  # damaged pickles raise anything
            with suppress(OSError):
                self.flush()  # type: ignore[no-untyped-call]  # numba's
            return None

    def _brought(self, sig: Any, target_context: Any) -> Any:
        """Load what came with the package for any processor; None where there is none."""
        codegen = target_context.codegen()
        own, (system, *_), text = self._index_key(sig, codegen)  # type: ignore[no-untyped-call]  # numba's
        stored = self._shipped.load((own, (system, *_ANY_PROCESSOR), text))  # type: ignore[no-untyped-call]  # numba's
        return None if stored is None else self._impl.rebuild(target_context, stored)

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep machine code; a full or protected disk costs the next process a compilation."""
        with suppress(OSError):
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]  # numba's
            _remove_others(Path(self.cache_path))


def _remove_others(folder: Path) -> None:
    """Remove the machine code of other versions, the last few excepted."""
    others = [path for path in folder.parent.glob(f"{_PREFIX}*") if path != folder]
    others.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in others[_MOST_FOLDERS - 1 :]:
        shutil.rmtree(path, ignore_errors=True)
