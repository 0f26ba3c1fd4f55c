"""Sums of floating-point numbers that do not depend on the order of their terms.

A histogram of nine billion events is summed by thousands of tasks in an order that
nobody controls, and floating-point addition is not associative. `ExactSums` keeps each
sum as an integer in 32-bit digits ("limbs"), so that adding is associative and
commutative to the last bit, however a run was cut, retried or resumed; it is rounded
once, when the number is read.

The idea is the "small superaccumulator" of R. M. Neal, arXiv:1505.05571; here only
the limbs that occur are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

_BITS = 32
_MASK = (1 << _BITS) - 1
_MANTISSA_BITS = 53

#: Limbs that one shifted number can reach.
_PARTS = 3

#: Terms that are taken apart at a time: their arrays stay in the processor's cache.
_BLOCK = 8192


@dataclass(frozen=True, slots=True, eq=False)
class ExactSums:
    """An array of exact sums.

    ======================================  ==========================================
    ``ExactSums.zeros((3,))``               three sums, all zero
    ``ExactSums.of(shape, index, values)``  sums of ``values`` by flat ``index``
    ``a + b``                               elementwise; ``sum(many, start=zeros)``
    ``a.to_float()``                        float64 array, each sum rounded once
    ``a == b``                              equal to the last bit
    ======================================  ==========================================

    Parameters
    ----------
    shape
        Shape of the array of sums.
    limbs
        int64 arrays of that shape by limb number: the value of an element is the sum
        of ``limbs[k] * 2**(32 * k)``.

    Examples
    --------
    >>> many = ExactSums.of((1,), [0, 0, 0], [1e16, 1.0, -1e16])
    >>> float(many.to_float()[0])
    1.0
    """

    shape: tuple[int, ...]
    limbs: Mapping[int, npt.NDArray[np.int64]] = field(default_factory=dict)

    @classmethod
    def zeros(cls, shape: tuple[int, ...]) -> ExactSums:
        """Sums that are all zero: the neutral element of ``+``."""
        return cls(shape)

    @classmethod
    def of(cls, shape: tuple[int, ...], index: npt.ArrayLike, values: npt.ArrayLike) -> ExactSums:
        """Sum ``values`` into the elements that ``index`` names.

        Parameters
        ----------
        shape
            Shape of the result.
        index : (n,) integers
            Flat (C-order) element of each value.
        values : (n,) floats
            What is summed; signed.

        Raises
        ------
        ValueError
            If a value is NaN or infinite, or the lengths differ.
        """
        flat = np.asarray(index, dtype=np.int64)
        terms = np.asarray(values, dtype=np.float64)
        if flat.shape != terms.shape or flat.ndim != 1:
            raise ValueError(f"index {flat.shape} and values {terms.shape} must be equally long")
        if not np.all(np.isfinite(terms)):
            raise ValueError("cannot sum NaN or infinite values")
        exponents = np.frexp(terms)[1]
        first = (int(exponents.min(initial=0)) - _MANTISSA_BITS) // _BITS
        last = (int(exponents.max(initial=0)) - _MANTISSA_BITS) // _BITS
        size = int(np.prod(shape, dtype=np.int64))
        limbs = np.zeros((last - first + _PARTS, size), dtype=np.int64)
        for start in range(0, len(terms), _BLOCK):
            block = slice(start, start + _BLOCK)
            _add_digits(limbs, first, flat[block], terms[block])
        return cls(shape, _carried({first + k: v.reshape(shape) for k, v in enumerate(limbs)}))

    def __add__(self, other: ExactSums) -> ExactSums:
        if not isinstance(other, ExactSums):
            return NotImplemented
        if self.shape != other.shape:
            raise ValueError(f"cannot add sums of shapes {self.shape} and {other.shape}")
        limbs = dict(self.limbs)
        for number, limb in other.limbs.items():
            limbs[number] = limbs[number] + limb if number in limbs else limb
        return ExactSums(self.shape, _carried(limbs))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ExactSums):
            return NotImplemented
        return self.shape == other.shape and all(
            not np.any(limb) for limb in _carried(_difference(self, other)).values()
        )

    __hash__ = None  # type: ignore[assignment]  # arrays inside: equality without a hash

    def __getitem__(self, key: Any) -> ExactSums:
        """Select elements by basic numpy indexing."""
        limbs = {number: np.asarray(limb[key]) for number, limb in self.limbs.items()}
        return ExactSums(np.empty(self.shape, dtype=np.bool_)[key].shape, limbs)

    def to_float(self) -> npt.NDArray[np.float64]:
        """Each sum, correctly rounded to float64.

        Returns
        -------
        (shape) array of float64
        """
        result = np.zeros(self.shape, dtype=np.float64)
        if not self.limbs:
            return result
        lowest = min(self.limbs)
        occupied = np.zeros(self.shape, dtype=np.bool_)
        for limb in self.limbs.values():
            occupied |= limb != 0
        where = np.flatnonzero(occupied)
        totals = [0] * len(where)
        for number, limb in self.limbs.items():
            shift = _BITS * (number - lowest)
            for position, digit in enumerate(limb.reshape(-1)[where].tolist()):
                totals[position] += digit << shift
        exponent = _BITS * lowest
        flat = result.reshape(-1)
        # Python divides integers with one correct rounding.
        flat[where] = [
            float(total << exponent) if exponent >= 0 else total / (1 << -exponent)
            for total in totals
        ]
        return flat.reshape(self.shape)

    def to_arrays(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Limb numbers (k,) and limbs (k, *shape), for storing."""
        numbers = sorted(self.limbs)
        stacked = np.zeros((len(numbers), *self.shape), dtype=np.int64)
        for position, number in enumerate(numbers):
            stacked[position] = self.limbs[number]
        return np.asarray(numbers, dtype=np.int64), stacked

    @classmethod
    def from_arrays(cls, numbers: npt.ArrayLike, limbs: npt.ArrayLike) -> ExactSums:
        """The inverse of `to_arrays`."""
        stacked = np.asarray(limbs, dtype=np.int64)
        keys = np.asarray(numbers, dtype=np.int64).tolist()
        return cls(stacked.shape[1:], dict(zip(keys, stacked, strict=True)))


def _add_digits(
    limbs: npt.NDArray[np.int64],
    first: int,
    flat: npt.NDArray[np.int64],
    terms: npt.NDArray[np.float64],
) -> None:
    """Add ``terms`` to ``limbs``, of which the lowest has the number ``first``."""
    mantissa, exponent = np.frexp(terms)
    digits = np.ldexp(mantissa, _MANTISSA_BITS).astype(np.int64)
    lowest_bit = exponent.astype(np.int64) - _MANTISSA_BITS
    lowest, shift = lowest_bit // _BITS, lowest_bit % _BITS
    low = (digits & _MASK) << shift  # below 2**63
    high = (digits >> _BITS) << shift  # above -2**53, below 2**53
    position = (lowest - first) * limbs.shape[1] + flat
    parts = (low & _MASK, (low >> _BITS) + (high & _MASK), high >> _BITS)
    for offset, part in enumerate(parts):
        np.add.at(limbs[offset:].reshape(-1), position, part)


def _difference(left: ExactSums, right: ExactSums) -> dict[int, npt.NDArray[np.int64]]:
    limbs = dict(left.limbs)
    for number, limb in right.limbs.items():
        limbs[number] = limbs[number] - limb if number in limbs else -limb
    return limbs


def _carried(limbs: Mapping[int, npt.NDArray[np.int64]]) -> dict[int, npt.NDArray[np.int64]]:
    """Carry towards higher limbs, so that 2**30 further additions cannot overflow.

    The highest limb keeps its sign. Equal values end with equal lower digits, hence a
    difference of zero ends with zeros everywhere.
    """
    if not limbs:
        return {}
    carried: dict[int, npt.NDArray[np.int64]] = {}
    shape = next(iter(limbs.values())).shape
    carry = np.zeros(shape, dtype=np.int64)
    number, highest = min(limbs), max(limbs)
    while number <= highest or np.any((carry != 0) & (carry != -1)):
        total = carry + limbs[number] if number in limbs else carry
        carried[number], carry = total & _MASK, total >> _BITS
        number += 1
    if np.any(carry):  # what is left is the sign: give it back to the highest limb
        top = number - 1
        carried[top] = carried[top] + (carry << _BITS)
    return {k: v for k, v in carried.items() if np.any(v)}
