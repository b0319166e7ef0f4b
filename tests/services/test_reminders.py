"""Reminders follow their lessons: one a person and day, and those before each lesson."""

import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from scheduler.domain.access import Grant, Role
from scheduler.domain.lessons import LessonState
from scheduler.errors import NotFound
from scheduler.locale import Language, wording
from scheduler.services import mailroom, reminders, sending
from scheduler.store import accounts, switches, tables
from tests.faults.kit import Post, book, change, replan, rows, states, write

WEDNESDAY = datetime(2023, 10, 4, 0, 30, tzinfo=UTC)  # 07:30 in Hà Nội, morning period 1


@pytest.fixture
def lesson(ctx, cast):
    made = book(ctx, cast, WEDNESDAY)
    replan(ctx, made)
    return made


@pytest.fixture(autouse=True)
def law(ctx):
    yield
    states(ctx)


class Counter:
    def __init__(self):
        self.count = 0


@pytest.fixture
def queries(database):
    """Counts the statements of writing transactions."""

    @contextmanager
    def counting():
        found = Counter()

        def note(*_):
            found.count += 1

        sa.event.listen(database.writer, "before_cursor_execute", note)
        yield found
        sa.event.remove(database.writer, "before_cursor_execute", note)

    return counting


def keys(ctx, state="planned"):
    return [key for key, at in rows(ctx, "key", "state") if at == state]


def ladder(cast, lesson, sequence, teacher="person_teacher1", day="2023-10-04"):
    own = [f"{lesson}:{sequence}:{cast[teacher]}:{k}" for k in ("hour_before", "soon")]
    days = [f"day:{cast[who]}:{day}:day_before" for who in (teacher, "person_schoolA")]
    return {f"{key}:mail" for key in own + days}


def stop_token(post, reader):
    mail = post.arrived[post.recipients.index(reader)]
    return str(mail["List-Unsubscribe"]).strip("<>").rpartition("/")[2]


def test_a_lesson_is_planned_once_however_often_it_is_planned(ctx, cast, lesson):
    assert set(keys(ctx)) == ladder(cast, lesson, 0)
    assert replan(ctx, lesson, lesson) == 0
    assert states(ctx) == {"planned": 4}


def test_a_move_cancels_the_old_reminders_and_plans_the_new(ctx, cast, lesson):
    later = WEDNESDAY + timedelta(days=1)
    change(ctx, lesson, starts_at=later, ends_at=later + timedelta(minutes=45))
    assert set(keys(ctx, "cancelled")) == ladder(cast, lesson, 0)
    assert set(keys(ctx)) == ladder(cast, lesson, 1, day="2023-10-05")
    soon = [due for kind, due, at in rows(ctx, "kind", "due_at", "state") if kind == "soon"]
    assert soon == [WEDNESDAY - timedelta(minutes=10), later - timedelta(minutes=10)]


def test_another_teacher_gets_the_reminders_of_the_one_before(ctx, cast, lesson):
    change(ctx, lesson, teacher_id=cast["teacher2"])
    steps = {f"{lesson}:0:{cast['person_teacher1']}:{k}:mail" for k in ("hour_before", "soon")}
    assert set(keys(ctx, "cancelled")) == steps
    own_day = f"day:{cast['person_teacher1']}:2023-10-04:day_before:mail"
    assert set(keys(ctx)) - {own_day} == ladder(cast, lesson, 1, "person_teacher2")


def test_a_cancelled_lesson_reminds_nobody(ctx, cast, lesson):
    change(ctx, lesson, state=LessonState.CANCELLED)
    assert states(ctx) == {"cancelled": 4}


def test_replanning_leaves_other_lessons_alone(ctx, cast, lesson):
    other = book(ctx, cast, WEDNESDAY + timedelta(hours=2), "8B", "teacher2")
    replan(ctx, other)
    change(ctx, lesson, state=LessonState.CANCELLED)
    assert states(ctx) == {"planned": 4, "cancelled": 4}


def test_who_stopped_reminders_or_left_is_not_planned_for(ctx, cast):
    people = tables.persons
    write(ctx, people, people.c.id == cast["person_teacher1"], reminders=False)
    write(ctx, people, people.c.id == cast["person_schoolA"], active=False)
    assert replan(ctx, book(ctx, cast, WEDNESDAY)) == 0


@pytest.mark.fault(10)
def test_a_zone_that_only_another_machine_knows_stops_nobody(ctx, cast, lesson):
    person = tables.persons
    write(ctx, person, person.c.id == cast["person_teacher1"], zone="Mars/Olympus")
    change(ctx, lesson)
    assert set(keys(ctx)) == ladder(cast, lesson, 1)


def test_replanning_asks_as_much_of_the_database_for_three_lessons_as_for_one(ctx, cast, queries):
    one = book(ctx, cast, WEDNESDAY)
    with queries() as first:
        replan(ctx, one)
    more = [book(ctx, cast, WEDNESDAY + timedelta(days=n)) for n in (1, 2, 3)]
    with queries() as second:
        replan(ctx, *more)
    assert second.count == first.count


def test_one_press_stops_reminders_and_another_brings_them_back(ctx, cast, lesson, clock):
    post = Post()
    clock.at = WEDNESDAY - timedelta(hours=20)
    sending.send_due(ctx, post)
    token = stop_token(post, "teacher1@x.example")
    assert reminders.describe_stop(ctx, token).stopped is False
    assert reminders.stop(ctx, token) == reminders.StopNotice(
        "Cô teacher1", "teacher1@x.example", "vi", stopped=True
    )
    assert reminders.stop(ctx, token) == reminders.describe_stop(ctx, token)
    assert states(ctx) == {"sent": 2, "cancelled": 2}
    clock.at = WEDNESDAY - timedelta(minutes=10)
    assert sending.send_due(ctx, Post()).fates == {}
    assert reminders.start(ctx, token).stopped is False
    assert states(ctx) == {"sent": 2, "planned": 1, "cancelled": 1}
    assert sending.send_due(ctx, Post()).fates == {sending.Fate.SENT: 1}


def test_a_link_to_stop_that_is_not_ours_stops_nothing(ctx, cast, lesson, clock):
    clock.at = WEDNESDAY - timedelta(hours=20)
    post = Post()
    sending.send_due(ctx, post)
    token = stop_token(post, "schoola@x.example")
    clock.forward(days=366)
    for odd in ("", "x", token[:-2], token):  # the last one is too old by now
        with pytest.raises(NotFound):
            reminders.describe_stop(ctx, odd)
        with pytest.raises(NotFound):
            reminders.stop(ctx, odd)


# -- planning ahead


def ahead(ctx):
    """What a worker's next turn plans, without waiting for it."""
    with ctx.transaction() as db:
        switches.turn_off(db, switches.PLANNED_AHEAD)
    return reminders.plan_ahead(ctx)


def test_planning_ahead_plans_what_nobody_planned_and_the_weeks(ctx, cast):
    lesson = book(ctx, cast, WEDNESDAY)
    book(ctx, cast, WEDNESDAY + timedelta(days=7))
    assert reminders.plan_ahead(ctx) == 8
    weeks = {f"week:{cast[who]}:{monday}:digest:mail"
             for who in ("person_teacher1", "person_schoolA")
             for monday in ("2023-10-02", "2023-10-09")}  # fmt: skip
    assert weeks | ladder(cast, lesson, 0) <= set(keys(ctx))
    assert ahead(ctx) == 0
    assert states(ctx) == {"planned": 8}


def test_planning_ahead_happens_once_a_quarter_of_an_hour(ctx, cast):
    assert reminders.plan_ahead(ctx) == 0
    book(ctx, cast, WEDNESDAY)
    assert reminders.plan_ahead(ctx) == 0
    assert ahead(ctx) > 0


@pytest.mark.fault(7)
def test_two_workers_that_plan_ahead_at_once_plan_once(ctx, cast):
    book(ctx, cast, WEDNESDAY)
    meet = threading.Barrier(2)

    def work():
        meet.wait()
        reminders.plan_ahead(ctx)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert states(ctx) == {"planned": 6}


def test_planning_ahead_heals_what_was_lost_or_made_wrong(ctx, cast, lesson):
    row = tables.outbox
    with ctx.transaction() as db:
        db.execute(row.delete().where(row.c.kind == "soon"))
    hour = row.c.kind == "hour_before"
    write(ctx, row, hour, due_at=WEDNESDAY, next_try_at=WEDNESDAY)
    with ctx.transaction() as db:
        accounts.add_grant(
            db, cast["person_schoolB"],
            Grant(Role.SCHOOL, cast["programme"], school_id=cast["A"]),
        )  # fmt: skip
    assert ahead(ctx) == 5  # the last step, a new contact's day, three weeks
    assert set(keys(ctx)) >= ladder(cast, lesson, 0)
    assert f"day:{cast['person_schoolB']}:2023-10-04:day_before:mail" in keys(ctx)
    (due,) = [due for kind, due in rows(ctx, "kind", "due_at") if kind == "hour_before"]
    assert due < WEDNESDAY - timedelta(minutes=49)


def test_planning_ahead_asks_as_much_of_the_database_for_three_lessons_as_for_one(
    ctx, cast, queries
):
    book(ctx, cast, WEDNESDAY)
    with queries() as first:
        ahead(ctx)
    for n in (1, 2, 3):
        book(ctx, cast, WEDNESDAY + timedelta(days=n))
    with queries() as second:
        ahead(ctx)
    assert second.count == first.count


def test_a_reminder_that_is_held_stays_so_when_its_lesson_moves(ctx, cast, lesson, clock):
    coordinator, later = cast.actors["coordinator"], WEDNESDAY + timedelta(hours=1)
    days = [row for row, kind in rows(ctx, "id", "kind") if kind == "day_before"]
    for message in days:
        mailroom.hold(ctx, coordinator, message)
    change(ctx, lesson, starts_at=later, ends_at=later + timedelta(minutes=45))
    clock.at = later - timedelta(hours=20)
    assert sending.send_due(ctx, Post()).claimed == 0
    for message in days:
        mailroom.release(ctx, coordinator, message)
    post = Post()
    sending.send_due(ctx, post)
    assert post.subjects == 2 * ["Thứ Tư 04/10 · 08:30–09:15: Tiếng Anh 7A · THCS A"]


def test_two_lessons_of_a_day_are_one_mail_as_they_stand_when_it_goes_out(ctx, cast, lesson, clock):
    other = book(ctx, cast, WEDNESDAY + timedelta(hours=2))
    gone = book(ctx, cast, WEDNESDAY + timedelta(hours=4))
    replan(ctx, other, gone)
    change(ctx, gone, state=LessonState.CANCELLED)
    clock.at = WEDNESDAY - timedelta(hours=23)
    post = Post()
    assert sending.send_due(ctx, post).fates == {sending.Fate.SENT: 2}
    assert set(post.subjects) == {"Thứ Tư 04/10: 2 tiết dạy, tiết đầu lúc 07:30"}
    mail = post.arrived[post.recipients.index("teacher1@x.example")]
    words = mail.get_body(("plain",)).get_content()
    assert "Thứ Tư 04/10 · 07:30–08:15" in words
    assert "Thứ Tư 04/10 · 09:30–10:15" in words
    assert "11:30" not in words
    assert words.count("https://chungtay.example/a/") == 4  # two answers to each
    assert words.count("?say=cannot") == 2
    assert mail["List-Unsubscribe"].startswith("<https://chungtay.example/stop/")


def test_the_week_is_one_mail_on_sunday(ctx, cast, clock):
    for days in (7, 9):
        book(ctx, cast, WEDNESDAY + timedelta(days=days))
    clock.at = datetime(2023, 10, 8, 12, tzinfo=UTC)  # Sunday, 19:00
    ahead(ctx)
    post = Post()
    assert sending.send_due(ctx, post).fates == {sending.Fate.SENT: 2}
    assert set(post.subjects) == {"Tuần từ Thứ Hai 09/10: 2 tiết dạy"}
    words = post.arrived[0].get_body(("plain",)).get_content()
    assert words.count("- Thứ") == 2
    assert "List-Unsubscribe" in post.arrived[0]


# -- readers abroad, where clocks jump


ABROAD = [  # zone, the lesson at 07:30 in Hà Nội, and how its teacher reads that
    ("Europe/Berlin", "2026-03-28", "Thứ Bảy 28/03 · 01:30–02:15 giờ Berlin"),
    ("Europe/Berlin", "2026-03-29", "Chủ Nhật 29/03 · 01:30–03:15 giờ Berlin"),
    ("Europe/Berlin", "2026-03-30", "Thứ Hai 30/03 · 02:30–03:15 giờ Berlin"),
    ("Europe/Berlin", "2026-10-25", "Chủ Nhật 25/10 · 02:30–02:15 giờ Berlin"),
    ("Europe/Berlin", "2026-10-26", "Thứ Hai 26/10 · 01:30–02:15 giờ Berlin"),
    ("Australia/Sydney", "2026-04-04", "Thứ Bảy 04/04 · 11:30–12:15 giờ Sydney"),
    ("Australia/Sydney", "2026-04-05", "Chủ Nhật 05/04 · 10:30–11:15 giờ Sydney"),
    ("Australia/Sydney", "2026-10-03", "Thứ Bảy 03/10 · 10:30–11:15 giờ Sydney"),
    ("Australia/Sydney", "2026-10-04", "Chủ Nhật 04/10 · 11:30–12:15 giờ Sydney"),
    ("America/New_York", "2026-03-08", "Thứ Bảy 07/03 · 19:30–20:15 giờ New York"),
    ("America/New_York", "2026-03-09", "Chủ Nhật 08/03 · 20:30–21:15 giờ New York"),
    ("America/New_York", "2026-11-01", "Thứ Bảy 31/10 · 20:30–21:15 giờ New York"),
    ("America/New_York", "2026-11-02", "Chủ Nhật 01/11 · 19:30–20:15 giờ New York"),
]


def remind_once(ctx, cast, clock, zone, starts_at):
    """Everything the teacher gets around one lesson, minute by minute of the ladder."""
    write(ctx, tables.persons, tables.persons.c.id == cast["person_teacher1"], zone=zone)
    clock.at = starts_at - timedelta(days=2)
    replan(ctx, book(ctx, cast, starts_at))
    post = Post()
    for before in (timedelta(hours=23), timedelta(minutes=50), timedelta(minutes=10)):
        for _ in range(2):
            clock.at = starts_at - before
            sending.send_due(ctx, post)
    return [m for m in post.arrived if "teacher1@" in str(m["To"])]


@pytest.mark.parametrize(("zone", "day", "local"), ABROAD)
@pytest.mark.fault(10)
def test_a_teacher_abroad_is_reminded_once_in_their_own_time_first(
    ctx, cast, clock, zone, day, local
):
    starts_at = datetime.fromisoformat(f"{day}T00:30:00+00:00")
    mails = remind_once(ctx, cast, clock, zone, starts_at)
    assert len(mails) == 3
    words = mails[0].get_body(("plain",)).get_content()
    weekday = wording.weekday(starts_at, Language.VI)
    home = f"({weekday} {starts_at:%d/%m} · 07:30–08:15 giờ Việt Nam)"
    assert f"{local} {home}" in words
    assert local.split(" · ")[1][:5] in str(mails[2]["Subject"])


@pytest.mark.parametrize(
    ("starts", "local"),
    [
        ("2026-03-29T00:30:00+00:00", "Chủ Nhật 29/03 · 01:30–03:15"),
        ("2026-10-25T00:30:00+00:00", "Chủ Nhật 25/10 · 02:30–02:15"),
        ("2026-10-25T07:30:00+00:00", "Chủ Nhật 25/10 · 08:30–09:15"),
    ],
)
@pytest.mark.fault(10)
def test_a_programme_whose_own_clocks_jump_reminds_once_too(ctx, cast, clock, starts, local):
    write(ctx, tables.programmes, tables.programmes.c.id == cast["programme"], zone="Europe/Berlin")
    mails = remind_once(ctx, cast, clock, None, datetime.fromisoformat(starts))
    assert len(mails) == 3
    assert local in mails[0].get_body(("plain",)).get_content()
