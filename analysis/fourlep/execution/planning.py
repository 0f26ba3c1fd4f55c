"""How long a run takes, what it costs and what limits it: a model of a few terms.

Workers, network, round trips and the driver (scheduler and client) work side by side, so
the slowest of them sets the pace; starting up and the last file come on top::

    elapsed = start-up + max(processor, network, round trips, driver) + last file

The rates are measured ones (``docs/reference/scale.md`` says how); `Rates` of another
machine can be put in their place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

#: Mean events of a data file of the release, whose catalogue has none by file: what is left
#: of 9,058,437,931 events after the 1,980,433,720 of simulation, over 55,620 files.
EVENTS_OF_A_DATA_FILE = 127_256


@dataclass(frozen=True, slots=True)
class Rates:
    """What things take.

    Parameters
    ----------
    file_cpu_s, event_cpu_s, batch_cpu_s
        Processor seconds of a worker: opening and parsing a file, each event of it, and
        finishing a batch.
    file_bytes, event_bytes
        Asked of the transport.
    round_trips
        That a file waits for, one after another.
    cold_factor
        Bytes that a cold cache fetches from the origin for each byte asked for: whole blocks.
    task_s
        Scheduler and client, for each task.
    item_s
        Client and ledger, for each file.
    start_s
        Until the first batch runs.
    """

    file_cpu_s: float = 0.0105
    event_cpu_s: float = 3.0e-7
    batch_cpu_s: float = 0.18
    file_bytes: float = 118e3
    event_bytes: float = 44.5
    round_trips: float = 8.0
    cold_factor: float = 5.9
    task_s: float = 0.002
    item_s: float = 2.0e-4
    start_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Site:
    """What a run has.

    Parameters
    ----------
    workers
        Batches at once, one core each.
    bandwidth_gbit
        Of the way to the files, shared by all workers, Gbit/s.
    round_trip_s
        To the server.
    is_cold
        Whether the caches have to fetch everything from the origin first.
    in_flight
        Files that a worker has in flight.
    batch_s, most_items, fan_in
        As in `fourlep.execution.Pace`.
    """

    workers: int
    bandwidth_gbit: float
    round_trip_s: float = 0.001
    is_cold: bool = False
    in_flight: int = 8
    batch_s: float = 10.0
    most_items: int = 128
    fan_in: int = 16


@dataclass(frozen=True, slots=True)
class Plan:
    """What is predicted.

    Parameters
    ----------
    elapsed_s
        Wall seconds.
    core_hours
        That the workers are held for.
    asked_bytes, moved_bytes
        Asked of the transport, and moved over the limited way.
    terms_s
        Seconds of each thing that could set the pace.
    n_batches
        Tasks, without the reductions.
    """

    elapsed_s: float
    core_hours: float
    asked_bytes: float
    moved_bytes: float
    terms_s: dict[str, float]
    n_batches: int

    @property
    def bottleneck(self) -> str:
        """What sets the pace."""
        return max(self.terms_s, key=lambda name: self.terms_s[name])


def plan(n_files: int, n_events: int, site: Site, rates: Rates | None = None) -> Plan:
    """Predict a run.

    Parameters
    ----------
    n_files, n_events
        Of the fileset; at least one file.
    site
        What the run has.
    rates
        What things take; the measured ones by default.

    Examples
    --------
    >>> plan(70_611, 9_058_437_931, Site(workers=64, bandwidth_gbit=10)).bottleneck
    'network'
    """
    rates = rates or Rates()
    work_s = n_files * rates.file_cpu_s + n_events * rates.event_cpu_s
    wait_s = rates.round_trips * site.round_trip_s
    size = _batch_size(n_files, work_s / n_files, wait_s, site)
    n_batches = math.ceil(n_files / size)
    cpu_s = work_s + n_batches * rates.batch_cpu_s
    asked = n_files * rates.file_bytes + n_events * rates.event_bytes
    moved = asked * (rates.cold_factor if site.is_cold else 1.0)
    n_tasks = n_batches * (1.0 + 1.0 / site.fan_in)
    terms = {
        "processor": cpu_s / site.workers,
        "network": 8.0 * moved / (site.bandwidth_gbit * 1e9),
        "round trips": n_files * wait_s / (site.workers * site.in_flight),
        "driver": n_tasks * rates.task_s + n_files * rates.item_s,
    }
    # Batches shrink towards the end (`fourlep.execution.sizing.fair_share`), down to one file.
    last_s = max(work_s / n_files, wait_s) + rates.batch_cpu_s
    elapsed_s = rates.start_s + max(terms.values()) + last_s
    held_h = site.workers * elapsed_s / 3600.0
    return Plan(elapsed_s, held_h, asked, moved, terms, n_batches)


def _batch_size(n_files: int, cpu_s: float, wait_s: float, site: Site) -> int:
    """Files of a batch, as the dealer makes them: by time, by number, and a fair share."""
    by_time = site.batch_s / max(cpu_s, wait_s / site.in_flight, 1e-9)
    fair = math.ceil(n_files / (2 * site.workers))
    return max(1, min(math.floor(by_time), site.most_items, fair))
