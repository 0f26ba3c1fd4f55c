"""Generator weights: the nominal one first, then scales and parton densities.

Their sizes are those of a real sample (some 10 % for scales, 1 % for parton densities),
their values smooth functions of a few random numbers an event.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fourlep.synth.sampling import Floats, Generator

#: Relative sizes of the weights that vary scales, in pairs up and down; all others vary
#: parton densities.
_SCALES = (0.08, -0.08, 0.05, -0.05, 0.04, -0.04, 0.02, -0.02)
_PARTON_DENSITIES = 0.01
_SHAPES = 3


def signs(rng: Generator, size: int, negative: float) -> Floats:
    """Draw +1 or, with probability ``negative``, -1."""
    return np.where(rng.random(size) < negative, -1.0, 1.0)


def variations(rng: Generator, nominal: Floats, number: int) -> npt.NDArray[np.float32]:
    """Weights of all variations of each event.

    Parameters
    ----------
    rng
        Generator.
    nominal : (n_events,)
        Nominal weights, signed.
    number
        How many weights an event has.

    Returns
    -------
    (n_events, number) float32
        The first column is ``nominal``; the others are ``nominal (1 + d)`` with
        ``d = a + b . x``, constants a and b a weight, and x normal numbers an event.
    """
    constants = np.random.default_rng(20240701)
    scales = np.array((0.0, *_SCALES)[:number])
    densities = constants.uniform(-1.0, 1.0, max(number - len(scales), 0))
    offset = np.concatenate([scales, _PARTON_DENSITIES * densities]).astype(np.float32)
    normal = constants.standard_normal((_SHAPES, number), dtype=np.float32)
    slope = np.float32(0.3) * offset * normal
    shape = rng.standard_normal((len(nominal), _SHAPES), dtype=np.float32)
    made = shape @ slope
    made += offset + np.float32(1.0)
    made *= nominal.astype(np.float32)[:, None]
    varied: npt.NDArray[np.float32] = made
    return varied
