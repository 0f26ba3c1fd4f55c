"""Compilation of the kernels, kept on disk where there is a place for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


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
    all, as in a container without a writable folder, every process compiles anew.
    The interpreter's lock is released while a kernel runs.
    """
    try:
        kernel = numba.njit(nogil=True, error_model="numpy", cache=True)(function)
    except RuntimeError:  # numba found no folder to write to
        kernel = numba.njit(nogil=True, error_model="numpy")(function)
    return cast("Function", kernel)
