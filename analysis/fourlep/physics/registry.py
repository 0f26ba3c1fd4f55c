"""The selections by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fourlep.errors import ConfigError
from fourlep.physics.demonstrator2020 import Demonstrator2020, DemonstratorConfig
from fourlep.physics.fourlepton import Fourlepton, FourleptonConfig
from fourlep.physics.scipy2024 import Scipy2024, Scipy2024Config
from fourlep.physics.selection import Selection

#: Name of each selection, which is also the name of its table in a configuration file,
#: and the dataclass of its settings.
CONFIGS: Mapping[str, type[Any]] = {
    "fourlepton": FourleptonConfig,
    "scipy2024": Scipy2024Config,
    "demonstrator2020": DemonstratorConfig,
}


def selection(name: str, config: Any = None) -> Selection:
    """Make a selection.

    Parameters
    ----------
    name
        A key of `CONFIGS`.
    config
        Its settings, an instance of ``CONFIGS[name]``; None for the defaults.

    Raises
    ------
    ConfigError
        If there is no such selection.

    Examples
    --------
    >>> selection("scipy2024").channels
    ('4e',)
    """
    if name not in CONFIGS:
        raise ConfigError(
            f"there is no selection {name!r}", remedy=f"choose one of {', '.join(CONFIGS)}"
        )
    settings = CONFIGS[name]() if config is None else config
    match settings:
        case FourleptonConfig():
            return Fourlepton(settings)
        case Scipy2024Config():
            return Scipy2024(settings)
        case DemonstratorConfig():
            return Demonstrator2020(settings)
        case _:
            raise TypeError(f"{type(settings).__name__} are no settings of {name}")
