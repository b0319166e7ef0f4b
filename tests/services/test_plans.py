"""Draft, difference, publication: exactly what was seen, all or nothing, and back again."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from scheduler.domain import news
from scheduler.domain.lessons import LessonState
from scheduler.domain.plans import ChangeKind, Fingerprint, PlanState
from scheduler.errors import ChungTayError, Conflict, NotFound, Stale
from scheduler.services import lessons, plans
from scheduler.store import lessons as lesson_rows
from scheduler.store import plans as plan_rows
from scheduler.store import tables
from tests.planning import A1, A2, B1, WEDNESDAY, draft, publish, timetable


def test_publishing_makes_the_previewed_lessons(ctx, cast):
    plan_id = draft(ctx, cast, A1, A2, B1)
    seen = plans.preview(ctx, cast.actors["coordinator"], plan_id)
    assert [(line.kind, line.request.key, line.count) for line in seen.lines] == [
        (ChangeKind.ADDED, "A/7A", 2),
        (ChangeKind.ADDED, "B/8B", 1),
    ]
    assert (seen.teachers_told, seen.schools_told) == (1, 2)
    publish(ctx, cast, plan_id)
    found = timetable(ctx, cast)
    assert [(x.class_name, x.period, x.sequence, x.state) for x in found] == [
        ("7A", 1, 0, LessonState.SCHEDULED),
        ("8B", 2, 0, LessonState.SCHEDULED),
        ("7A", 1, 0, LessonState.SCHEDULED),
    ]


def test_a_moved_lesson_keeps_its_uid_and_raises_its_revision(ctx, cast, clock):
    publish(ctx, cast, draft(ctx, cast, A1, A2))
    before = timetable(ctx, cast)
    clock.forward(minutes=5)
    moved = ("request_7A", WEDNESDAY + timedelta(days=1), 505, "teacher1")
    publish(ctx, cast, draft(ctx, cast, moved, A2))
    after = timetable(ctx, cast)
    assert {x.uid for x in after} == {x.uid for x in before}
    lesson = next(x for x in after if x.uid == before[0].uid)
    assert (lesson.sequence, lesson.moved_from, lesson.period) == (1, before[0].starts_at, 2)
    assert lesson.changed_at > before[0].changed_at
    assert lesson.state is LessonState.SCHEDULED
    assert next(x for x in after if x.uid == before[1].uid) == before[1]


def test_two_lessons_swap_their_teachers_in_one_publication(ctx, cast):
    b_now = ("request_8B", WEDNESDAY, 450, "teacher2")
    publish(ctx, cast, draft(ctx, cast, A1, b_now))
    swapped = [
        ("request_7A", WEDNESDAY, 450, "teacher2"),
        ("request_8B", WEDNESDAY, 450, "teacher1"),
    ]
    diff = publish(ctx, cast, draft(ctx, cast, *swapped))
    assert diff.count(ChangeKind.RESTAFFED) == 2
    assert {(x.class_name, x.teacher_id) for x in timetable(ctx, cast)} == {
        ("7A", cast["teacher2"]),
        ("8B", cast["teacher1"]),
    }
    since, until = ctx.now() - timedelta(days=99), ctx.now() + timedelta(days=99)
    with ctx.reading() as db:
        traces = lesson_rows.handovers_of(db, cast["teacher1"], since, until)
    assert [trace.lesson.class_name for trace in traces] == ["7A"]


def test_a_dropped_lesson_stays_as_cancelled(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, A1, B1))
    publish(ctx, cast, draft(ctx, cast, A1))
    gone = next(x for x in timetable(ctx, cast) if x.class_name == "8B")
    assert (gone.state, gone.sequence, gone.cancelled_by) == (
        LessonState.CANCELLED,
        1,
        cast.actors["coordinator"].name,
    )


def test_publishing_the_predecessor_again_undoes_a_publication(ctx, cast):
    first = draft(ctx, cast, A1, A2)
    publish(ctx, cast, first)
    publish(ctx, cast, draft(ctx, cast, A1))
    publish(ctx, cast, first)
    live = [x for x in timetable(ctx, cast) if x.state is LessonState.SCHEDULED]
    assert len(live) == 2
    with ctx.reading() as db:
        assert [p.state for p in plan_rows.of_term(db, cast["term"])] == [
            PlanState.SUPERSEDED,
            PlanState.PUBLISHED,
        ]


def test_a_dropped_lesson_that_comes_back_is_the_same_lesson_for_calendars(ctx, cast, clock):
    first = draft(ctx, cast, A1, A2)
    publish(ctx, cast, first)
    before = timetable(ctx, cast)
    publish(ctx, cast, draft(ctx, cast, A1))
    clock.forward(minutes=1)
    publish(ctx, cast, first)
    after = timetable(ctx, cast)
    assert [(x.uid, x.join_token) for x in after] == [(x.uid, x.join_token) for x in before]
    back = after[1]
    assert (back.state, back.sequence, back.cancelled_by) == (LessonState.SCHEDULED, 2, "")
    assert back.changed_at > before[1].changed_at


def test_a_dropped_lesson_given_by_somebody_else_is_a_new_one(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, A1, A2))
    publish(ctx, cast, draft(ctx, cast, A1))
    publish(ctx, cast, draft(ctx, cast, A1, (*A2[:3], "teacher2")))
    assert [(x.state, x.teacher_id) for x in timetable(ctx, cast)][1:] == [
        (LessonState.CANCELLED, cast["teacher1"]),
        (LessonState.SCHEDULED, cast["teacher2"]),
    ]


def test_a_publication_with_an_old_fingerprint_is_refused(ctx, cast):
    actor = cast.actors["coordinator"]
    old = draft(ctx, cast, A1)
    seen = plans.preview(ctx, actor, old).fingerprint
    publish(ctx, cast, draft(ctx, cast, B1))
    with pytest.raises(Stale):
        plans.publish(ctx, actor, old, seen)
    assert [x.class_name for x in timetable(ctx, cast)] == ["8B"]


@pytest.mark.fault(18)
def test_publishing_twice_at_once_happens_once(ctx, cast):
    actor = cast.actors["coordinator"]
    plan_id = draft(ctx, cast, A1)
    seen = plans.preview(ctx, actor, plan_id).fingerprint
    barrier, outcomes = threading.Barrier(2), []

    def go():
        barrier.wait()
        try:
            plans.publish(ctx, actor, plan_id, seen)
            outcomes.append("published")
        except ChungTayError as error:
            outcomes.append(type(error).__name__)

    threads = [threading.Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) in (["Conflict", "published"], ["Stale", "published"])
    assert len(timetable(ctx, cast)) == 1
    with ctx.reading() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(tables.publications)) == 1


def test_a_plan_that_books_a_teacher_twice_is_refused_whole(ctx, cast):
    clash = ("request_8B", WEDNESDAY, 480, "teacher1")
    plan_id = draft(ctx, cast, A2, A1, clash)
    with pytest.raises(Conflict, match="two lessons at once"):
        publish(ctx, cast, plan_id)
    assert timetable(ctx, cast) == ()


def test_what_has_passed_stays_as_it_was(ctx, cast, clock):
    publish(ctx, cast, draft(ctx, cast, A1, A2))
    clock.forward(days=4)  # Friday: the lesson of Wednesday is over
    publish(
        ctx, cast, draft(ctx, cast, ("request_7A", WEDNESDAY + timedelta(days=8), 505, "teacher2"))
    )
    found = timetable(ctx, cast)
    assert (found[0].sequence, found[0].state) == (0, LessonState.SCHEDULED)
    assert found[1].teacher_id == cast["teacher2"]


@pytest.mark.parametrize("who", ["teacher1", "schoolA", "stranger"])
def test_nobody_else_sees_or_publishes_a_plan(ctx, cast, who):
    plan_id = draft(ctx, cast, A1)
    with pytest.raises(NotFound):
        plans.preview(ctx, cast.actors[who], plan_id)
    with pytest.raises(NotFound):
        plans.publish(ctx, cast.actors[who], plan_id, Fingerprint("x"))


def test_calling_off_needs_a_reason_and_the_right_school(ctx, cast, clock):
    publish(ctx, cast, draft(ctx, cast, A1))
    lesson = timetable(ctx, cast)[0]
    with pytest.raises(NotFound):
        lessons.call_off(ctx, cast.actors["schoolB"], lesson.id, "Bão")
    with pytest.raises(ChungTayError, match="why"):
        lessons.call_off(ctx, cast.actors["schoolA"], lesson.id, "  ")
    off = lessons.call_off(ctx, cast.actors["schoolA"], lesson.id, "Thi giữa kỳ")
    assert (off.state, off.cancel_reason, off.sequence) == (LessonState.CANCELLED, "Thi giữa kỳ", 1)
    with pytest.raises(Conflict):
        lessons.call_off(ctx, cast.actors["schoolA"], lesson.id, "Bão")


def test_a_lesson_that_has_begun_is_not_called_off(ctx, cast, clock):
    publish(ctx, cast, draft(ctx, cast, A1))
    clock.forward(days=2, hours=2)
    with pytest.raises(Conflict):
        lessons.call_off(ctx, cast.actors["schoolA"], timetable(ctx, cast)[0].id, "Bão")


def test_home_and_week_show_the_same_lessons(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, A1, A2, B1))
    home = lessons.teacher_home(ctx, cast.actors["teacher1"])
    assert home.next is not None
    assert (home.next.class_name, home.total, home.given) == ("7A", 3, 0)
    week = lessons.school_week(ctx, cast.actors["schoolA"], cast["A"], None)
    assert [len(day.lessons) for day in week.days] == [0, 0, 1, 0, 0, 0, 0]
    with pytest.raises(NotFound):
        lessons.school_week(ctx, cast.actors["schoolA"], cast["B"], None)


def test_no_plan_brings_back_what_a_school_called_off_for_that_day(ctx, cast):
    plan_id = draft(ctx, cast, A1, A2)
    publish(ctx, cast, plan_id)
    lessons.call_off(ctx, cast.actors["schoolA"], timetable(ctx, cast)[0].id, "Thi giữa kỳ")
    again = draft(ctx, cast, A1, A2)
    assert plans.preview(ctx, cast.actors["coordinator"], again).diff.changes == ()
    publish(ctx, cast, again)
    assert [x.state for x in timetable(ctx, cast)] == [
        LessonState.CANCELLED,
        LessonState.SCHEDULED,
    ]


def test_a_first_publication_in_mid_term_tells_of_lessons_ahead_only(ctx, cast, clock):
    clock.forward(days=4)
    publish(ctx, cast, draft(ctx, cast, A1, A2, B1))
    with ctx.reading() as db:
        told = db.execute(
            sa.select(tables.outbox.c.person_id, tables.outbox.c.payload).where(
                tables.outbox.c.kind == "changes"
            )
        ).all()
    assert {person for person, _ in told} == {cast["person_teacher1"], cast["person_schoolA"]}
    assert all(len(news.read(payload).entries) == 1 for _, payload in told)


def told_of(ctx, since):
    """Who has a new message about changes, by name."""
    with ctx.reading() as db:
        query = sa.select(tables.persons.c.name).join(
            tables.outbox, tables.outbox.c.person_id == tables.persons.c.id
        )
        return set(
            db.scalars(query.where(tables.outbox.c.kind == "changes", tables.outbox.c.id > since))
        )


def newest_message(ctx):
    with ctx.reading() as db:
        return db.scalar(sa.select(sa.func.max(tables.outbox.c.id))) or 0


B1_OTHER = (*B1[:3], "teacher2")


@pytest.mark.parametrize(
    ("then", "told"),
    [
        ((A1, A2, B1), set()),
        ((A1, (*A2[:3], "teacher2"), B1), {"Cô teacher1", "Cô teacher2", "Cô schoolA"}),
        ((A1, A2), {"Cô teacher1", "Cô schoolB"}),
        ((A1, A2, B1_OTHER), {"Cô teacher1", "Cô teacher2", "Cô schoolB"}),
        (
            (A1, A2, (B1[0], B1[1] + timedelta(days=1), 560, "teacher1")),
            {"Cô teacher1", "Cô schoolB"},
        ),
    ],
    ids=["nobody", "one school", "dropped", "given to another", "moved"],
)
def test_exactly_the_people_concerned_are_told_of_a_publication(ctx, cast, clock, then, told):
    publish(ctx, cast, draft(ctx, cast, A1, A2, B1))
    clock.forward(hours=1)
    with ctx.transaction() as db:  # what the first publication told has gone out
        db.execute(
            tables.outbox.update()
            .where(tables.outbox.c.kind == "changes")
            .values(state="cancelled")
        )
    before = newest_message(ctx)
    publish(ctx, cast, draft(ctx, cast, *then))
    assert told_of(ctx, before) == told
