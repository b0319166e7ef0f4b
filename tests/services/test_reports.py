"""How a lesson went: two sides tell, one alone decides nothing, and coordinators settle."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.domain import lessons as lesson_rules
from scheduler.domain.access import Grant, Role
from scheduler.domain.answers import Excuse, Reason, Reply
from scheduler.domain.calendars import FeedKind
from scheduler.domain.lessons import Cause, Deed, LessonState, Life
from scheduler.domain.reminders import Side
from scheduler.domain.reports import Report, Waiting
from scheduler.errors import Conflict, Invalid, NotAllowed, NotFound
from scheduler.security import Purpose
from scheduler.services import answers, exports, feeds, links, reports, sides
from scheduler.services import lessons as services
from scheduler.services.reports import Settlement
from scheduler.store import accounts, covers, history, lessons, tables
from scheduler.store import feeds as feed_rows
from tests.effort import examples
from tests.faults.kit import book, write
from tests.planning import A1, draft, publish, timetable

START = datetime(2023, 10, 4, 0, 30, tzinfo=UTC)
HELD = Report(held=True)
WHO = {Side.TEACHER: "teacher1", Side.SCHOOL: "schoolA"}
DAY = timedelta(days=1)


def missed(cause, note=""):
    return Report(held=False, cause=cause, note=note)


@pytest.fixture
def lesson(ctx, cast, clock):
    """A lesson that has just begun."""
    made = book(ctx, cast, START)
    clock.at = START
    return made


def tell(ctx, cast, lesson, side, said):
    speaker = sides.of_actor(ctx, cast.actors[WHO[side]], lesson)
    return reports.report(ctx, speaker, said).lesson


def both(ctx, cast, lesson, teacher, school):
    tell(ctx, cast, lesson, Side.TEACHER, teacher)
    return tell(ctx, cast, lesson, Side.SCHOOL, school)


def settle(ctx, cast, lesson, cause=None, words="Đã gọi điện cho cả hai bên"):
    made = Settlement(cause is None, cause, words)
    return reports.settle(ctx, cast.actors["coordinator"], lesson, made).lesson


def get(ctx, lesson):
    with ctx.reading() as db:
        return lessons.get(db, lesson)


def deeds(ctx, lesson):
    with ctx.reading() as db:
        return [(x.deed, x.by, x.state, x.reason) for x in history.of_lesson(db, lesson)]


def audited(ctx):
    with ctx.reading() as db:
        return list(db.scalars(sa.select(tables.audits.c.action).order_by(tables.audits.c.id)))


# -- what follows from reports


def test_one_side_alone_changes_nothing(ctx, cast, lesson, clock):
    before = get(ctx, lesson)
    assert tell(ctx, cast, lesson, Side.TEACHER, HELD) == before
    clock.forward(days=30)
    assert lesson_rules.life(get(ctx, lesson), ctx.now()) is Life.OVER
    assert deeds(ctx, lesson) == []


def test_a_lesson_of_which_nobody_tells_is_never_held(ctx, cast, lesson, clock):
    clock.forward(days=400)
    assert get(ctx, lesson).state is LessonState.SCHEDULED


def test_both_say_held(ctx, cast, lesson):
    found = both(ctx, cast, lesson, HELD, Report(held=True, minutes_late=7, note="mạng chậm"))
    assert (found.state, found.cause) == (LessonState.HELD, None)
    assert deeds(ctx, lesson) == [(Deed.REPORTED, "Cô schoolA", LessonState.HELD, "mạng chậm")]
    filed = reports.seen(ctx, cast.actors["coordinator"], lesson).filed
    assert [(x.side, x.report.minutes_late, x.by_name) for x in filed.values()] == [
        (Side.TEACHER, 0, "Cô teacher1"), (Side.SCHOOL, 7, "Cô schoolA"),
    ]  # fmt: skip


PAIRS = [
    (Cause.TEACHER, Cause.TEACHER, LessonState.NOT_HELD, Cause.TEACHER),
    (Cause.CLASS, Cause.CLASS, LessonState.NOT_HELD, Cause.CLASS),
    (Cause.CONNECTION, Cause.POWER, LessonState.NOT_HELD, Cause.POWER),
    (Cause.PLATFORM, Cause.SCHOOL_EVENT, LessonState.NOT_HELD, Cause.SCHOOL_EVENT),
    (Cause.CLASS, Cause.TEACHER, LessonState.DISPUTED, None),
    (Cause.CONNECTION, Cause.TEACHER, LessonState.DISPUTED, None),
    (Cause.CLASS, Cause.POWER, LessonState.DISPUTED, None),
    (None, Cause.TEACHER, LessonState.DISPUTED, None),
    (Cause.POWER, None, LessonState.DISPUTED, None),
]


def test_what_both_say_decides(ctx, cast, clock):
    clock.at = START + DAY
    for hours, (teacher, school, state, cause) in enumerate(PAIRS):
        made = book(ctx, cast, START + timedelta(hours=hours))
        said = [HELD if each is None else missed(each) for each in (teacher, school)]
        found = both(ctx, cast, made, *said)
        assert (found.state, found.cause) == (state, cause)


def test_a_side_may_think_again_until_both_agree(ctx, cast, lesson):
    both(ctx, cast, lesson, HELD, missed(Cause.CLASS))
    assert get(ctx, lesson).state is LessonState.DISPUTED
    tell(ctx, cast, lesson, Side.SCHOOL, missed(Cause.TEACHER))
    assert get(ctx, lesson).state is LessonState.DISPUTED
    found = tell(ctx, cast, lesson, Side.TEACHER, missed(Cause.TEACHER))
    assert (found.state, found.cause) == (LessonState.NOT_HELD, Cause.TEACHER)
    assert [x[0] for x in deeds(ctx, lesson)] == [Deed.REPORTED, Deed.REPORTED]
    with pytest.raises(Conflict, match="settled"):
        tell(ctx, cast, lesson, Side.TEACHER, HELD)


def test_the_same_twice_is_once_even_after_it_closed(ctx, cast, lesson):
    both(ctx, cast, lesson, HELD, HELD)
    both(ctx, cast, lesson, HELD, HELD)
    assert audited(ctx) == ["report_lesson", "report_lesson"]
    assert len(deeds(ctx, lesson)) == 1


def test_a_lesson_that_looked_for_cover_and_was_given_after_all_is_held(ctx, cast, clock):
    publish(ctx, cast, draft(ctx, cast, A1))
    lesson = timetable(ctx, cast)[0].id
    own = answers.of_actor(cast.actors["teacher1"], lesson)
    answers.reply(ctx, own, Reply.CANNOT, Excuse(Reason.SICK))
    clock.at = START
    assert both(ctx, cast, lesson, HELD, HELD).state is LessonState.HELD
    with ctx.reading() as db:
        ends = db.execute(sa.select(tables.cover_calls.c.end)).scalars().all()
        assert (ends, covers.of_lessons(db, [lesson])) == (["missed"], {})


# -- when, and by whom


def test_nobody_reports_before_the_lesson_begins(ctx, cast, lesson, clock):
    clock.at = START - timedelta(seconds=1)
    with pytest.raises(Conflict, match="not begun yet"):
        tell(ctx, cast, lesson, Side.TEACHER, HELD)
    with pytest.raises(Conflict, match="not begun yet"):
        settle(ctx, cast, lesson)


def test_nobody_reports_a_lesson_that_was_called_off(ctx, cast, lesson):
    write(ctx, tables.lessons, tables.lessons.c.id == lesson, state=LessonState.CANCELLED)
    with pytest.raises(Conflict, match="called off"):
        tell(ctx, cast, lesson, Side.SCHOOL, HELD)
    with pytest.raises(Conflict, match="called off"):
        settle(ctx, cast, lesson)


def test_after_14_days_only_a_coordinator_decides(ctx, cast, lesson, clock):
    clock.at = START + timedelta(minutes=45) + 14 * DAY - timedelta(seconds=1)
    tell(ctx, cast, lesson, Side.TEACHER, HELD)
    clock.forward(seconds=1)
    with pytest.raises(Conflict, match="14 days"):
        tell(ctx, cast, lesson, Side.SCHOOL, HELD)
    assert settle(ctx, cast, lesson).state is LessonState.HELD


UNFIT = [
    (Report(held=False), "cause"),
    (Report(held=True, cause=Cause.POWER), "cause"),
    (Report(held=True, minutes_late=-1), "minutes_late"),
    (Report(held=True, minutes_late=46), "minutes_late"),
    (Report(held=False, cause=Cause.POWER, minutes_late=1), "minutes_late"),
    (Report(held=True, note="x" * 201), "note"),
    (Report(held=True, note="a\0b"), "note"),
]


def test_a_report_must_fit_its_lesson(ctx, cast, lesson):
    for said, field in UNFIT:
        with pytest.raises(Invalid) as fault:
            tell(ctx, cast, lesson, Side.TEACHER, said)
        assert set(fault.value.fields) == {field}
    assert audited(ctx) == []


def test_a_stranger_to_the_lesson_finds_nothing(ctx, cast, lesson):
    for who in ("teacher2", "schoolB", "stranger"):
        finds_nothing(ctx, cast.actors[who], lesson)


def finds_nothing(ctx, actor, lesson):
    with pytest.raises(NotFound):
        sides.of_actor(ctx, actor, lesson)
    with pytest.raises(NotFound):
        reports.seen(ctx, actor, lesson)
    with pytest.raises(NotFound):
        reports.settle(ctx, actor, lesson, Settlement(True, None, "x"))
    with pytest.raises(NotFound):
        services.history(ctx, actor, lesson)
    with pytest.raises(NotFound):
        services.as_of(ctx, actor, lesson, ctx.now())


def test_each_side_speaks_for_itself_only(ctx, cast, lesson):
    for who, other in (("teacher1", Side.SCHOOL), ("schoolA", Side.TEACHER)):
        with pytest.raises(NotFound):
            sides.of_actor(ctx, cast.actors[who], lesson, other)
        with pytest.raises(NotAllowed):
            reports.settle(ctx, cast.actors[who], lesson, Settlement(True, None, "x"))


def test_a_coordinator_writes_down_what_one_side_says_and_not_both(ctx, cast, lesson):
    coordinator = cast.actors["coordinator"]
    with pytest.raises(Invalid):
        sides.of_actor(ctx, coordinator, lesson)
    reports.report(ctx, sides.of_actor(ctx, coordinator, lesson, Side.SCHOOL), HELD)
    with pytest.raises(Conflict, match="both sides"):
        reports.report(ctx, sides.of_actor(ctx, coordinator, lesson, Side.TEACHER), HELD)
    assert get(ctx, lesson).state is LessonState.SCHEDULED
    assert tell(ctx, cast, lesson, Side.TEACHER, HELD).state is LessonState.HELD


def test_a_teacher_who_speaks_for_the_school_too_cannot_agree_with_herself(ctx, cast, lesson):
    with ctx.transaction() as db:
        grant = Grant(Role.SCHOOL, cast["programme"], school_id=cast["A"])
        accounts.add_grant(db, cast["person_teacher1"], grant)
        actor = accounts.actor_of(db, cast["person_teacher1"])
    reports.report(ctx, sides.of_actor(ctx, actor, lesson, Side.TEACHER), HELD)
    with pytest.raises(Conflict, match="both sides"):
        reports.report(ctx, sides.of_actor(ctx, actor, lesson, Side.SCHOOL), HELD)


# -- by link


def speaker(ctx, cast, lesson, side=Side.TEACHER, who="person_teacher1"):
    url = links.report_url(ctx, get(ctx, lesson), side, cast[who])
    return sides.of_link(ctx, Purpose.REPORT, url.rpartition("/")[2])


def test_a_link_speaks_for_its_person_and_side(ctx, cast, lesson):
    assert reports.report(ctx, speaker(ctx, cast, lesson), HELD).filed.keys() == {Side.TEACHER}
    school = speaker(ctx, cast, lesson, Side.SCHOOL, "person_schoolA")
    assert reports.report(ctx, school, HELD).lesson.state is LessonState.HELD


def test_a_link_of_who_does_not_stand_there_opens_nothing(ctx, cast, lesson):
    for side, who in (
        (Side.TEACHER, "person_teacher2"), (Side.SCHOOL, "person_teacher1"),
        (Side.SCHOOL, "person_schoolB"), (Side.TEACHER, "person_stranger"),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            reports.account(ctx, speaker(ctx, cast, lesson, side, who))
        with pytest.raises(NotFound):
            reports.report(ctx, speaker(ctx, cast, lesson, side, who), HELD)


def test_a_link_ends_with_the_account_and_with_the_14_days(ctx, cast, lesson, clock):
    url = links.report_url(ctx, get(ctx, lesson), Side.TEACHER, cast["person_teacher1"])
    own = speaker(ctx, cast, lesson)
    clock.forward(days=15)
    with pytest.raises(NotFound):
        sides.of_link(ctx, Purpose.REPORT, url.rpartition("/")[2])
    write(ctx, tables.persons, tables.persons.c.id == cast["person_teacher1"], active=False)
    with pytest.raises(NotFound):
        reports.account(ctx, own)


def test_a_link_for_something_else_reports_nothing(ctx, cast, lesson):
    person = cast["person_teacher1"]
    others = (
        links.check_in_url(ctx, get(ctx, lesson), Side.TEACHER, person),
        links.answer_url(ctx, get(ctx, lesson), person),
        links.stop_url(ctx, person),
        "x/y",
    )
    for url in others:
        with pytest.raises(NotFound):
            sides.of_link(ctx, Purpose.REPORT, url.rpartition("/")[2])


# -- what waits for a decision, and deciding


def questions(ctx, cast):
    found = reports.open_questions(ctx, cast.actors["coordinator"])
    return [(each.lesson.id, each.why) for each in found]


def test_coordinators_see_what_waits_for_them(ctx, cast, lesson, clock):
    silent = book(ctx, cast, START + timedelta(hours=1))
    agreed = book(ctx, cast, START + timedelta(hours=2))
    alone = book(ctx, cast, START + timedelta(hours=3))
    clock.forward(hours=5)
    both(ctx, cast, lesson, HELD, missed(Cause.CLASS))
    both(ctx, cast, agreed, HELD, HELD)
    tell(ctx, cast, alone, Side.TEACHER, HELD)
    assert questions(ctx, cast) == [(lesson, Waiting.DISPUTED)]
    clock.forward(days=3)
    assert questions(ctx, cast) == [(lesson, Waiting.DISPUTED)]
    clock.forward(seconds=1)
    assert questions(ctx, cast) == [(lesson, Waiting.DISPUTED), (alone, Waiting.ONE_SIDED)]
    assert silent not in dict(questions(ctx, cast))
    settle(ctx, cast, lesson)
    settle(ctx, cast, alone, Cause.CLASS)
    assert questions(ctx, cast) == []
    assert reports.open_questions(ctx, cast.actors["stranger"]) == ()
    for who in ("teacher1", "schoolA"):
        with pytest.raises(NotFound):
            reports.open_questions(ctx, cast.actors[who])


def test_what_waits_is_asked_of_the_database_alike_for_one_lesson_and_three(ctx, cast, clock):
    def statements():
        seen = []
        sa.event.listen(ctx.database.reader, "before_cursor_execute", lambda *x: seen.append(x[2]))
        found = reports.open_questions(ctx, cast.actors["coordinator"])
        return len(found), len(seen)

    clock.at = START + DAY
    counts = []
    for hours in range(3):
        both(ctx, cast, book(ctx, cast, START + timedelta(hours=hours)), HELD, missed(Cause.CLASS))
        counts.append(statements())
    assert [count for count, _ in counts] == [1, 2, 3]
    assert counts[0][1] == counts[2][1] <= 5


def test_a_decision_stands_whatever_is_said_later(ctx, cast, lesson):
    both(ctx, cast, lesson, HELD, missed(Cause.CLASS))
    found = settle(ctx, cast, lesson, Cause.CLASS, "Lớp đi thi")
    assert (found.state, found.cause) == (LessonState.NOT_HELD, Cause.CLASS)
    with pytest.raises(Conflict, match="settled"):
        tell(ctx, cast, lesson, Side.SCHOOL, HELD)
    assert settle(ctx, cast, lesson, Cause.CLASS, "Lần nữa") == found
    assert settle(ctx, cast, lesson, Cause.POWER, "Mất điện").cause is Cause.POWER
    assert settle(ctx, cast, lesson, None, "Nhầm ngày").cause is None
    assert deeds(ctx, lesson) == [
        (Deed.REPORTED, "Cô schoolA", LessonState.DISPUTED, ""),
        (Deed.SETTLED, "Cô coordinator", LessonState.NOT_HELD, "Lớp đi thi"),
        (Deed.SETTLED, "Cô coordinator", LessonState.NOT_HELD, "Mất điện"),
        (Deed.SETTLED, "Cô coordinator", LessonState.HELD, "Nhầm ngày"),
    ]


def test_a_decision_needs_words_and_a_loss_its_cause(ctx, cast, lesson):
    for made, field in (
        (Settlement(True, None, "  "), "note"),
        (Settlement(True, None, "x" * 201), "note"),
        (Settlement(True, Cause.POWER, "x"), "cause"),
        (Settlement(False, None, "x"), "cause"),
    ):
        with pytest.raises(Invalid) as fault:
            reports.settle(ctx, cast.actors["coordinator"], lesson, made)
        assert set(fault.value.fields) == {field}


# -- history, exports, calendars


def test_what_a_lesson_looked_like_on_monday(ctx, cast, clock):
    monday = ctx.now()
    publish(ctx, cast, draft(ctx, cast, A1))
    lesson = timetable(ctx, cast)[0].id
    clock.at = START
    both(ctx, cast, lesson, HELD, HELD)
    for who in ("teacher1", "schoolA", "coordinator"):
        actor = cast.actors[who]
        assert [x.deed for x in services.history(ctx, actor, lesson)] == [
            Deed.PUBLISHED, Deed.REPORTED,
        ]  # fmt: skip
        assert services.as_of(ctx, actor, lesson, monday + DAY).state is LessonState.SCHEDULED
        assert services.as_of(ctx, actor, lesson, START).state is LessonState.HELD
        assert services.as_of(ctx, actor, lesson, monday - DAY) is None


@pytest.mark.parametrize("school", [HELD, missed(Cause.CLASS)])
def test_calendars_do_not_show_how_a_lesson_went(ctx, cast, clock, school):
    publish(ctx, cast, draft(ctx, cast, A1))
    lesson = timetable(ctx, cast)[0]
    actor = cast.actors["teacher1"]
    feeds.create_link(ctx, actor, FeedKind.TEACHER, cast["teacher1"], "điện thoại")
    clock.at = START
    feeds.render_dirty(ctx)
    shown = stored(ctx)
    found = both(ctx, cast, lesson.id, HELD, school)
    assert (found.sequence, found.changed_at) == (lesson.sequence, lesson.changed_at)
    assert stored(ctx) == shown
    with ctx.transaction() as db:
        feed_rows.mark_all_dirty(db)
    assert feeds.render_dirty(ctx) == 1
    assert [row.etag for row in stored(ctx)] == [row.etag for row in shown]


def stored(ctx):
    with ctx.reading() as db:
        return db.execute(sa.select(tables.feeds)).all()


def test_lessons_of_every_state_can_be_exported(ctx, cast):
    for hours, state in enumerate(LessonState):
        book(ctx, cast, START + timedelta(hours=hours), state=state)
    assert exports.export_lessons(ctx)


# -- laws

SAID = st.one_of(
    st.builds(Report, held=st.just(True), minutes_late=st.integers(0, 45)),
    st.builds(missed, st.sampled_from(Cause)),
)
STEPS = st.one_of(
    st.tuples(st.sampled_from(Side), SAID),
    st.tuples(st.just("settle"), st.none() | st.sampled_from(Cause)),
    st.tuples(st.just("wait"), st.integers(1, 10)),
)
WEIGHTED = st.lists(st.one_of(STEPS, st.tuples(st.sampled_from(Side), SAID)), max_size=8)
FATE = {Cause.CONNECTION, Cause.POWER, Cause.PLATFORM, Cause.SCHOOL_EVENT}


class Model:
    """What the office says by its own rule: the decision, else what both said last."""

    def __init__(self):
        self.said, self.decision = {}, None

    def standing(self):
        if self.decision:
            return self.decision
        if len(self.said) < 2:
            return LessonState.SCHEDULED, None
        teacher, school = self.said[Side.TEACHER], self.said[Side.SCHOOL]
        if teacher.held and school.held:
            return LessonState.HELD, None
        if None not in (teacher.cause, school.cause) and (
            teacher.cause is school.cause or {teacher.cause, school.cause} <= FATE
        ):
            return LessonState.NOT_HELD, school.cause
        return LessonState.DISPUTED, None

    @property
    def closed(self):
        return self.standing()[0] in (LessonState.HELD, LessonState.NOT_HELD)


@settings(max_examples=examples(15), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=WEIGHTED)
def test_the_state_is_what_the_last_reports_and_the_decision_say(ctx, cast, clock, steps):
    with ctx.reading() as db:
        before = len(lessons.find(db, term_id=cast["term"]))  # of earlier examples
    began, model = START + timedelta(hours=before), Model()
    clock.at, lesson = began, book(ctx, cast, began)
    for what, value in steps:
        late = clock.at >= began + timedelta(minutes=45) + 14 * DAY
        if what == "wait":
            clock.forward(days=value)
        elif what == "settle":
            settle(ctx, cast, lesson, value)
            model.decision = (LessonState.NOT_HELD if value else LessonState.HELD, value)
        elif (model.closed or late) and model.said.get(what) != value:
            with pytest.raises(Conflict):
                tell(ctx, cast, lesson, what, value)
        else:
            tell(ctx, cast, lesson, what, value)
            model.said[what] = value
        found = get(ctx, lesson)
        assert (found.state, found.cause) == model.standing()
        with ctx.reading() as db:
            kept = history.of_lesson(db, lesson)
        assert (kept[-1].state if kept else LessonState.SCHEDULED) is found.state


# -- two at once


def test_two_sides_at_once_come_to_one_verdict(ctx, cast, lesson):
    together(
        lambda: tell(ctx, cast, lesson, Side.TEACHER, HELD),
        lambda: tell(ctx, cast, lesson, Side.SCHOOL, HELD),
        lambda: tell(ctx, cast, lesson, Side.TEACHER, HELD),
        lambda: tell(ctx, cast, lesson, Side.SCHOOL, HELD),
    )
    assert get(ctx, lesson).state is LessonState.HELD
    assert [x[0] for x in deeds(ctx, lesson)] == [Deed.REPORTED]


def together(*acts):
    meet = threading.Barrier(len(acts))
    with ThreadPoolExecutor(len(acts)) as pool:
        started = [pool.submit(lambda act: (meet.wait(), act()), act) for act in acts]
    for each in started:
        each.result()


def test_a_report_is_kept_with_its_verdict_or_not_at_all(ctx, cast, lesson, monkeypatch):
    tell(ctx, cast, lesson, Side.TEACHER, HELD)

    def fail(*_args, **_more):
        raise RuntimeError("the power went")

    monkeypatch.setattr(history, "note", fail)
    with pytest.raises(RuntimeError):
        tell(ctx, cast, lesson, Side.SCHOOL, HELD)
    account = reports.seen(ctx, cast.actors["schoolA"], lesson)
    assert (account.lesson.state, set(account.filed)) == (LessonState.SCHEDULED, {Side.TEACHER})


def test_a_note_is_kept_on_one_line(ctx, cast, lesson):
    with pytest.raises(Invalid) as fault:
        tell(ctx, cast, lesson, Side.TEACHER, replace(HELD, note="mạng\n chậm"))
    assert set(fault.value.fields) == {"note"}
    tell(ctx, cast, lesson, Side.TEACHER, replace(HELD, note="  mạng  chậm \n"))
    filed = reports.seen(ctx, cast.actors["teacher1"], lesson).filed
    assert filed[Side.TEACHER].report.note == "mạng chậm"
