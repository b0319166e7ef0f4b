"""Changes by hand: what they would break is said at once, and a green basket can be published."""

from dataclasses import replace
from datetime import timedelta

import pytest

from scheduler.domain.baskets import Add, Alter, CallOff, CautionKind, Time
from scheduler.domain.lessons import Deed, LessonState
from scheduler.domain.plans import ChangeKind, PlanOrigin
from scheduler.errors import Conflict, Invalid, NotFound, Stale
from scheduler.matching import verify
from scheduler.services import baskets, exports, lessons, pins, plans, sending
from scheduler.store import history, tables
from scheduler.store import plans as plan_rows
from tests.faults.kit import Post, write
from tests.planning import WEDNESDAY, draft, publish, timetable

WEEK, DAY = timedelta(days=7), timedelta(days=1)
A1, A2, A3, A4 = (("request_7A", WEDNESDAY + n * WEEK, 505, "teacher1") for n in range(4))
B1 = ("request_8B", WEDNESDAY, 505, "teacher2")


@pytest.fixture
def found(ctx, cast):
    """Lessons of 7A on four Wednesdays with teacher 1, one of 8B with teacher 2."""
    publish(ctx, cast, draft(ctx, cast, A1, A2, A3, A4, B1))
    return {(x.class_name, x.starts_at.date()): x.id for x in timetable(ctx, cast)}


@pytest.fixture
def look(ctx, cast):
    return lambda *moves: baskets.check(ctx, cast.actors["coordinator"], cast["term"], moves)


@pytest.fixture
def keep(ctx, cast):
    def kept(*moves, note="theo yêu cầu của trường"):
        actor = cast.actors["coordinator"]
        return baskets.draft(ctx, actor, cast["term"], moves, note)

    return kept


def rules(check):
    return [clash.rule.msgid for clash in check.clashes]


def kinds(check):
    return [(caution.kind, caution.lesson.class_name) for caution in check.cautions]


def live(ctx, cast):
    zone_hours = 7
    return sorted(
        (x.class_name, x.starts_at.date(), x.starts_at.hour + zone_hours, x.teacher_id)
        for x in timetable(ctx, cast)
        if x.state is not LessonState.CANCELLED
    )


def test_another_teacher_is_a_draft_that_publishes_as_it_was_checked(ctx, cast, found, look, keep):
    first = found["7A", WEDNESDAY]
    move = Alter(first, teacher_id=cast["teacher2"])
    seen = look(move)
    assert rules(seen) == ["A teacher gives one lesson at a time, and rests in between"]
    assert [(x.class_name, x.teacher_name) for x in seen.clashes[0].lessons] == [
        ("7A", "Cô teacher2"), ("8B", "Cô teacher2"),
    ]  # fmt: skip
    both = move, Alter(found["8B", WEDNESDAY], teacher_id=cast["teacher1"])
    assert (rules(look(*both)), kinds(look(*both))) == ([], [])
    assert look(*both).dearer > 0
    plan = keep(*both)
    preview = plans.preview(ctx, cast.actors["coordinator"], plan)
    assert (preview.plan.origin, preview.plan.note) == (PlanOrigin.HAND, "theo yêu cầu của trường")
    assert [line.kind for line in preview.lines] == [ChangeKind.RESTAFFED] * 2
    publish(ctx, cast, plan)
    assert {x.teacher_id for x in timetable(ctx, cast) if x.starts_at.date() == WEDNESDAY} == {
        cast["teacher1"], cast["teacher2"],
    }  # fmt: skip
    with ctx.reading() as db:
        newest = history.of_lesson(db, first)[-1]
    assert (newest.deed, newest.reason) == (Deed.PUBLISHED, "theo yêu cầu của trường")


def test_a_basket_that_breaks_a_rule_is_no_draft(ctx, cast, found, keep):
    with pytest.raises(Conflict, match="This would break a rule: A teacher gives one lesson"):
        keep(Alter(found["7A", WEDNESDAY], teacher_id=cast["teacher2"]))
    with ctx.reading() as db:
        assert len(plan_rows.of_term(db, cast["term"])) == 1


def test_one_lesson_beside_the_weekly_times_stands_alone_and_stays(ctx, cast, found, look, keep):
    """Thursday's first period is accepted, but the class has its weekly lesson on Wednesday."""
    aside = Time(WEDNESDAY + DAY, 450, 495)
    seen = look(Alter(found["7A", WEDNESDAY], time=aside))
    assert (rules(seen), kinds(seen)) == ([], [(CautionKind.DETACHED, "7A")])
    plan = keep(Alter(found["7A", WEDNESDAY], time=aside))
    publish(ctx, cast, plan)
    assert ("7A", WEDNESDAY + DAY, 7, cast["teacher1"]) in live(ctx, cast)
    pinned = [x for x in exports.export_instance(ctx)["current"] if x["pinned"]]
    assert [(x["request"], x["date"]) for x in pinned] == [("A/7A", "2023-10-05")]


def test_a_time_that_no_slot_has_is_for_a_hand_only_and_its_teacher_must_be_free(look, cast, found):
    early = Time(WEDNESDAY + DAY, 430, 475)
    assert kinds(look(Alter(found["7A", WEDNESDAY], time=early))) == [(CautionKind.DETACHED, "7A")]
    for day, start, rule in (
        (WEDNESDAY + DAY, 400, "A teacher is available for the whole lesson"),
        (WEDNESDAY - DAY, 430, None),
        (WEDNESDAY - 2 * DAY, 430, "Only lessons from tomorrow on are changed by hand"),
    ):
        seen = look(Alter(found["7A", WEDNESDAY], time=Time(day, start, start + 45)))
        assert rules(seen) == ([rule] if rule else [])


def test_a_whole_series_may_move(ctx, cast, found, look):
    weeks = [WEDNESDAY + n * WEEK for n in range(4)]
    moves = [Alter(found["7A", day], time=Time(day + DAY, 450, 495)) for day in weeks]
    assert (rules(look(*moves)), kinds(look(*moves))) == ([], [])


def test_one_more_lesson_a_week_than_asked_for_is_a_clash(cast, found, look):
    more = Add(cast["request_7A"], Time(WEDNESDAY + DAY, 450, 495), cast["teacher2"])
    assert rules(look(more)) == ["A request has no more lessons in a week than it asked for"]
    late = replace(more, time=Time(WEDNESDAY + 4 * WEEK, 505, 550))
    assert rules(look(late)) == []
    assert look(late).dearer < 0


def test_calling_off_tells_the_reason_and_no_plan_brings_it_back(ctx, cast, clock, found, keep):
    sending.send_due(ctx, Post())
    clock.forward(minutes=16)
    sending.send_due(ctx, Post())
    publish(ctx, cast, keep(CallOff(found["7A", WEDNESDAY + WEEK], "  Thi  giữa kỳ ")))
    gone = next(x for x in timetable(ctx, cast) if x.id == found["7A", WEDNESDAY + WEEK])
    assert (gone.state, gone.cancel_reason) == (LessonState.CANCELLED, "Thi giữa kỳ")
    clock.forward(minutes=16)
    post = Post()
    sending.send_due(ctx, post)
    assert post.recipients == ["teacher1@x.example", "schoola@x.example"]
    assert all("Lý do: Thi giữa kỳ" in x.get_body(("plain",)).get_content() for x in post.arrived)
    publish(ctx, cast, draft(ctx, cast, A1, A2, A3, A4, B1))
    assert len(live(ctx, cast)) == 4


def test_what_is_called_off_late_is_told_at_once(ctx, cast, clock, found, keep):
    sending.send_due(ctx, Post())
    clock.forward(hours=26)
    sending.send_due(ctx, Post())
    publish(ctx, cast, keep(CallOff(found["7A", WEDNESDAY], "Bão")))
    post = Post()
    sending.send_due(ctx, post)
    assert post.recipients == ["teacher1@x.example", "schoola@x.example"]
    assert all(subject.startswith("Đã huỷ: Thứ Tư 04/10") for subject in post.subjects)


def test_an_undo_brings_back_what_the_basket_called_off(ctx, cast, found, keep):
    before = live(ctx, cast)
    publish(ctx, cast, keep(CallOff(found["7A", WEDNESDAY], "Bão")))
    undo = draft(ctx, cast, A1, A2, A3, A4, B1)
    write(ctx, tables.plans, tables.plans.c.id == undo, origin="undo")
    publish(ctx, cast, undo)
    assert live(ctx, cast) == before
    back = next(x for x in timetable(ctx, cast) if x.id == found["7A", WEDNESDAY])
    assert (back.cancel_reason, back.sequence) == ("", 2)


def test_an_undo_leaves_what_a_school_called_off(ctx, cast, found):
    lessons.call_off(ctx, cast.actors["schoolA"], found["7A", WEDNESDAY], "Mất điện")
    undo = draft(ctx, cast, A1, A2, A3, A4, B1)
    write(ctx, tables.plans, tables.plans.c.id == undo, origin="undo")
    publish(ctx, cast, undo)
    assert len(live(ctx, cast)) == 4


def test_nothing_is_brought_back_on_a_day_that_was_called_off(ctx, cast, found, look):
    lessons.call_off(ctx, cast.actors["schoolA"], found["7A", WEDNESDAY], "Mất điện")
    again = Add(cast["request_7A"], Time(WEDNESDAY, 505, 550), cast["teacher1"])
    assert rules(look(again)) == ["What was called off for a day is not brought back on it"]
    instead = CallOff(found["7A", WEDNESDAY + WEEK], "Thi")
    same_day = Add(cast["request_7A"], Time(WEDNESDAY + WEEK, 560, 605), cast["teacher1"])
    assert len(rules(look(instead, same_day))) == 1


def test_what_another_coordinator_pinned_stays_and_ones_own_moves(ctx, cast, found, look):
    lesson = found["7A", WEDNESDAY]
    move = Alter(lesson, teacher_id=cast["teacher1"], time=Time(WEDNESDAY + DAY, 450, 495))
    for owner, broken in (
        ("person_schoolA", ["Pinned and past lessons stay exactly as they are"]),
        ("person_coordinator", []),
    ):
        with ctx.transaction() as db:
            baskets.pins.put(db, [lesson], cast[owner], "hẹn", None, ctx.now())
        assert rules(look(move)) == broken


def test_a_pinned_lesson_that_was_called_off_stands_in_no_baskets_way(ctx, cast, found, look):
    actor = cast.actors["coordinator"]
    first, second = found["7A", WEDNESDAY], found["7A", WEDNESDAY + WEEK]
    pins.put(ctx, actor, [first], "hẹn")
    lessons.call_off(ctx, actor, first, "Bão")
    assert look(Alter(second, teacher_id=cast["teacher2"])).clashes == ()


def test_what_was_wrong_before_is_not_the_baskets_fault(ctx, cast, found, look):
    """Teacher 1 has promised two lessons of the term and gives four."""
    write(ctx, tables.pledges, tables.pledges.c.teacher_id == cast["teacher1"], max_total=2)
    aside = Alter(found["7A", WEDNESDAY], time=Time(WEDNESDAY + DAY, 450, 495))
    assert rules(look(aside)) == []
    more = Alter(found["8B", WEDNESDAY], teacher_id=cast["teacher1"])
    assert "A teacher stays within the lessons of the term" in rules(look(more))


def test_softer_warnings_name_what_a_coordinator_may_do(ctx, cast, found, look):
    write(ctx, tables.availability, tables.availability.c.weekday == 3, if_needed=True)
    aside = Time(WEDNESDAY + DAY, 450, 495)
    assert kinds(look(Alter(found["7A", WEDNESDAY], time=aside))) == [
        (CautionKind.DETACHED, "7A"), (CautionKind.IF_NEEDED, "7A"),
    ]  # fmt: skip


def test_a_basket_says_one_thing_of_each_lesson_and_names_what_is_there(ctx, cast, found, look):
    lesson = found["7A", WEDNESDAY]
    with pytest.raises(Invalid, match="twice"):
        look(Alter(lesson, teacher_id=cast["teacher2"]), CallOff(lesson, "x"))
    for odd in ((), tuple(CallOff(n, "x") for n in range(201)), (CallOff(lesson, " "),),
                (Alter(lesson, time=Time(WEDNESDAY, 500, 500)),)):  # fmt: skip
        with pytest.raises(Invalid):
            look(*odd)
    for move in (
        CallOff(9999, "x"), Alter(lesson, teacher_id=9999),
        Add(9999, Time(WEDNESDAY, 505, 550), cast["teacher1"]),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            look(move)


def test_only_who_plans_the_term_fills_a_basket(ctx, cast, found):
    move = (CallOff(found["7A", WEDNESDAY], "x"),)
    for name in ("stranger", "teacher1", "schoolA"):
        with pytest.raises(Exception, match=r"no such term|may not"):
            baskets.check(ctx, cast.actors[name], cast["term"], move)


def test_a_timetable_that_changed_while_looking_makes_no_draft(ctx, cast, found, keep, monkeypatch):
    real = baskets.explain.explain

    def meanwhile(instance, plan):
        lessons.call_off(ctx, cast.actors["schoolB"], found["8B", WEDNESDAY], "Mất điện")
        return real(instance, plan)

    monkeypatch.setattr(baskets.explain, "explain", meanwhile)
    with pytest.raises(Stale):
        keep(CallOff(found["7A", WEDNESDAY], "Bão"))


def test_a_draft_tells_what_the_term_still_lacks(ctx, cast, found, keep):
    plan = keep(CallOff(found["7A", WEDNESDAY], "Bão"))
    seen = plans.preview(ctx, cast.actors["coordinator"], plan)
    assert seen.plan.requested - seen.plan.taught == sum(gap.missing for gap in seen.gaps)
    assert {gap.request.class_name for gap in seen.gaps} == {"7A", "8B"}


def test_every_rule_of_the_engine_has_its_sentence():
    assert set(verify.RULES) | {baskets.OVER.msgid, baskets.OFF.msgid} == set(baskets.RULES)
    assert set(verify.RULES) > baskets.WEEKLY
