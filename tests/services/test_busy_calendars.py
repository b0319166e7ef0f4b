"""A teacher's own calendar: who may set it, what a reading keeps, and that nothing tells of it."""

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa

from scheduler.delivery import fetching
from scheduler.delivery.network import Network
from scheduler.domain.busy import BusyChoices, Counts
from scheduler.errors import Conflict, Invalid, NotFound
from scheduler.matching import problem
from scheduler.services import busy, exports
from scheduler.services.busy import Fetch
from scheduler.services.context import Context
from scheduler.store import tables
from tests.calendars.wire import SECRET, Wire, event, ics
from tests.delivery import peer

ADDRESS = f"https://calendar.example/ical/{SECRET}/basic.ics"
WED_8 = datetime(2023, 10, 4, 1, tzinfo=UTC)  # 08:00 in Hà Nội
HOUR = timedelta(hours=1)
LUNCH = event("lunch", WED_8, WED_8 + HOUR)
TALK = event("talk", WED_8 + 2 * HOUR, WED_8 + 3 * HOUR, "STATUS:TENTATIVE")
OURS = event("lesson-1@chungtay.example", WED_8 + 5 * HOUR, WED_8 + 6 * HOUR)
GONE = event("shown", WED_8 + 7 * HOUR, WED_8 + 8 * HOUR, "TRANSP:TRANSPARENT")


@pytest.fixture
def lan(cast):
    return cast.actors["teacher1"]


@pytest.fixture
def wire():
    return Wire(ics(LUNCH, TALK, OURS, GONE))


def told(ctx: Context, teacher_id: int) -> list[tuple]:
    """The stored times of a teacher: start, end, soft, from a calendar."""
    row = tables.busy_times.c
    query = sa.select(row.starts_at, row.ends_at, row.soft, row.from_calendar)
    with ctx.reading() as db:
        rows = db.execute(query.where(row.teacher_id == teacher_id).order_by(row.starts_at))
        return [tuple(each) for each in rows]


def enter(ctx: Context, teacher_id: int) -> tuple:
    """A busy time that came another way, one hour from WED_8 + 20 hours."""
    start = WED_8 + 20 * HOUR
    values = {"teacher_id": teacher_id, "starts_at": start, "ends_at": start + HOUR}
    with ctx.transaction() as db:
        db.execute(tables.busy_times.insert().values(**values))
    return (start, start + HOUR, False, False)


def connect(ctx: Context, actor, wire: Fetch, choices: BusyChoices | None = None) -> None:
    busy.set_source(ctx, actor, ADDRESS, choices or BusyChoices())
    busy.read_now(ctx, actor, wire)


def stored(ctx: Context) -> str:
    """Every value of every table."""
    with ctx.reading() as db:
        return "\n".join(
            repr(tuple(row))
            for table in tables.metadata.sorted_tables
            for row in db.execute(sa.select(table))
        )


def test_a_calendar_is_read_and_its_teacher_sees_what_was_understood(ctx, cast, lan, wire):
    connect(ctx, lan, wire)
    assert told(ctx, cast["teacher1"]) == [
        (WED_8, WED_8 + HOUR, False, True),
        (WED_8 + 2 * HOUR, WED_8 + 3 * HOUR, True, True),
    ]
    desk = busy.desk(ctx, lan)
    assert (desk.host, desk.old, desk.zone) == ("calendar.example", False, "Asia/Ho_Chi_Minh")
    assert desk.source.counts == Counts(events=4, free=1, all_day_left_out=0, ours=1)
    assert (desk.source.fault, desk.source.last_good_at) == (None, ctx.now())
    [day] = desk.days
    assert [(f"{p.start:%d %H:%M}", f"{p.end:%H:%M}", p.soft) for p in day.parts] == [
        ("04 08:00", "09:00", False),
        ("04 10:00", "11:00", True),
    ]


def test_the_instance_of_the_engine_holds_hard_times_only(ctx, cast, lan):
    second = event("short", WED_8 + 4 * HOUR, WED_8 + 4 * HOUR + timedelta(seconds=20))
    connect(ctx, lan, Wire(ics(LUNCH, TALK, second)))
    told_to_engine = exports.export_instance(ctx)
    times = {each["id"]: each.get("busy", []) for each in told_to_engine["teachers"]}
    assert times == {
        "teacher1@x.example": [
            {"date": "2023-10-04", "start": "08:00", "end": "09:00"},
            {"date": "2023-10-04", "start": "12:00", "end": "12:01"},
        ],
        "teacher2@x.example": [],
    }
    assert len(problem.parse(told_to_engine).teachers[0].busy) == 2


def test_neither_logs_nor_database_tell_the_address(ctx, lan, wire, clock, caplog):
    caplog.set_level(logging.DEBUG)
    connect(ctx, lan, wire)
    for trouble in (ValueError(f"no route to {ADDRESS}"), Invalid("Nobody answers there.")):
        clock.forward(days=2)
        wire.next = trouble
        assert busy.refresh_due(ctx, fetch=wire) == 1
    with pytest.raises(Invalid) as caught:
        busy.set_source(ctx, lan, ADDRESS.replace("https", "http"), BusyChoices())
    clock.forward(days=2)
    busy.read_now(ctx, lan, wire)
    assert wire.asked == [ADDRESS] * 4
    everything = stored(ctx) + caplog.text + repr([vars(r) for r in caplog.records])
    everything += repr(caught.value.fields)
    assert "'gAAAA" in everything  # the sealed address is among what was looked through
    assert "a calendar cannot be read" in caplog.text
    assert SECRET not in everything
    assert "calendar.example" not in everything
    busy.remove_source(ctx, lan)
    with ctx.reading() as db:
        trail = db.execute(
            sa.select(tables.audits.c.action, tables.audits.c.person_id, tables.audits.c.after)
        ).all()
    assert [tuple(row) for row in trail] == [
        ("set_busy", lan.person_id, {"all_day": False, "shown_free": False}),
        ("remove_busy", lan.person_id, None),
    ]


def test_a_failed_reading_keeps_the_last_copy_and_comes_again_later(ctx, cast, lan, wire, clock):
    connect(ctx, lan, wire)
    before, good = told(ctx, cast["teacher1"]), ctx.now()
    waits = []
    for _ in range(7):
        clock.at = busy.desk(ctx, lan).source.next_try_at
        wire.next = Invalid("Nobody answers there.")
        assert busy.refresh_due(ctx, fetch=wire) == 1
        assert busy.refresh_due(ctx, fetch=wire) == 0
        waits.append((busy.desk(ctx, lan).source.next_try_at - clock.at) / HOUR)
    source = busy.desk(ctx, lan).source
    assert told(ctx, cast["teacher1"]) == before
    assert (str(source.fault), source.failures) == ("Nobody answers there.", 7)
    assert (source.last_good_at, source.last_try_at) == (good, clock.at)
    wished = (2, 4, 8, 16, 24, 24, 24)
    assert [abs(w - e) <= e / 10 for w, e in zip(waits, wished, strict=True)] == [True] * 7
    assert busy.desk(ctx, lan).old is True
    clock.at = source.next_try_at
    busy.refresh_due(ctx, fetch=wire)
    source = busy.desk(ctx, lan).source
    assert (source.fault, source.failures, source.last_good_at) == (None, 0, clock.at)


def test_what_is_no_calendar_keeps_the_last_copy(ctx, cast, lan, wire, clock):
    connect(ctx, lan, wire)
    before = told(ctx, cast["teacher1"])
    for body in (b"", b"<html>Sign in</html>", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND"):
        clock.forward(hours=5)
        wire.body = body
        busy.refresh_due(ctx, fetch=wire)
        assert busy.desk(ctx, lan).source.fault is not None
    assert told(ctx, cast["teacher1"]) == before


def test_an_emptied_calendar_frees_nobody_until_its_teacher_asks(ctx, cast, lan, wire, clock):
    connect(ctx, lan, wire)
    wire.body = ics()
    clock.forward(hours=2)
    busy.refresh_due(ctx, fetch=wire)
    assert len(told(ctx, cast["teacher1"])) == 2
    assert "came back empty" in str(busy.desk(ctx, lan).source.fault)
    clock.forward(minutes=2)
    busy.read_now(ctx, lan, wire)
    assert told(ctx, cast["teacher1"]) == []
    assert busy.desk(ctx, lan).source.fault is None


def test_an_unchanged_calendar_is_young_again(ctx, cast, lan, clock):
    later = WED_8 + timedelta(days=14)
    hidden = event("hidden", later + HOUR, later + 2 * HOUR, "TRANSP:TRANSPARENT")
    wire = Wire(ics(event("later", later, later + HOUR / 2), hidden))
    connect(ctx, lan, wire)
    before = told(ctx, cast["teacher1"])
    clock.forward(hours=2)
    busy.refresh_due(ctx, fetch=wire)
    assert wire.etags == [None, wire.etag]
    assert told(ctx, cast["teacher1"]) == before
    assert busy.desk(ctx, lan).source.last_good_at == clock.at
    clock.forward(days=7)
    busy.refresh_due(ctx, fetch=wire)
    assert wire.etags[2:] == [None]  # what lies a year ahead was never looked at
    busy.choose(ctx, lan, BusyChoices(shown_free=True))
    busy.read_now(ctx, lan, wire)
    assert wire.etags[3:] == [None]  # the same bytes mean something else now
    assert len(told(ctx, cast["teacher1"])) == 2


def test_an_answer_without_content_to_whoever_has_nothing_is_a_fault(ctx, lan, wire):
    wire.next = wire.unchanged
    connect(ctx, lan, wire)
    source = busy.desk(ctx, lan).source
    assert (source.last_good_at, source.failures) == (None, 1)


def test_removing_frees_at_once_even_during_a_reading(ctx, cast, lan, wire):
    other = enter(ctx, cast["teacher1"])
    connect(ctx, lan, wire)
    assert len(told(ctx, cast["teacher1"])) == 3
    busy.remove_source(ctx, lan)
    assert told(ctx, cast["teacher1"]) == [other]
    desk = busy.desk(ctx, lan)
    assert (desk.source, desk.host) == (None, "")
    busy.set_source(ctx, lan, ADDRESS, BusyChoices())
    wire.meanwhile = lambda: busy.remove_source(ctx, lan)
    busy.read_now(ctx, lan, wire)
    assert told(ctx, cast["teacher1"]) == [other]
    for act in (busy.remove_source, busy.read_now):
        with pytest.raises(NotFound):
            act(ctx, lan)


def test_a_new_address_frees_nobody_before_it_was_read(ctx, cast, lan, wire):
    other = enter(ctx, cast["teacher1"])
    connect(ctx, lan, wire)
    wire.next = Invalid("Nobody answers there.")
    connect(ctx, lan, wire)
    assert len(told(ctx, cast["teacher1"])) == 3
    wire.body = ics(OURS)
    connect(ctx, lan, wire)
    assert told(ctx, cast["teacher1"]) == [other]


@pytest.mark.parametrize("who", ["schoolA", "coordinator", "stranger"])
def test_nobody_else_has_such_a_calendar(ctx, cast, who):
    actor = cast.actors[who]
    for act in (
        lambda: busy.desk(ctx, actor),
        lambda: busy.set_source(ctx, actor, ADDRESS, BusyChoices()),
        lambda: busy.choose(ctx, actor, BusyChoices()),
        lambda: busy.remove_source(ctx, actor),
        lambda: busy.read_now(ctx, actor),
    ):
        with pytest.raises(NotFound):
            act()


def test_another_teacher_sees_and_ends_nothing(ctx, cast, lan, wire):
    connect(ctx, lan, wire)
    hoa = cast.actors["teacher2"]
    desk = busy.desk(ctx, hoa)
    assert (desk.source, desk.host, desk.days) == (None, "", ())
    with pytest.raises(NotFound):
        busy.remove_source(ctx, hoa)
    with pytest.raises(NotFound):
        busy.read_now(ctx, hoa, wire)
    with pytest.raises(Invalid):
        busy.choose(ctx, hoa, BusyChoices())
    assert len(told(ctx, cast["teacher1"])) == 2


def test_a_teacher_reads_once_a_minute(ctx, lan, wire, clock):
    connect(ctx, lan, wire)
    clock.forward(seconds=59)
    with pytest.raises(Conflict):
        busy.read_now(ctx, lan, wire)
    clock.forward(seconds=1)
    busy.read_now(ctx, lan, wire)
    assert len(wire.asked) == 2


def test_hosts_of_the_house_are_open_as_the_operator_named_them(ctx, lan, wire):
    connect(ctx, lan, wire)
    assert wire.inside == frozenset()
    named = ctx.settings.model_copy(update={"internal_hosts": "Mail.school.internal, calendar,"})
    connect(replace(ctx, settings=named), lan, wire)
    assert wire.inside == {"mail.school.internal", "calendar"}


def test_an_address_sealed_with_a_lost_key_is_asked_for_again(ctx, cast, lan, wire, clock):
    connect(ctx, lan, wire)
    clock.forward(hours=2)
    renewed = replace(ctx, key=b"another key, also of thirty-two bytes")
    assert busy.refresh_due(renewed, fetch=wire) == 1
    desk = busy.desk(renewed, lan)
    assert (desk.host, str(desk.source.fault)) == (
        "", "The address can no longer be opened here. Enter it once more.",
    )  # fmt: skip
    assert len(told(ctx, cast["teacher1"])) == 2


def test_a_calendar_is_read_over_the_wire(ctx, cast, lan, tmp_path, clock):
    """The real reader and the real parser, from a server of this machine."""
    shown, trusting = peer.certificate(tmp_path, "calendar.example")
    path = ADDRESS.removeprefix("https://calendar.example")
    paths = {path: peer.answer(ics(LUNCH, OURS), ETag='"one"')}
    with peer.running(paths, secured=shown) as server:
        ours = Network(
            allow=lambda address: str(address) == "127.0.0.1",
            ports={"https": server.port},
            resolve=lambda host: ("127.0.0.1",),
            authorities=lambda: trusting,
        )
        fetch = partial(fetching.fetch, network=ours)
        connect(ctx, lan, fetch)
        clock.forward(hours=2)
        paths[path] = peer.answer(status="304 Not Modified")
        busy.refresh_due(ctx, fetch=fetch)
    assert [request.headers.get("If-None-Match") for request in server.requests] == [None, '"one"']
    assert told(ctx, cast["teacher1"]) == [(WED_8, WED_8 + HOUR, False, True)]
    source = busy.desk(ctx, lan).source
    assert source.counts == Counts(events=2, ours=1)
    assert (source.fault, source.last_good_at) == (None, clock.at)
    clock.forward(hours=2)
    busy.refresh_due(ctx, fetch=fetch)  # nobody is there any more
    assert busy.desk(ctx, lan).source.failures == 1
