"""A hostile calendar is refused with a sentence, in time, and without much memory.

`BUSY_FIGURES=1 pytest -rP` prints what each took.
"""

import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scheduler.domain.busy import BusyChoices, BusyReading
from scheduler.domain.intervals import Interval
from scheduler.exchange import busy
from scheduler.exchange.busy import Unreadable
from tests.exchange import calendars
from tests.exchange.calendars import calendar, crlf, event

REACH = Interval(datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
# Where a slow machine may run out of time before it has counted, either sentence is right.
BEYOND = ("The calendar is too large or too tangled to be read.",)
IN_VAIN = (*BEYOND, "")  # nothing comes of it: a fast machine may see that in time
BROKEN = ("The calendar breaks off or is put together wrongly.",)
OFTEN = ("An event of the calendar repeats every hour or more often.",)
ONE_TOO_OFTEN = ("An event of the calendar happens more than 1000 times.",)
TOO_MANY = ("The calendar holds more than 10000 events.",)


def start_of_day(rule: str, length: str = "PT1H") -> bytes:
    return calendar(event("UID:a", "DTSTART:20200101T000000Z", f"DURATION:{length}", rule))


def many(number: int, *lines: str) -> bytes:
    return calendar(*(event(f"UID:{n}", *lines) for n in range(number)))


HOSTILE: dict[str, tuple[Callable[[], bytes], tuple[str, ...]]] = {
    "hourly": (lambda: start_of_day("RRULE:FREQ=HOURLY"), OFTEN),
    "minutely": (lambda: start_of_day("RRULE:FREQ=MINUTELY"), OFTEN),
    "secondly": (lambda: start_of_day("RRULE:FREQ=SECONDLY;COUNT=2"), OFTEN),
    "a thousand million seconds": (
        lambda: start_of_day("RRULE:FREQ=SECONDLY;COUNT=1000000000"),
        OFTEN,
    ),
    "every minute by parts": (
        lambda: start_of_day(
            "RRULE:FREQ=YEARLY;BYYEARDAY=1;BYHOUR="
            + ",".join(map(str, range(24)))
            + ";BYMINUTE=1,2"
        ),
        OFTEN,
    ),
    "overlapping itself": (lambda: start_of_day("RRULE:FREQ=DAILY", "P3000D"), ONE_TOO_OFTEN),
    "never": (lambda: start_of_day("RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"), IN_VAIN),
    "hundred times never": (
        lambda: many(100, "DTSTART:20200101T000000Z", "RRULE:FREQ=WEEKLY;BYMONTH=2;BYMONTHDAY=30"),
        IN_VAIN,
    ),
    "set positions": (
        lambda: many(
            3000,
            "DTSTART:19700101T000000Z",
            "DURATION:PT1H",
            "RRULE:FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=1,2,3;BYMINUTE=1,2;BYSETPOS=-1,9",
        ),
        IN_VAIN,
    ),
    "ten thousand and one": (
        lambda: many(10_001, "DTSTART:20260907T000000Z", "DURATION:PT1H"),
        TOO_MANY,
    ),
    "a hundred thousand events": (
        lambda: many(100_000, "DTSTART:20260907T000000Z", "DURATION:PT1H"),
        TOO_MANY + BEYOND,
    ),
    "a hundred thousand series": (
        lambda: many(100_000, "DTSTART:20200907T000000Z", "RRULE:FREQ=YEARLY"),
        IN_VAIN,
    ),
    "a million properties": (lambda: calendar(event(*["UID:a"] * 1_000_000)), IN_VAIN),
    "deep": (lambda: calendar("BEGIN:VEVENT\n" * 300_000), BROKEN),
    "deep and closed": (
        lambda: calendar("BEGIN:X\n" * 100_000 + "END:X\n" * 99_999 + "END:X"),
        BROKEN,
    ),
    "twenty thousand deep": (lambda: calendar("BEGIN:VEVENT\n" * 20_000), BROKEN),
    "three thousand deep and closed": (
        lambda: calendar("BEGIN:X\n" * 3000 + "END:X\n" * 2999 + "END:X"),
        BROKEN,
    ),
    "cut off": (lambda: crlf(calendars.GOOGLE)[:-30], BROKEN),
    "crossed": (lambda: calendar("BEGIN:VEVENT", "BEGIN:VALARM", "END:VEVENT"), BROKEN),
    "zone bomb": (
        lambda: calendar(
            "BEGIN:VTIMEZONE\n" * 200_000,
            event("DTSTART;TZID=X:20260907T000000"),
        ),
        BROKEN,
    ),
}


def one(*lines: str) -> bytes:
    return calendar(event("DTSTART:20260907T000000Z", "DURATION:PT1H", *lines))


# What looks hostile and is read all the same, for nothing comes of it but busy times: how many,
# and of how many events nothing could be made.
ODD: dict[str, tuple[Callable[[], bytes], tuple[int, int]]] = {
    "no UID": (one, (1, 0)),
    "line of 5 MB": (lambda: one("SUMMARY:" + "x" * 4_900_000), (1, 0)),
    "line of 5 MB in a million pieces": (lambda: one("SUMMARY:" + "x\r\n " * 980_000), (1, 0)),
    "year 0000": (lambda: calendar(event("DTSTART:00000101T000000Z", "DURATION:PT1H")), (0, 1)),
    "day in the year 0000": (lambda: calendar(event("DTSTART;VALUE=DATE:00000101")), (0, 1)),
    "until the year 0000": (lambda: one("RRULE:FREQ=DAILY;UNTIL=00000101T000000Z"), (0, 1)),
    "every 0 days": (lambda: one("RRULE:FREQ=DAILY;INTERVAL=0"), (85, 0)),
    "0 times": (lambda: one("RRULE:FREQ=DAILY;COUNT=0"), (1, 0)),
    "a thousand million days": (lambda: one("RRULE:FREQ=DAILY;COUNT=1000000000"), (85, 0)),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_calendar_is_read_in_time(name: str) -> None:
    build, expected = ODD[name]
    began = time.monotonic()
    found = read(build())
    assert (len(found.times), found.unclear) == expected
    assert time.monotonic() - began < 9


def read(body: bytes) -> BusyReading:
    return busy.read(
        body,
        zone="Asia/Ho_Chi_Minh",
        reach=REACH,
        choices=BusyChoices(),
        own_domain="chungtay.example",
    )


@contextmanager
def watching_children(seen: list[int]) -> Iterator[None]:
    """Notes the most memory, in kB, that any process below this one is seen to have used."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            tasks = Path("/proc/self/task").glob("*/children")
            for pid in " ".join(map(_words, tasks)).split():
                # Before it has become another program, a child has the memory of this one.
                if "busy_child" in _words(Path(f"/proc/{pid}/cmdline")):
                    status = _words(Path(f"/proc/{pid}/status"))
                    seen.extend(map(int, re.findall(r"VmHWM:\s*(\d+)", status)))

    watch = threading.Thread(target=look)
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.join()


def _words(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it ended meanwhile
        return ""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_calendar_is_refused_in_time_and_within_memory(name: str) -> None:
    build, sentences = HOSTILE[name]
    body, seen, sentence = build(), [0], ""
    began = time.monotonic()
    with watching_children(seen):
        try:
            read(body)
        except Unreadable as refused:
            sentence = str(refused)
    took = time.monotonic() - began
    if "BUSY_FIGURES" in os.environ:
        print(f"{name}: {len(body) / 1e6:.1f} MB, {took:.1f} s, {max(seen) / 1024:.0f} MB")
    assert sentence in sentences
    assert took < 10
    assert 0 < max(seen) < 200 * 1024
