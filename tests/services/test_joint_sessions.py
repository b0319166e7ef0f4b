"""What follows from a joint session: calendars, news and reminders of exactly those concerned."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO

import icalendar
import pytest
from openpyxl import load_workbook

from scheduler.delivery import papers
from scheduler.domain.access import Grant, Role
from scheduler.domain.calendars import FeedKind
from scheduler.domain.choices import Choices
from scheduler.domain.intervals import Interval
from scheduler.domain.joint_sessions import Answer, Wish
from scheduler.domain.partnerships import Binding, Terms
from scheduler.domain.records import NOTHING, Meetings
from scheduler.errors import ChungTayError, Stale
from scheduler.services import (
    feeds,
    joint_attendance,
    paperwork,
    partnerships,
    people,
    records,
    reminders,
    sending,
    statements,
)
from scheduler.services import joint_sessions as use_cases
from scheduler.services.feeds import FeedKey
from scheduler.store import accounts, availability, busy, choices, switches, tables
from scheduler.store import feeds as feed_rows
from tests.faults.kit import Post, book, rows, states

STARTS = datetime(2023, 10, 5, 7, 0, tzinfo=UTC)  # Thursday, 14:00 in Hà Nội
HOUR = timedelta(hours=1)
PAIR = Terms("Long Biên", "THCS A", 4, 2, Binding.NONE)


@pytest.fixture(autouse=True)
def law(ctx):
    yield
    states(ctx)


@pytest.fixture
def pair(ctx, cast):
    return partnerships.add(ctx, cast.actors["coordinator"], PAIR)


@pytest.fixture
def wish(cast):
    people = frozenset(cast[f"person_{name}"] for name in ("teacher1", "teacher2", "schoolA"))
    return Wish("Ngữ âm", STARTS, STARTS + HOUR, None, people)


@pytest.fixture
def planned(ctx, cast, pair, wish):
    return use_cases.plan(ctx, cast.actors["coordinator"], pair, wish)


def change(ctx, cast, number, wish):
    seen = use_cases.look(ctx, cast.actors["coordinator"], number).marker
    return use_cases.change(ctx, cast.actors["coordinator"], number, wish, seen)


def call_off(ctx, cast, number):
    seen = use_cases.look(ctx, cast.actors["coordinator"], number).marker
    use_cases.call_off(ctx, cast.actors["coordinator"], number, "Mất điện", seen)


# -- calendars


def feed(ctx, kind, owner, **how):
    """The events of a feed as it stands once rendered, and its bytes."""
    with ctx.transaction() as db:
        number = feed_rows.ensure(db, FeedKey(kind, owner, "vi", **how))
    while feeds.render_dirty(ctx):
        pass
    with ctx.reading() as db:
        row = tables.feed_bodies
        packed = db.scalar(
            row.select().with_only_columns(row.c.body).where(row.c.feed_id == number)
        )
    body = feeds.gzip.decompress(packed)
    return icalendar.Calendar.from_ical(body).walk("VEVENT"), body


def of(ctx, cast, who="teacher1", **how):
    kinds = {"A": FeedKind.SCHOOL, "B": FeedKind.SCHOOL, "programme": FeedKind.PROGRAMME,
             "7A": FeedKind.CLASS}  # fmt: skip
    return feed(ctx, kinds.get(who, FeedKind.TEACHER), cast[who], **how)


@pytest.mark.parametrize("who", ["teacher1", "teacher2", "A", "programme"])
def test_it_is_an_entry_in_the_calendars_of_those_invited(ctx, cast, planned, who):
    (event,), body = of(ctx, cast, who)
    assert str(event["SUMMARY"]) == "Sinh hoạt chuyên môn: Ngữ âm"
    assert event["DTSTART"].dt == STARTS
    assert event["DTEND"].dt == STARTS + HOUR
    assert event["SEQUENCE"] == 0
    assert str(event["LOCATION"]).startswith("https://chungtay.example/j/")
    assert "Buổi gặp của giáo viên Long Biên và THCS A" in str(event["DESCRIPTION"])
    assert str(event["TRANSP"]) == ("OPAQUE" if "teacher" in who else "TRANSPARENT")
    assert of(ctx, cast, who)[1] == body


@pytest.mark.parametrize("who", ["B", "7A"])
def test_it_is_in_no_calendar_of_others(ctx, cast, planned, who):
    assert of(ctx, cast, who)[0] == []


def test_moved_and_called_off_its_entry_keeps_its_uid_and_counts_up(
    ctx, cast, clock, planned, wish
):
    (first,), _ = of(ctx, cast)
    clock.forward(minutes=1)
    change(ctx, cast, planned, replace(wish, starts_at=STARTS + HOUR, ends_at=STARTS + 2 * HOUR))
    (moved,), _ = of(ctx, cast)
    assert moved["UID"] == first["UID"]
    assert moved["DTSTART"].dt == STARTS + HOUR
    assert str(moved["SUMMARY"]).startswith("[ĐÃ DỜI]")
    call_off(ctx, cast, planned)
    (off,), _ = of(ctx, cast)
    assert (off["UID"], str(off["STATUS"])) == (first["UID"], "CANCELLED")
    assert "Lý do: Mất điện" in str(off["DESCRIPTION"])
    events = (first, moved, off)
    assert sorted({x["SEQUENCE"] for x in events}) == [x["SEQUENCE"] for x in events]
    stamps = [x["LAST-MODIFIED"].dt for x in events]
    assert sorted(set(stamps)) == stamps


def test_who_is_let_go_sees_it_cancelled_and_gets_no_link_any_more(ctx, cast, planned, wish):
    of(ctx, cast, "teacher2")
    change(ctx, cast, planned, replace(wish, people=wish.people - {cast["person_teacher2"]}))
    (gone,), body = of(ctx, cast, "teacher2")
    assert str(gone["STATUS"]) == "CANCELLED"
    assert b"/j/" not in body
    assert str(of(ctx, cast)[0][0]["STATUS"]) == "CONFIRMED"


def test_who_leaves_is_expected_nowhere_and_calendars_follow(ctx, cast, planned):
    held = of(ctx, cast, "teacher1")
    seen = people.look_at_switch(ctx, cast.actors["coordinator"], cast["person_teacher1"])
    people.switch_off(ctx, cast.actors["coordinator"], cast["person_teacher1"], seen.fingerprint)
    (gone,), _ = of(ctx, cast, "teacher1")
    assert gone["SEQUENCE"] > held[0][0]["SEQUENCE"]
    assert str(gone["STATUS"]) == "CANCELLED"
    invited = use_cases.look(ctx, cast.actors["coordinator"], planned).invited
    assert {x.person_id for x in invited} == {cast["person_teacher2"], cast["person_schoolA"]}


def test_another_name_of_a_unit_counts_up_in_the_calendars(ctx, cast, pair, planned):
    (before,), _ = of(ctx, cast)
    told = replace(PAIR, receiving_unit="THCS B")
    partnerships.change(ctx, cast.actors["coordinator"], pair, told, PAIR)
    (after,), _ = of(ctx, cast)
    assert "THCS B" in str(after["DESCRIPTION"])
    assert after["SEQUENCE"] > before["SEQUENCE"]


def test_the_zone_of_the_programme_tells_its_time_where_that_was_chosen(ctx, cast, planned):
    (event,), _ = of(ctx, cast, zoned=True)
    assert event["DTSTART"].params["TZID"] == "Asia/Ho_Chi_Minh"
    assert event["DTSTART"].dt.hour == 14


# -- messages


def sent(ctx, clock, **by):
    """Everything that goes out by then; each mail as (reader's address, subject)."""
    clock.forward(**by)
    reminders.plan_ahead(ctx)
    post = Post()
    while sending.send_due(ctx, post).claimed:
        pass
    return sorted(zip(post.recipients, post.subjects, strict=True))


EVERYBODY = ["schoola@x.example", "teacher1@x.example", "teacher2@x.example"]


def test_everybody_is_invited_once(ctx, cast, clock, planned):
    found = sent(ctx, clock, minutes=16)
    assert [who for who, _ in found] == EVERYBODY
    assert found[0][1].startswith("Mời dự sinh hoạt chuyên môn: Thứ Năm 05/10 · 14:00–15:00")
    assert sent(ctx, clock, minutes=16) == []


def test_planned_and_moved_at_once_is_told_as_one_and_called_off_at_once_not_at_all(
    ctx, cast, clock, planned, wish
):
    change(ctx, cast, planned, replace(wish, starts_at=STARTS + HOUR, ends_at=STARTS + 2 * HOUR))
    found = sent(ctx, clock, minutes=16)
    assert [(who, "Mời dự" in what, "15:00–16:00" in what) for who, what in found] == [
        (who, True, True) for who in EVERYBODY
    ]
    pair = use_cases.look(ctx, cast.actors["coordinator"], planned).session.partnership_id
    other = use_cases.plan(ctx, cast.actors["coordinator"], pair, replace(wish, title="Khác"))
    call_off(ctx, cast, other)
    assert sent(ctx, clock, minutes=16) == []


def test_a_move_and_calling_off_are_told_once_to_those_who_were_invited(
    ctx, cast, clock, planned, wish
):
    sent(ctx, clock, minutes=16)
    moved = replace(wish, starts_at=STARTS + HOUR, ends_at=STARTS + 2 * HOUR)
    change(ctx, cast, planned, replace(moved, people=wish.people - {cast["person_teacher2"]}))
    found = dict(sent(ctx, clock, minutes=16))
    assert sorted(found) == EVERYBODY
    assert found["teacher2@x.example"].startswith("Không cần dự")
    assert found["teacher1@x.example"].startswith("Buổi sinh hoạt chuyên môn đổi giờ")
    call_off(ctx, cast, planned)
    found = sent(ctx, clock, minutes=16)
    assert [who for who, _ in found] == EVERYBODY[:2]
    assert all(what.startswith("Huỷ buổi sinh hoạt") for _, what in found)
    assert sent(ctx, clock, days=3) == []  # no reminder of what is off


def test_one_reminder_a_day_and_one_an_hour_before_however_often_it_is_planned(
    ctx, cast, clock, planned, wish
):
    sent(ctx, clock, minutes=16)
    clock.at = STARTS - 23 * HOUR
    assert [who for who, _ in sent(ctx, clock, minutes=1)] == EVERYBODY
    change(ctx, cast, planned, replace(wish, title="Từ vựng"))  # another topic reminds nobody anew
    found = sent(ctx, clock, minutes=16)
    assert all("đổi chủ đề" in what for _, what in found)
    clock.at = STARTS - timedelta(minutes=49)
    assert [who for who, _ in sent(ctx, clock, minutes=1)] == EVERYBODY
    assert sent(ctx, clock, minutes=20) == []
    kinds = sorted(kind for (kind,) in rows(ctx, "kind") if kind in ("joint_day", "joint_hour"))
    assert kinds == ["joint_day"] * 3 + ["joint_hour"] * 3


def test_who_does_not_come_or_wants_no_reminders_gets_none(ctx, cast, clock, planned):
    sent(ctx, clock, minutes=16)
    joint_attendance.answer(ctx, cast.actors["teacher1"], planned, Answer.CANNOT)
    with ctx.transaction() as db:
        reminders.switch(ctx, db, cast["person_schoolA"], wanted=False)
    clock.at = STARTS - 23 * HOUR
    assert [who for who, _ in sent(ctx, clock, minutes=1)] == ["teacher2@x.example"]


# -- two at once


def test_two_coordinators_at_once_change_it_once(ctx, cast, planned, wish):
    coordinator = cast.actors["coordinator"]
    seen = use_cases.look(ctx, coordinator, planned).marker
    outcomes, barrier = [], threading.Barrier(2)

    def move(hours):
        at = STARTS + hours * HOUR
        barrier.wait()
        try:
            told = replace(wish, starts_at=at, ends_at=at + HOUR)
            use_cases.change(ctx, coordinator, planned, told, seen)
            outcomes.append("done")
        except ChungTayError as error:
            outcomes.append(type(error))

    threads = [threading.Thread(target=move, args=[hours]) for hours in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) == sorted(map(str, ["done", Stale]))
    assert use_cases.look(ctx, coordinator, planned).session.sequence == 1


def test_whoever_is_expected_there_is_taken_for_searches_and_for_cover(ctx, cast, planned):
    def taken():
        with ctx.reading() as db:
            hard = availability.busy(db, cast["programme"])
            near = busy.all_times(db, cast["programme"], Interval(STARTS, STARTS + HOUR))
        assert hard.keys() == near.keys()
        return hard

    both = {cast["teacher1"], cast["teacher2"]}
    assert taken() == dict.fromkeys(both, (Interval(STARTS, STARTS + HOUR),))
    joint_attendance.answer(ctx, cast.actors["teacher1"], planned, Answer.CANNOT)
    assert taken().keys() == {cast["teacher2"]}
    call_off(ctx, cast, planned)
    assert taken() == {}


def test_a_contact_of_two_schools_is_invited_once(ctx, cast, pair):
    with ctx.transaction() as db:
        grant = Grant(Role.SCHOOL, cast["programme"], school_id=cast["A"])
        accounts.add_grant(db, cast["person_schoolB"], grant)
        wide = replace(PAIR, receiving_unit="Lục Yên")
    both = partnerships.add(ctx, cast.actors["coordinator"], wide)
    guests = use_cases.planner(ctx, cast.actors["coordinator"], both).guests
    people = [guest.person_id for guest in guests]
    assert len(people) == len(set(people)) == 4


# -- what records count of them


def test_records_count_apart_from_lessons_what_a_coordinator_noted(
    ctx, cast, clock, planned, pair, wish
):
    coordinator = cast.actors["coordinator"]
    later = replace(wish, title="Khác", starts_at=STARTS + 24 * HOUR, ends_at=STARTS + 26 * HOUR)
    other = use_cases.plan(ctx, coordinator, pair, later)
    clock.at = STARTS + 30 * HOUR
    assert records.own(ctx, cast.actors["teacher1"]).meetings == ()  # invited is not there
    note(ctx, cast, planned, "teacher1", "schoolA")
    note(ctx, cast, other, "teacher1", "teacher2")
    units = "Long Biên – THCS A"
    whole = records.of_programme(ctx, coordinator)
    assert whole.meetings == (Meetings(units, 2, 180, 4),)
    assert whole.whole.whole == NOTHING
    mine, hers = (records.own(ctx, cast.actors[who]) for who in ("teacher1", "teacher2"))
    assert (mine.met.sessions, mine.met.minutes, mine.met.came) == (2, 180, 2)
    assert (hers.met.sessions, hers.met.minutes) == (1, 120)
    assert records.own(ctx, cast.actors["teacher1"], STARTS.date(), STARTS.date()).met.minutes == 60
    seen = use_cases.look(ctx, coordinator, other).marker
    joint_attendance.record(ctx, coordinator, other, None, seen)
    assert records.own(ctx, cast.actors["teacher2"]).meetings == ()


def test_papers_and_workbooks_have_a_line_of_them(ctx, cast, clock, planned):
    clock.at = STARTS + 2 * HOUR
    note(ctx, cast, planned, "teacher1", "schoolA")
    whole = records.of_programme(ctx, cast.actors["coordinator"])
    book = load_workbook(BytesIO(statements.workbook(whole)))
    rows = list(book["Sinh hoạt chuyên môn"].values)
    assert [row[1:] for row in rows[1:]] == [(1, 60, 2)] * 2
    assert rows[1][0] == "Long Biên – THCS A"
    page = papers.page("record", paperwork.record(whole))
    assert "<span>Sinh hoạt chuyên môn đã diễn ra</span><b>1 (1 giờ)</b>" in page
    mine = records.own(ctx, cast.actors["teacher1"])
    page = papers.page("record", paperwork.record(mine))
    assert "<span>Đã dự sinh hoạt chuyên môn</span><b>1 (1 giờ)</b>" in page
    assert "<span>Joint sessions attended</span><b>1 (1 h)</b>" in page
    assert "Lượt người dự" not in page
    hers = papers.page("record", paperwork.record(records.own(ctx, cast.actors["teacher2"])))
    assert "inh hoạt chuyên môn" not in hers


def note(ctx, cast, number, *there):
    seen = use_cases.look(ctx, cast.actors["coordinator"], number).marker
    came = {cast[f"person_{name}"] for name in there}
    joint_attendance.record(ctx, cast.actors["coordinator"], number, came, seen)


# -- in other mails


def test_the_mail_of_a_week_names_it_for_those_expected_there(ctx, cast, clock, pair, wish):
    week = 7 * 24 * HOUR
    book(ctx, cast, STARTS + week - 24 * HOUR)
    later = replace(wish, starts_at=STARTS + week, ends_at=STARTS + week + HOUR)
    planned = use_cases.plan(ctx, cast.actors["coordinator"], pair, later)
    joint_attendance.answer(ctx, cast.actors["schoolA"], planned, Answer.CANNOT)
    clock.at = datetime(2023, 10, 6, 3, tzinfo=UTC)
    sent(ctx, clock, minutes=1)
    clock.at = datetime(2023, 10, 8, 12, 1, tzinfo=UTC)  # Sunday, 19:01
    with ctx.transaction() as db:
        switches.turn_off(db, switches.PLANNED_AHEAD)
    post = Post()
    reminders.plan_ahead(ctx)
    while sending.send_due(ctx, post).claimed:
        pass
    bodies = {
        who: mail.get_body(("plain",)).get_content()
        for who, mail in zip(post.recipients, post.arrived, strict=True)
        if str(mail["Subject"]).startswith("Tuần từ")
    }
    assert sorted(bodies) == ["schoola@x.example", "teacher1@x.example"]
    assert "Thứ Năm 12/10 · 14:00–15:00 · Sinh hoạt chuyên môn: Ngữ âm" in " ".join(
        bodies["teacher1@x.example"].split()
    )
    assert "Ngữ âm" not in bodies["schoola@x.example"]


def test_who_wants_events_by_mail_gets_the_same_as_in_their_calendar(
    ctx, cast, clock, planned, wish
):
    with ctx.transaction() as db:
        for who in ("teacher1", "teacher2"):
            choices.save(db, cast[f"person_{who}"], Choices(invitations=True))

    def arrived():
        clock.forward(minutes=16)
        post = Post()
        while sending.send_due(ctx, post).claimed:
            pass
        parts = {
            who: [x for x in mail.walk() if x.get_content_type() == "text/calendar"]
            for who, mail in zip(post.recipients, post.arrived, strict=True)
        }
        return {
            who: icalendar.Calendar.from_ical(part.get_payload(decode=True))
            for who, found in parts.items()
            for part in found
        }

    def same(calendar, event):
        (told,) = calendar.walk("VEVENT")
        names = ("UID", "SEQUENCE", "STATUS", "SUMMARY", "DESCRIPTION", "DTSTAMP")
        return all(told[name] == event[name] or str(told[name]) == str(event[name])
                   for name in names) and told.start == event.start  # fmt: skip

    told = arrived()
    assert sorted(told) == ["teacher1@x.example", "teacher2@x.example"]
    assert same(told["teacher1@x.example"], of(ctx, cast)[0][0])
    moved = replace(wish, starts_at=STARTS + HOUR, ends_at=STARTS + 2 * HOUR)
    change(ctx, cast, planned, replace(moved, people=wish.people - {cast["person_teacher2"]}))
    told = arrived()
    assert str(told["teacher1@x.example"]["METHOD"]) == "PUBLISH"
    assert str(told["teacher2@x.example"]["METHOD"]) == "CANCEL"
    assert same(told["teacher1@x.example"], of(ctx, cast)[0][0])
    assert same(told["teacher2@x.example"], of(ctx, cast, "teacher2")[0][0])


def test_who_is_let_go_and_invited_again_is_told_both_and_their_calendar_follows(
    ctx, cast, clock, planned, wish
):
    sent(ctx, clock, minutes=16)
    less = replace(wish, people=wish.people - {cast["person_teacher2"]})
    change(ctx, cast, planned, less)
    change(ctx, cast, planned, wish)
    assert sent(ctx, clock, minutes=16) == []  # gone and back before anybody was told
    change(ctx, cast, planned, less)
    assert [who for who, _ in sent(ctx, clock, minutes=16)] == ["teacher2@x.example"]
    (gone,), _ = of(ctx, cast, "teacher2")
    change(ctx, cast, planned, wish)
    ((who, what),) = sent(ctx, clock, minutes=16)
    assert (who, what.startswith("Mời dự")) == ("teacher2@x.example", True)
    (back,), _ = of(ctx, cast, "teacher2")
    assert (str(back["STATUS"]), back["SEQUENCE"] > gone["SEQUENCE"]) == ("CONFIRMED", True)
