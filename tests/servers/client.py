"""A client of the execution as a process that can be killed: ``python -m servers.client ...``.

Prints a line for each portion entered, then the sum as hexadecimal float.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from fourlep.errors import FourlepError
from fourlep.execution import Pace, Progress, execute
from toys import Slow, items

PACE = Pace(batch_s=0.2, fan_in=2, flush_s=0.2, in_flight=1)


def tell(progress: Progress) -> None:
    sys.stdout.write(f"done {progress.n_done}\n")
    sys.stdout.flush()


def main() -> None:
    # Whoever started the tests in the background may have it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--items", type=int, default=100)
    parser.add_argument("--cluster", default="local")
    parser.add_argument("--resume", action="store_true")
    chosen = parser.parse_args()
    try:
        outcome = execute(
            items(chosen.items), Slow(0.02), directory=chosen.directory, fingerprint="f",
            cluster=chosen.cluster, workers="2", resume=chosen.resume, pace=PACE, progress=tell,
        )  # fmt: skip
    except FourlepError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
    assert outcome.is_complete
    assert outcome.result is not None
    sys.stdout.write(f"{outcome.result.value.hex()}\n")


if __name__ == "__main__":
    main()
