"""Reminders follow their lessons; each person concerned hears once of what changed."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from scheduler.domain.lessons import LessonChange, LessonState
from scheduler.domain.plans import ChangeKind
from scheduler.errors import NotFound
from scheduler.services import reminders, sending
from scheduler.store import tables
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


def ladder(cast, lesson, sequence, teacher="person_teacher1"):
    own = [
        f"{lesson}:{sequence}:{cast[teacher]}:{k}" for k in ("day_before", "hour_before", "soon")
    ]
    return {f"{key}:mail" for key in own} | {
        f"{lesson}:{sequence}:{cast['person_schoolA']}:day_before:mail"
    }


def announce(ctx, publication, *changes):
    with ctx.transaction() as db:
        return reminders.announce(ctx, db, publication, changes)


def changed(cast, lesson, kind, teacher="teacher1", former=None):
    old = None if former is None else cast[former]
    return LessonChange(lesson, kind, cast["7A"], cast[teacher], old)


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
    assert set(keys(ctx)) == ladder(cast, lesson, 1)
    soon = [due for kind, due, at in rows(ctx, "kind", "due_at", "state") if kind == "soon"]
    assert soon == [WEDNESDAY - timedelta(minutes=10), later - timedelta(minutes=10)]


def test_another_teacher_gets_the_reminders_of_the_one_before(ctx, cast, lesson):
    change(ctx, lesson, teacher_id=cast["teacher2"])
    assert set(keys(ctx, "cancelled")) == ladder(cast, lesson, 0)
    assert set(keys(ctx)) == ladder(cast, lesson, 1, "person_teacher2")


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


def test_replanning_asks_as_much_of_the_database_for_three_lessons_as_for_one(ctx, cast, queries):
    one = book(ctx, cast, WEDNESDAY)
    more = [book(ctx, cast, WEDNESDAY + timedelta(days=n)) for n in (1, 2)]
    with queries() as first:
        replan(ctx, one)
    with queries() as second:
        replan(ctx, one, *more)
    assert second.count == first.count


def test_a_publication_tells_each_person_concerned_once(ctx, cast, lesson):
    second = book(ctx, cast, WEDNESDAY + timedelta(days=7), teacher="teacher2")
    changes = [
        changed(cast, lesson, ChangeKind.ADDED),
        changed(cast, second, ChangeKind.RESTAFFED, "teacher2", former="teacher1"),
    ]
    assert announce(ctx, 7, *changes) == 3
    assert announce(ctx, 7, *changes) == 0
    assert [key for key in keys(ctx) if key.startswith("publication")] == [
        f"publication:7:{person}:changes:mail"
        for person in sorted(
            cast[who] for who in ("person_teacher1", "person_teacher2", "person_schoolA")
        )
    ]


def test_news_of_a_publication_reads_as_things_stand_when_it_goes_out(ctx, cast, lesson):
    moved = book(ctx, cast, WEDNESDAY + timedelta(days=7, hours=1), teacher="teacher1")
    write(
        ctx, tables.lessons, tables.lessons.c.id == moved,
        moved_from=WEDNESDAY + timedelta(days=6),
    )  # fmt: skip
    announce(
        ctx,
        7,
        changed(cast, lesson, ChangeKind.RESTAFFED, "teacher2", former="teacher1"),
        changed(cast, moved, ChangeKind.MOVED),
    )
    write(ctx, tables.lessons, tables.lessons.c.id == lesson, teacher_id=cast["teacher2"])
    post = Post()
    sending.send_due(ctx, post)
    bodies = [mail.get_body(("plain",)).get_content() for mail in post.arrived]
    texts = dict(zip(post.recipients, bodies, strict=True))
    news = {
        who: [line for line in words.splitlines() if line.startswith(("- ", "  "))]
        for who, words in texts.items()
    }
    assert news == {
        "teacher1@x.example": [
            "- Thứ Tư 11/10 · 08:30–09:15 · Tiếng Anh 7A · THCS A · Lục Yên",
            "  trước đây: Thứ Ba 10/10 · 07:30",
            "- Thứ Tư 04/10 · 07:30–08:15 · Tiếng Anh 7A · THCS A · Sáng tiết 1 · Lục Yên",
        ],
        "teacher2@x.example": [
            "- Thứ Tư 04/10 · 07:30–08:15 · Tiếng Anh 7A · THCS A · Sáng tiết 1 · Lục Yên"
        ],
        "schoola@x.example": [
            "- Thứ Tư 11/10 · 08:30–09:15 · Tiếng Anh 7A · THCS A · Cô teacher1 (THCS Ái Mộ)",
            "  trước đây: Thứ Ba 10/10 · 07:30",
            "- Thứ Tư 04/10 · 07:30–08:15 · Tiếng Anh 7A · THCS A · Sáng tiết 1"
            " · Cô teacher2 (THCS Ái Mộ)",
        ],
    }
    assert "Đã chuyển cho giáo viên khác" in texts["teacher1@x.example"]
    assert post.subjects[0] == "Lịch dạy có 2 thay đổi"


def test_calling_off_tells_teacher_and_school_at_once(ctx, cast, lesson):
    change(ctx, lesson, state=LessonState.CANCELLED, cancel_reason="Bão", cancelled_by="Cô schoolA")
    with ctx.transaction() as db:
        assert reminders.call_off(ctx, db, lesson) == 2
        assert reminders.call_off(ctx, db, lesson) == 0
    post = Post()
    sending.send_due(ctx, post)
    assert sorted(post.recipients) == ["schoola@x.example", "teacher1@x.example"]
    off = "Đã huỷ: Thứ Tư 04/10 · 07:30–08:15, Tiếng Anh 7A · THCS A · Sáng tiết 1"
    assert post.subjects == [off, off]
    assert "Lý do: Bão" in post.arrived[0].get_body(("plain",)).get_content()
    assert "List-Unsubscribe" not in post.arrived[0]


def test_one_press_stops_reminders_but_not_news(ctx, cast, lesson, clock):
    post = Post()
    clock.at = WEDNESDAY - timedelta(hours=20)
    sending.send_due(ctx, post)
    token = stop_token(post, "teacher1@x.example")
    assert reminders.describe_stop(ctx, token).stopped is False
    assert reminders.stop(ctx, token) == reminders.StopNotice(
        "Cô teacher1", "teacher1@x.example", "vi", stopped=True
    )
    assert reminders.stop(ctx, token) == reminders.describe_stop(ctx, token)
    for minutes in (50, 10):
        clock.at = WEDNESDAY - timedelta(minutes=minutes)
        assert sending.send_due(ctx, Post()).fates == {sending.Fate.CANCELLED: 1}
    announce(ctx, 7, changed(cast, lesson, ChangeKind.ADDED))
    assert sending.send_due(ctx, Post()).count(sending.Fate.SENT) == 2


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
