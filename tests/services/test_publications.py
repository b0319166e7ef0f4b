"""Undoing a publication, the list of them, and the timetable as it stood on an earlier day."""

from datetime import date, timedelta

import pytest

from scheduler.domain.access import Grant, Role
from scheduler.domain.answers import Excuse, Reason, Reply
from scheduler.domain.lessons import Deed, LessonState
from scheduler.domain.plans import ChangeKind, PlanOrigin
from scheduler.errors import Conflict, NotAllowed, NotFound, Stale
from scheduler.services import answers, lessons, pins, plans, publications
from scheduler.services.context import Context
from scheduler.services.publications import Left
from scheduler.store import history
from scheduler.store import lessons as lesson_rows
from tests.planning import A1, A2, B1, WEDNESDAY, draft, publish, timetable

A2_OTHER = (*A2[:3], "teacher2")
A2_LATER = ("request_7A", A2[1] + timedelta(days=1), 505, "teacher1")


def placements(ctx, cast):
    with ctx.reading() as db:
        return lesson_rows.placements(db, cast["term"])


def newest(ctx, cast):
    return publications.newest(ctx, cast.actors["coordinator"], cast["term"])


def undo(ctx, cast, publication=None):
    return publications.undo(ctx, cast.actors["coordinator"], publication or newest(ctx, cast))


@pytest.mark.parametrize(
    "second",
    [(A1, A2_OTHER), (A1, A2_LATER), (A1,), (A1, A2, B1), (A1, A2_OTHER, B1), (B1,)],
    ids=["other teacher", "other time", "dropped", "added", "both", "all else"],
)
def test_undo_gives_back_the_same_lessons_and_undoing_that_takes_them_away_again(
    ctx, cast, clock, second
):
    publish(ctx, cast, draft(ctx, cast, A1, A2))
    before = placements(ctx, cast)
    clock.forward(minutes=5)
    publish(ctx, cast, draft(ctx, cast, *second))
    between = placements(ctx, cast)
    clock.forward(minutes=5)
    first = undo(ctx, cast)
    assert first.left == ()
    publish(ctx, cast, first.plan_id)
    assert placements(ctx, cast) == before
    clock.forward(minutes=5)
    publish(ctx, cast, undo(ctx, cast).plan_id)
    assert placements(ctx, cast) == between


def test_an_undone_publication_is_told_as_such(ctx, cast, clock):
    coordinator = cast.actors["coordinator"]
    publish(ctx, cast, draft(ctx, cast, A1, A2))
    publish(ctx, cast, draft(ctx, cast, A1, A2_OTHER, B1))
    spoilt = newest(ctx, cast)
    clock.forward(minutes=5)
    plan = undo(ctx, cast).plan_id
    seen = plans.preview(ctx, coordinator, plan)
    assert (seen.plan.origin, seen.plan.undoes) == (PlanOrigin.UNDO, spoilt)
    plans.publish(ctx, coordinator, plan, seen.fingerprint)
    told = publications.of_term(ctx, coordinator, cast["term"])
    assert [
        (t.publication.origin, t.publication.undoes, t.publication.by, *t.counts.values())
        for t in told
    ] == [
        (PlanOrigin.UNDO, spoilt, "Cô coordinator", 0, 0, 1, 1),
        (PlanOrigin.RUN, None, "Cô coordinator", 1, 0, 1, 0),
        (PlanOrigin.RUN, None, "Cô coordinator", 2, 0, 0, 0),
    ]
    assert list(told[0].counts) == list(ChangeKind)
    with ctx.reading() as db:
        second = timetable(ctx, cast)[-1]
        assert [x.deed for x in history.of_lesson(db, second.id)] == [
            Deed.PUBLISHED, Deed.PUBLISHED, Deed.UNDONE,
        ]  # fmt: skip


def test_what_has_changed_since_is_named_and_left_alone(ctx, cast, clock):
    publish(ctx, cast, draft(ctx, cast, A1, A2))
    publish(ctx, cast, draft(ctx, cast, (*A1[:3], "teacher2"), A2_OTHER))
    clock.forward(minutes=5)
    first, _ = timetable(ctx, cast)
    ill = Excuse(Reason.SICK)
    answers.reply(ctx, answers.of_actor(cast.actors["teacher2"], first.id), Reply.CANNOT, ill)
    done = undo(ctx, cast)
    assert (done.lessons, [(x.id, why) for x, why in done.left]) == (1, [(first.id, Left.CHANGED)])
    publish(ctx, cast, done.plan_id)
    assert [(x.teacher_name, x.state) for x in timetable(ctx, cast)] == [
        ("Cô teacher2", LessonState.COVER),
        ("Cô teacher1", LessonState.SCHEDULED),
    ]


def test_what_is_called_off_pinned_begun_or_finds_its_place_taken_is_left_alone(ctx, cast, clock):
    coordinator = cast.actors["coordinator"]
    a3, a4 = (("request_7A", A2[1] + timedelta(days=7 * n), 450, "teacher1") for n in (1, 2))
    given = [(*each[:3], "teacher2") for each in (A1, A2, a3, a4)]
    publish(ctx, cast, draft(ctx, cast, A1, A2, a3, a4))
    publish(ctx, cast, draft(ctx, cast, *given))
    spoilt = newest(ctx, cast)
    clash = ("request_8B", a4[1], 460, "teacher1")  # where teacher1 would be again
    publish(ctx, cast, draft(ctx, cast, *given, clash))
    by_day = [x for x in timetable(ctx, cast) if x.class_name == "7A"]
    lessons.call_off(ctx, coordinator, by_day[1].id, "Bão")
    pins.put(ctx, coordinator, [by_day[2].id], "đã hẹn")
    clock.at = by_day[0].starts_at - timedelta(hours=1)
    with pytest.raises(Conflict, match="can be put back"):
        undo(ctx, cast, spoilt)
    pins.remove(ctx, coordinator, [by_day[2].id])
    done = undo(ctx, cast, spoilt)
    assert [(x.id, why) for x, why in done.left] == [
        (by_day[0].id, Left.BEGUN), (by_day[1].id, Left.CHANGED), (by_day[3].id, Left.CLASH),
    ]  # fmt: skip
    assert done.lessons == 1


def test_undo_says_which_rules_it_would_break(ctx, cast, clock):
    coordinator = cast.actors["coordinator"]
    late = ("request_7A", A2[1], 700, "teacher1")  # no slot of the class, and nobody is free
    publish(ctx, cast, draft(ctx, cast, A1, late))
    publish(ctx, cast, draft(ctx, cast, A1, A2))
    done = undo(ctx, cast)
    rules = [str(problem) for problem in done.broken]
    assert "A/7A, 2023-10-11 11:40, Cô teacher1: A lesson stands on a slot of its request" in rules
    assert plans.preview(ctx, coordinator, done.plan_id).effect.changed == 1


def test_a_draft_that_undoes_is_not_saved_when_the_timetable_changed_meanwhile(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, A1, A2))
    publish(ctx, cast, draft(ctx, cast, A1, A2_OTHER))
    spoilt, other = newest(ctx, cast), draft(ctx, cast, A1, A2_OTHER, B1)

    class Late(Context):
        """Somebody publishes just before its transaction."""

        def transaction(self):
            publish(ctx, cast, other)
            return ctx.transaction()

    with pytest.raises(Stale):
        undo(Late(ctx.settings, ctx.database, ctx.clock, ctx.key), cast, spoilt)


def test_the_timetable_as_it_was_on_each_day(ctx, cast, clock):
    coordinator = cast.actors["coordinator"]
    publish(ctx, cast, draft(ctx, cast, A1, A2))
    clock.forward(days=1)
    publish(ctx, cast, draft(ctx, cast, A1, A2_OTHER, B1))
    clock.forward(days=1)
    lessons.call_off(ctx, coordinator, timetable(ctx, cast)[1].id, "Bão")

    def on(day):
        then = publications.as_of(ctx, coordinator, cast["term"], date(2023, 10, day))
        return [(x.class_name, x.teacher_name, x.state) for x in then]

    assert on(1) == []
    planned = LessonState.SCHEDULED
    assert on(2) == [("7A", "Cô teacher1", planned), ("7A", "Cô teacher1", planned)]
    assert on(3) == [
        ("7A", "Cô teacher1", planned),
        ("8B", "Cô teacher1", planned),
        ("7A", "Cô teacher2", planned),
    ]
    assert on(4)[1] == ("8B", "Cô teacher1", LessonState.CANCELLED)


@pytest.mark.parametrize("who", ["teacher1", "schoolA", "stranger"])
def test_nobody_else_reads_or_undoes_publications(ctx, cast, who):
    publish(ctx, cast, draft(ctx, cast, A1))
    actor = cast.actors[who]
    with pytest.raises(NotFound):
        publications.undo(ctx, actor, newest(ctx, cast))
    for ask in (publications.of_term, publications.newest):
        with pytest.raises((NotFound, NotAllowed)):
            ask(ctx, actor, cast["term"])
    with pytest.raises((NotFound, NotAllowed)):
        publications.as_of(ctx, actor, cast["term"], WEDNESDAY)
    assert Grant(Role.COORDINATOR, cast["programme"]) in cast.actors["coordinator"].grants
