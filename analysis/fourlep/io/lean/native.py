"""The inflation libraries' own functions, which kernels call by their addresses.

A basket is a few kilobytes, and calling a library through Python costs as much as
inflating it. The wheels of ``deflate`` and ``zstandard`` hold libdeflate and libzstd with
their public functions; where one does not, its baskets are inflated through Python.
"""

from __future__ import annotations

import ctypes
import importlib.util
import threading
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, cast

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


class Native(NamedTuple):
    """Addresses of functions and of the contexts that they take; 0 where there is none.

    A context serves one thread at a time: this is of the thread that asked for it.
    """

    zlib: int
    zlib_context: int
    zstd: int
    zstd_context: int


def native() -> Native:
    """Get what the calling thread may use."""
    return _THREAD.native


@intrinsic
def _call_c(_typing: Any, address: Any, arguments: Any) -> Any:
    """Call the C function at ``address`` with a tuple of integers and pointers.

    Returns
    -------
    uint64
        The register with the result; a C ``int`` is its low 32 bits.
    """

    def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        word = ir.IntType(64)
        function = ir.FunctionType(word, [word] * len(arguments))
        pointer = builder.inttoptr(values[0], function.as_pointer())
        taken = [builder.extract_value(values[1], k) for k in range(len(arguments))]
        return builder.call(pointer, taken)

    return types.uint64(address, arguments), generate


#: As kernels see it: the arguments of the typing phase are the compiler's.
call_c = cast("Callable[[Any, Any], Any]", _call_c)


class _Contexts:
    """Contexts of one thread, freed with it."""

    def __init__(self) -> None:
        self._free: list[tuple[Any, int]] = []
        zlib, zstd = _library("deflate._deflate"), _library("zstandard._cffi")
        self.native = Native(
            *self._prepared(
                zlib,
                "libdeflate_zlib_decompress",
                "libdeflate_alloc_decompressor",
                "libdeflate_free_decompressor",
            ),
            *self._prepared(zstd, "ZSTD_decompressDCtx", "ZSTD_createDCtx", "ZSTD_freeDCtx"),
        )

    def _prepared(
        self, library: ctypes.CDLL | None, function: str, make: str, free: str
    ) -> tuple[int, int]:
        if library is None or not all(hasattr(library, name) for name in (function, make, free)):
            return 0, 0
        maker, freer = getattr(library, make), getattr(library, free)
        maker.restype, freer.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
        context = maker()
        if not context:
            return 0, 0
        self._free.append((freer, context))
        return ctypes.cast(getattr(library, function), ctypes.c_void_p).value or 0, context

    def __del__(self) -> None:
        for freer, context in self._free:
            freer(context)


class _Thread(threading.local):
    def __init__(self) -> None:
        self._contexts = _Contexts()

    @property
    def native(self) -> Native:
        return self._contexts.native


@cache
def _library(module: str) -> ctypes.CDLL | None:
    """Open the shared object of an extension module; None where that cannot be."""
    found = importlib.util.find_spec(module)
    if found is None or not found.origin:
        return None
    try:
        return ctypes.CDLL(found.origin)
    except OSError:  # not a shared object of its own
        return None


_THREAD = _Thread()
