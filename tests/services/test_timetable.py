"""Whatever changes a lesson leaves its history, ends what is out of date, and pins hold."""

from datetime import date, timedelta

from scheduler.domain.answers import Excuse, Reason, Reply
from scheduler.domain.lessons import Deed, LessonState
from scheduler.services import answers, exports, lessons
from scheduler.store import covers, history, pins
from tests.planning import A1, A2, WEDNESDAY, draft, publish, timetable

ILL = Excuse(Reason.SICK)


def deeds(ctx, lesson):
    with ctx.reading() as db:
        return [(x.deed, x.by, x.teacher_name, x.state) for x in history.of_lesson(db, lesson.id)]


def test_history_tells_each_state_of_a_lesson_and_who_made_it(ctx, cast, clock):
    publish(ctx, cast, draft(ctx, cast, A1))
    published, lesson = ctx.now(), timetable(ctx, cast)[0]
    clock.forward(minutes=5)
    answers.reply(ctx, answers.of_actor(cast.actors["teacher1"], lesson.id), Reply.CANNOT, ILL)
    clock.forward(minutes=5)
    publish(ctx, cast, draft(ctx, cast, (*A1[:3], "teacher2")))
    clock.forward(minutes=5)
    lessons.call_off(ctx, cast.actors["schoolA"], lesson.id, "Mất điện")
    assert deeds(ctx, lesson) == [
        (Deed.PUBLISHED, "Cô coordinator", "Cô teacher1", LessonState.SCHEDULED),
        (Deed.COVER_ASKED, "Cô teacher1", "Cô teacher1", LessonState.COVER),
        (Deed.PUBLISHED, "Cô coordinator", "Cô teacher2", LessonState.SCHEDULED),
        (Deed.CALLED_OFF, "Cô schoolA", "Cô teacher2", LessonState.CANCELLED),
    ]
    with ctx.reading() as db:
        then = history.as_of(db, [lesson.id], published + timedelta(minutes=7))
        assert then[lesson.id].state is LessonState.COVER
        assert history.as_of(db, [lesson.id], published - timedelta(minutes=1)) == {}


def test_a_publication_ends_the_call_for_a_lesson_that_it_gives_to_another(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, A1, A2))
    first, second = timetable(ctx, cast)
    for lesson in (first, second):
        answers.reply(ctx, answers.of_actor(cast.actors["teacher1"], lesson.id), Reply.CANNOT, ILL)
    publish(ctx, cast, draft(ctx, cast, (*A1[:3], "teacher2"), A2))
    with ctx.reading() as db:
        assert set(covers.of_lessons(db, [first.id, second.id])) == {second.id}


def test_a_pinned_lesson_is_told_to_the_engine_until_its_pin_ends(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, A1))
    lesson = timetable(ctx, cast)[0]
    coordinator = cast["person_coordinator"]
    for until, pinned in ((None, True), (WEDNESDAY, True), (date(2023, 9, 1), False)):
        with ctx.transaction() as db:
            pins.put(db, [lesson.id], coordinator, "hẹn với cô hiệu trưởng", until, ctx.now())
        assert exports.export_instance(ctx)["current"][0]["pinned"] is pinned
    with ctx.transaction() as db:
        assert pins.remove(db, [lesson.id]) == 1
    assert exports.export_instance(ctx)["current"][0]["pinned"] is False
