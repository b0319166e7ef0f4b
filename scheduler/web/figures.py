"""Figures as Prometheus reads them; its own library writes the text.

A registry is made for each reading, so that the database is asked once and nothing is kept.  What
one process counts for itself bears its number: of several that share a port one answers, and its
counts must not be taken for those of another.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder

from scheduler.domain.messages import Channel
from scheduler.domain.vitals import Disk, Lateness, Pool, RunTally, Search
from scheduler.services.mailroom import Outlook
from scheduler.services.outbox import OutboxSummary
from scheduler.services.vitals import Here, House
from scheduler.web.tallies import BOUNDS, Durations, Tally

_NAME = "chungtay_"
_PID = "pid"


def exposed(house: House | None, here: Here, tally: Tally, accept: str) -> tuple[bytes, str]:
    """The text and its type, in the version that its reader asks for.

    Of a database that does not answer only this is told, with the figures of this process.
    """
    registry = CollectorRegistry()
    registry.register(_Told([*_about_us(house), *_of_the_house(house), *_disk(here.disk)]))
    registry.register(_Told(_of_this_process([*_pools(here.pools), *_asked(tally)])))
    registry.register(_Told(_of_this_process(ProcessCollector(registry=None).collect())))
    encode, kind = choose_encoder(accept)
    return encode(registry), kind


class _Told:
    """What has been gathered already."""

    def __init__(self, found: Iterable[Metric]) -> None:
        self._found = list(found)

    def collect(self) -> Iterable[Metric]:
        return self._found


def _of_this_process(found: Iterable[Metric]) -> Iterator[Metric]:
    pid = {_PID: str(os.getpid())}
    for each in found:
        each.samples = [sample._replace(labels=sample.labels | pid) for sample in each.samples]
        yield each


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(_NAME + name, about, value=value)


def _gauges(name: str, about: str, label: str, values: Mapping[str, float]) -> Metric:
    made = GaugeMetricFamily(_NAME + name, about, labels=[label])
    for of, value in values.items():
        made.add_metric([of], value)
    return made


# -- the house


def _about_us(house: House | None) -> Iterator[Metric]:
    yield InfoMetricFamily(_NAME + "build", "The program.", {"version": version("chungtay")})
    yield _gauge("database_up", "1 while the database answers.", house is not None)


def _of_the_house(house: House | None) -> Iterator[Metric]:
    if house is None:
        return
    yield from _messages(house.messages)
    yield from _outlook(house.outlook)
    rates = {channel.value: rate for channel, rate in house.sent_per_second.items()}
    about = "Messages sent a second, of the last ten minutes."
    yield _gauges("outbox_sent_per_second", about, "channel", rates)
    yield from _late(house.lateness)
    about = "Since the last beat of a process that did not take its leave."
    yield _gauges("worker_beat_age_seconds", about, "worker", house.beats)
    yield from _runs(house.runs)
    yield from _searches(house.searches)
    yield _gauge("feeds_dirty", "Feeds that are out of date.", house.feeds.feeds)
    about = "How long a feed has been out of date since a loop saw it."
    yield _gauge("feeds_dirty_seconds", about, house.feeds.seconds)
    yield _gauge("busy_sources", "Teachers' own calendars.", house.sources.total)
    about = "Those that could not be read the last time."
    yield _gauge("busy_sources_failing", about, house.sources.failing)
    yield _gauge("database_size_bytes", "The database.", house.footprint.database)
    if house.footprint.wal is not None:
        yield _gauge("database_wal_bytes", "The log of its newest writes.", house.footprint.wal)
    if house.backup_seconds is not None:
        yield _gauge("backup_age_seconds", "Since the last backup.", house.backup_seconds)


def _messages(seen: OutboxSummary) -> Iterator[Metric]:
    yield _gauges("outbox_by_state", "Messages by state.", "state", seen.by_state)
    about = "Messages by kind, whatever became of them."
    yield _gauges("outbox_by_kind", about, "kind", seen.by_kind)
    yield _gauge("outbox_law", "1 while every planned message is in one state.", seen.law)
    yield _gauge("outbox_paused", "1 while sending is paused.", seen.paused)
    yield _gauge("outbox_maybe_twice", "Messages that may have arrived twice.", seen.maybe_twice)
    yield _gauge("outbox_queue", "Messages due at this moment.", seen.queue)
    yield _gauge("outbox_late_seconds", "How long the first of them waits.", seen.late_seconds)
    yield CounterMetricFamily(
        _NAME + "outbox_leases_lost", "Marks that came too late.", value=seen.lease_lost
    )
    yield _gauge("outbox_drift_seconds", "The newest jump of a clock.", seen.drift_seconds)
    yield _gauge("outbox_workers", "Processes that beat.", seen.workers)
    away = {channel.value: float(channel in seen.away) for channel in Channel}
    yield _gauges("outbox_away", "1 while a way out does not answer.", "channel", away)


def _outlook(seen: Outlook) -> Iterator[Metric]:
    about = "Waiting messages that will miss their deadline at the present rate."
    yield _gauge("outbox_will_be_late", about, seen.will_be_late)
    about = "What the slowest channel needs for all that waits; NaN when its rate is unknown."
    needs = float("nan") if seen.needs_seconds is None else seen.needs_seconds
    yield _gauge("outbox_needs_seconds", about, needs)


def _late(seen: Lateness) -> Iterator[Metric]:
    about = "How late reminders were sent, of the last hour."
    quantiles = {"0.5": seen.median, "0.99": seen.p99, "1": seen.most}
    yield _gauges("reminder_lateness_seconds", about, "quantile", quantiles)
    yield _gauge("reminders_sent_last_hour", "Of how many that is.", seen.count)


def _runs(seen: RunTally) -> Iterator[Metric]:
    states = {state.value: float(count) for state, count in seen.by_state.items()}
    yield _gauges("runs", "Matching runs by state.", "state", states)
    yield _gauge("runs_abandoned", "At work, with a worker that is gone.", seen.abandoned)
    yield _gauge("runs_waiting_seconds", "How long the first waits.", seen.waits_seconds)


def _searches(seen: Iterable[Search]) -> Iterator[Metric]:
    of_term = {str(each.term_id): each for each in seen}
    about = "Cost of the best plan of a term's newest search."
    yield _gauges("run_cost", about, "term", {t: each.cost for t, each in of_term.items()})
    about = "What no plan can cost less than."
    bounds = {t: each.bound for t, each in of_term.items() if each.bound is not None}
    yield _gauges("run_bound", about, "term", bounds)
    about = "How much better a plan may be, as a share of its cost."
    gaps = {t: each.gap for t, each in of_term.items() if each.gap is not None}
    yield _gauges("run_gap_ratio", about, "term", gaps)
    about = "How long it has searched."
    yield _gauges("run_seconds", about, "term", {t: each.seconds for t, each in of_term.items()})


# -- this machine, and this process


def _disk(seen: Disk) -> Iterator[Metric]:
    yield _gauge("disk_free_bytes", "Of the disk with our files.", seen.free)
    yield _gauge("disk_size_bytes", "Of the disk with our files.", seen.total)


def _pools(seen: Iterable[Pool]) -> Iterator[Metric]:
    found = {pool.name: pool for pool in seen}
    about = "Connections to the database that are in use."
    yield _gauges("pool_in_use", about, "pool", {name: x.lent for name, x in found.items()})
    about = "The most connections there can be."
    yield _gauges("pool_most", about, "pool", {name: x.most for name, x in found.items()})


def _asked(tally: Tally) -> Iterator[Metric]:
    reads = CounterMetricFamily(
        _NAME + "feed_reads", "Answers to calendar clients by status.", labels=["status"]
    )
    for status, count in sorted(tally.feeds.copy().items()):
        reads.add_metric([str(status)], count)
    yield reads
    took = HistogramMetricFamily(
        _NAME + "http_request_duration_seconds",
        "Answers by the template of their route.",
        labels=["route", "method", "status"],
    )
    for (route, method, status), durations in sorted(tally.answers.copy().items()):
        took.add_metric([route, method, f"{status}xx"], _added_up(durations), durations.seconds)
    yield took


def _added_up(durations: Durations) -> list[tuple[str, float]]:
    bounds = (*map(str, BOUNDS), "+Inf")
    return list(zip(bounds, accumulate(durations.counts), strict=True))
