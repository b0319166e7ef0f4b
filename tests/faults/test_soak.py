"""A week-day of 24 hours in 24 minutes on SQLite: nothing grows, nothing is late, nothing is lost.

The programme's clock runs 60 times as fast; `serve` is a process of its own with its loop, and
what it holds is looked at every ten seconds: `pytest -m soak tests/faults/test_soak.py`.
CHUNGTAY_SOAK_HOURS plays fewer hours.
"""

import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import linear_regression

import pytest

from scheduler import config
from scheduler.clock import FastClock, ShiftedClock, SystemClock
from scheduler.services import demo, outbox, sending
from scheduler.services.context import Context
from scheduler.store.database import Database
from tests.conftest import KEY
from tests.delivery.sink import listening
from tests.faults.kit import Post, arrived, process, rows, states, until
from tests.faults.traffic import PROMISED, Ledger, Traffic, invite, p99

SPEED = 60
HOURS = float(os.environ.get("CHUNGTAY_SOAK_HOURS", "24"))
BEGINS = datetime.fromisoformat("2023-10-02T00:00:00+07:00")  # the Monday of the first lessons
BEAT = 0.25  # seconds of the machine: a quarter of a programme's minute
LOOK_EVERY = 10.0
# A second of the machine; a day's are some 3,000 pages and 6,000 calendars.
RATES = {"page_rate": 2.0, "read_rate": 4.0, "change_rate": 0.2}
# Until then the caches of calendars and statements fill.
WARM = 0.5  # of the time
BEGUN = timedelta(hours=1)  # the first beat plans the week's digests, all of them due at once
MB = 1024 * 1024
MOST_GROWTH = 0.5 * MB  # a programme's hour, after the warm-up: less than a 500th of what it holds
MOST_FILES = 8  # more or fewer open files than at the end of the warm-up
MOST_WAL = 64 * MB  # RELIABILITY.md §4
MOST_LATE = 60.0  # seconds of the programme's clock: one of the machine's


@dataclass(frozen=True)
class Look:
    """What the process held, in octets, so many hours of the programme's clock from its start."""

    hours: float
    resident: int
    files: int
    threads: int
    database: int
    wal: int


def look(pid: int, path: Path, hours: float) -> Look:
    status = Path(f"/proc/{pid}/status").read_text()
    told = dict(line.split(":", 1) for line in status.splitlines())
    return Look(
        hours=hours,
        resident=int(told["VmRSS"].split()[0]) * 1024,
        files=len(list(Path(f"/proc/{pid}/fd").iterdir())),
        threads=int(told["Threads"]),
        database=path.stat().st_size,
        wal=_size(path.with_name(f"{path.name}-wal")),
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def slope(looks: Sequence[Look]) -> float:
    """Octets by which the process grows in a programme's hour."""
    return linear_regression([x.hours for x in looks], [x.resident for x in looks]).slope


@pytest.fixture
def house(tmp_path):
    """The example programme on its first morning, all that is due at once sent."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = config.load(
        _env_file=None,
        var_dir=tmp_path / "var",
        secret_key=KEY.decode(),
        base_url=f"http://127.0.0.1:{port}",
        second_factor=False,
    )
    database = Database(settings.database)
    evening = ShiftedClock.starting_at(BEGINS - timedelta(hours=2))
    demo.build(Context(settings, database, evening, KEY), seconds=5.0)
    still = Context(settings, database, ShiftedClock.starting_at(BEGINS), KEY)
    people, post = invite(still), Post()
    while sending.send_due(still, post).claimed:
        pass
    yield still, people, port
    database.close()


@pytest.mark.soak
@pytest.mark.fault(38)
def test_a_day_at_sixty_times_its_speed_leaves_nothing_behind(house, capsys):
    still, people, port = house
    since, path = SystemClock().now(), still.database.path
    ctx = Context(still.settings, still.database, FastClock(BEGINS, since, SPEED), KEY)
    served = {
        "smtp_url": "",
        "clock": BEGINS.isoformat(),
        "clock_since": since.isoformat(),
        "clock_speed": SPEED,
        "tick_seconds": BEAT,
        "second_factor": "false",
        "log_format": "json",
    }
    ledger, looks = Ledger(), list[Look]()
    with listening() as sink:
        served["smtp_url"] = sink.url
        command = ("-m", "scheduler", "serve", "--port", str(port))
        with process(ctx, *command, **served) as serve:
            until(lambda: _listens(port), 180)
            with Traffic(ctx, people, ledger, [("127.0.0.1", port)], **RATES).flowing():
                while (gone := ctx.now() - BEGINS) < timedelta(hours=HOURS):
                    looks.append(look(serve.pid, path, gone / timedelta(hours=1)))
                    if len(looks) % 6 == 1:
                        _tell(capsys, looks[-1])
                    time.sleep(LOOK_EVERY)
                    assert serve.poll() is None
            until(lambda: not outbox.show(ctx).queue, 30)
        copies = arrived(sink)
    report = _report(ctx, ledger, looks, copies)
    with capsys.disabled():
        print("\n" + "\n".join(f"  {name:34} {value}" for name, value in report.items()))
    _judge(ctx, ledger, looks, copies)


def _tell(capsys: pytest.CaptureFixture[str], seen: Look) -> None:
    with capsys.disabled():
        print(f"\n  {seen}", end="", flush=True)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _warm(looks: Sequence[Look]) -> list[Look]:
    return [each for each in looks if each.hours >= HOURS * WARM]


def _lateness(ctx: Context, began: datetime) -> list[float]:
    """Seconds of the programme's clock from when each message could go to its mark, of those that
    could since then."""
    found = rows(ctx, "sent_at", "due_at", "created_at")
    could = [(sent, max(due, made)) for sent, due, made in found if sent]
    return [(sent - since).total_seconds() for sent, since in could if since > began]


def _report(ctx, ledger, looks, copies) -> dict[str, str]:
    warm, late = _warm(looks), _lateness(ctx, BEGINS + BEGUN)
    shown = outbox.show(ctx)
    first, last = warm[0], warm[-1]
    pages = [each.seconds for each in ledger.of("page")]
    reads = [each.seconds for each in ledger.of("feed")]
    return {
        "hours of the programme": f"{looks[-1].hours:.1f}",
        "asked, by status": f"{dict(sorted(ledger.statuses().items()))}",
        "pages, p99": f"{p99(pages) * 1000:.0f} ms of {len(pages)}",
        "calendars, p99": f"{p99(reads) * 1000:.0f} ms of {len(reads)}",
        "changes confirmed": f"{ledger.changes}",
        "oldest calendar": f"{max((x.age for x in ledger.late), default=0.0):.2f} s",
        "messages arrived, copies": f"{len(copies)}, {sum(copies.values())}",
        "by state": f"{ {k: v for k, v in shown.by_state.items() if v} }",
        "lateness, median, p99, most": f"{sorted(late)[len(late) // 2]:.1f}, {p99(late):.1f}, "
        f"{max(late):.1f} s of the programme's clock, of {len(late)}",
        "memory, first, last": f"{first.resident / MB:.1f}, {last.resident / MB:.1f} MB",
        "memory grows": f"{slope(warm) / 1024:.0f} kB an hour of the programme",
        "open files": f"{min(x.files for x in warm)} to {max(x.files for x in warm)}",
        "threads": f"{min(x.threads for x in warm)} to {max(x.threads for x in warm)}",
        "database, first, last": f"{first.database / MB:.1f}, {last.database / MB:.1f} MB",
        "write-ahead log, most": f"{max(x.wal for x in looks) / MB:.1f} MB",
    }  # fmt: skip


def _judge(ctx, ledger, looks, copies) -> None:
    warm = _warm(looks)
    assert slope(warm) < MOST_GROWTH
    assert max(x.files for x in warm) - min(x.files for x in warm) <= MOST_FILES
    assert max(x.threads for x in warm) - min(x.threads for x in warm) <= MOST_FILES
    assert max(x.wal for x in looks) < MOST_WAL
    assert p99(_lateness(ctx, BEGINS + BEGUN)) < MOST_LATE
    assert set(ledger.statuses()) <= {200, 304, 409, 422}
    assert ledger.oldest(waited=False) <= PROMISED
    assert not {"failed", "expired", "unknown"} & states(ctx).keys()  # which looks at the law, too
    assert set(copies.values()) == {1}
    found = rows(ctx, "message_id", "sent_at")
    assert copies.keys() >= {name for name, sent in found if sent and sent > BEGINS + BEGUN}
