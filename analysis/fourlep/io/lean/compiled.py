"""Compilation of the kernels, kept on disk where there is a place for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


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
