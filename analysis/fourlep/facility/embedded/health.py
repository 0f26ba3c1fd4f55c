"""How a part is asked whether it works; every question has a time limit."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

from fourlep.facility.hub.state import answers

_XROOTD_PATIENCE_S = 5


@dataclass(frozen=True, slots=True)
class HttpHealth:
    """The part works when this address answers with success."""

    address: str

    def __call__(self) -> bool:
        """Ask."""
        return answers(self.address)


@dataclass(frozen=True, slots=True)
class XRootDHealth:
    """The part works when it answers an XRootD query; a bare TCP probe logs an error."""

    port: int

    def __call__(self) -> bool:
        """Ask."""
        try:
            answer = subprocess.run(
                ["xrdfs", f"127.0.0.1:{self.port}", "query", "config", "version"],
                capture_output=True,
                timeout=_XROOTD_PATIENCE_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
        return answer.returncode == 0
