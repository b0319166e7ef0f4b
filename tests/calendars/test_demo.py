"""Every feed of the demo, read by strangers, against the database's own list."""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
import sqlalchemy as sa

from scheduler.clock import ShiftedClock
from scheduler.config import load
from scheduler.domain.calendars import MOST_ENTRIES
from scheduler.services import demo
from scheduler.services.context import Context
from scheduler.store.database import Database
from tests.conftest import KEY
from tests.effort import some

from .readers import Seen, by_icalendar

read = cache(by_icalendar)

THIS_WEEK = datetime(2023, 10, 2, tzinfo=UTC)
OWNERS = {
    "teacher": "l.teacher_id",
    "class": "l.class_id",
    "school": "c.school_id",
    "donor_school": "t.donor_school_id",
    "programme": "t.programme_id",
}
Known = dict[str, tuple[datetime, datetime]]


@pytest.fixture(scope="module")
def ctx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    folder = tmp_path_factory.mktemp("demo")
    settings = load(_env_file=None, var_dir=folder, demo=True)
    database = Database(settings.database)
    built = Context(settings, database, ShiftedClock.starting_at(demo.STARTS), KEY)
    demo.build(built, seconds=1.0)
    yield built
    database.close()


@pytest.fixture(scope="module")
def feeds(ctx: Context) -> list[tuple[str, int, bytes]]:
    """Kind, owner and plain body of each stored feed."""
    with ctx.reading() as db:
        rows = db.execute(
            sa.text(
                "SELECT kind, owner_id, body FROM feeds JOIN feed_bodies ON feed_id = feeds.id "
                "ORDER BY length(body), feeds.id"
            )
        ).all()
    return [(row.kind, row.owner_id, gzip.decompress(row.body)) for row in rows]


def in_database(ctx: Context, kind: str, owner: int) -> Known:
    """UID to times of the lessons that concern the owner, straight from the tables."""
    query = sa.text(
        "SELECT l.uid, l.starts_at, l.ends_at FROM lessons l JOIN classes c ON c.id = l.class_id "
        f"JOIN teachers t ON t.id = l.teacher_id WHERE {OWNERS[kind]} = :owner"
    )
    with ctx.reading() as db:
        rows = db.execute(query, {"owner": owner}).all()
    utc = [(r.uid, *(datetime.fromisoformat(x).replace(tzinfo=UTC) for x in r[1:])) for r in rows]
    return {f"lesson-{uid}@chungtay.example": (start, end) for uid, start, end in utc}


def test_there_is_a_feed_for_everybody(feeds):
    kinds = [kind for kind, _, _ in feeds]
    assert {kind: kinds.count(kind) for kind in OWNERS} == {
        "teacher": 203,
        "class": 168,
        "school": 17,
        "donor_school": 122,
        "programme": 1,
    }


def test_every_feed_of_the_demo_is_read_alike_and_as_the_database_has_it(ctx, feeds, readers):
    # Another program on icalendar's parser, and slow: it reads the small programme.
    chosen = [*some(feeds[:-1]), feeds[-1]]  # the last is the programme's, the longest
    said = readers.but("recurring-ical-events").agreed([body for _, _, body in chosen])
    for (kind, owner, _), events in zip(chosen, said, strict=True):
        seen = {event.uid: (event.start, event.end) for event in events}
        known = in_database(ctx, kind, owner)
        if len(known) <= MOST_ENTRIES:
            assert seen == known, (kind, owner)
        else:
            assert_whole_weeks_from_now_on(seen, known)


def assert_whole_weeks_from_now_on(seen: Known, known: Known) -> None:
    """A feed that would be too long holds whole weeks, this one first, as many as fit."""
    last = max(start for start, _ in seen.values())
    after = THIS_WEEK + timedelta(days=7 * ((last - THIS_WEEK).days // 7 + 1))
    assert seen == {u: x for u, x in known.items() if THIS_WEEK <= x[0] < after}
    following = [x for x in known.values() if after <= x[0] < after + timedelta(days=7)]
    assert len(seen) <= MOST_ENTRIES < len(seen) + len(following)


def test_no_feed_of_the_demo_is_too_big_for_any_client(feeds):
    assert max(len(body) for _, _, body in feeds) < 900_000
    assert max(len(read(body)) for body in _longest(feeds)) <= MOST_ENTRIES


def test_an_event_reads_the_same_to_the_lock_screen_in_each_feed(feeds):
    titles: dict[str, set[str]] = {}
    for body in {*_longest(feeds), *(body for _, _, body in some(feeds))}:
        for event in read(body):
            titles.setdefault(event.uid, set()).add(_facts(event))
    assert all(len(found) == 1 for found in titles.values())


def _longest(feeds: list[tuple[str, int, bytes]]) -> list[bytes]:
    return sorted((body for _, _, body in feeds), key=len)[-10:]


def _facts(event: Seen) -> str:
    return f"{event.summary} {event.sequence} {event.changed} {event.location}"
