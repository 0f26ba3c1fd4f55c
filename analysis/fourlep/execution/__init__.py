"""Runs any ``item -> result`` callable over many files, so that nothing is lost.

`execute` is the way in. Behind it, one module a noun:

===============  =====================================================================
``driver``       `execute`: settings to a run
``run``          one session: batches out, portions into the ledger, the final sum
``dealing``      which items come next, and how many make a batch (``sizing``)
``ledger``       what became of every item (``ledger_view`` looks at it); ``durable`` files and
                 the directory's lock
``backend``      where batches are worked on: this process, or (``dask_backend``) a
                 cluster (``clusters``, ``node``, ``tasks``)
``watchdog``     the parent of a reading process (``reader``), which can be killed
``reading``      a batch in threads, each item along its routes (``retry``)
``payload``      sums as bytes
``model``        the values between them
===============  =====================================================================
"""

from __future__ import annotations

from fourlep.execution.dealing import Pace
from fourlep.execution.driver import check_place, execute
from fourlep.execution.ledger_view import view_ledger
from fourlep.execution.model import Failed, Metrics, Outcome, Progress
from fourlep.execution.retry import RetryPolicy

__all__ = [
    "Failed",
    "Metrics",
    "Outcome",
    "Pace",
    "Progress",
    "RetryPolicy",
    "check_place",
    "execute",
    "view_ledger",
]
