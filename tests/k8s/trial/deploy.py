"""``fourlep cluster`` for the trial's Kubernetes, which is older than what is supported."""

from __future__ import annotations

import sys

from fourlep.cli import main
from fourlep.facility.cluster import checks

if __name__ == "__main__":
    checks.OLDEST_MINOR = 20
    sys.argv[1:1] = ["cluster"]
    main()
