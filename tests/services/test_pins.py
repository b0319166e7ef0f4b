"""Pins: who wants a lesson to stay, why and until when; no plan moves it meanwhile."""

import threading
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from scheduler.domain.plans import PlanState
from scheduler.errors import ChungTayError, Conflict, Invalid, NotAllowed, NotFound
from scheduler.services import lessons, pins, plans
from scheduler.store import plans as plan_rows
from scheduler.store import tables
from tests.planning import A1, A2, draft, publish, timetable

A2_OTHER = (*A2[:3], "teacher2")


@pytest.fixture
def lesson(ctx, cast):
    publish(ctx, cast, draft(ctx, cast, A1, A2))
    return timetable(ctx, cast)[1]


def pinned(ctx, cast):
    found = pins.of_term(ctx, cast.actors["coordinator"], cast["term"])
    return [(x.lesson.id, x.pin.owner, x.pin.note, x.pin.until) for x in found]


def audited(ctx, action):
    with ctx.reading() as db:
        where = tables.audits.c.action == action
        return db.scalar(sa.select(sa.func.count()).select_from(tables.audits).where(where))


def test_a_pin_has_an_owner_a_note_and_a_last_day(ctx, cast, clock, lesson):
    coordinator, until = cast.actors["coordinator"], date(2023, 10, 5)
    for _ in range(2):  # twice is once
        pins.put(ctx, coordinator, [lesson.id], "  hẹn với  cô hiệu trưởng ", until)
    assert pinned(ctx, cast) == [(lesson.id, "Cô coordinator", "hẹn với cô hiệu trưởng", until)]
    assert audited(ctx, "pin") == 1
    clock.forward(days=4)
    assert pinned(ctx, cast) == []
    pins.put(ctx, coordinator, [lesson.id], "vẫn thế")
    assert pinned(ctx, cast) == [(lesson.id, "Cô coordinator", "vẫn thế", None)]
    assert [pins.remove(ctx, coordinator, [lesson.id]) for _ in range(2)] == [1, 0]
    assert (pinned(ctx, cast), audited(ctx, "unpin")) == ([], 1)


def test_odd_pins_are_refused(ctx, cast, clock, lesson):
    coordinator = cast.actors["coordinator"]
    for note, until, field in (
        (" ", None, "note"),
        ("x" * 201, None, "note"),
        ("x", date(2023, 10, 1), "until"),
    ):
        with pytest.raises(Invalid) as refused:
            pins.put(ctx, coordinator, [lesson.id], note, until)
        assert list(refused.value.fields) == [field]
    for ids in ([], [99], [lesson.id, 99]):
        with pytest.raises(NotFound):
            pins.put(ctx, coordinator, ids, "x")
    lessons.call_off(ctx, coordinator, lesson.id, "Bão")
    with pytest.raises(Conflict):
        pins.put(ctx, coordinator, [lesson.id], "x")
    clock.forward(days=3)
    with pytest.raises(Conflict):
        pins.put(ctx, coordinator, [timetable(ctx, cast)[0].id], "x")
    assert pinned(ctx, cast) == []


@pytest.mark.parametrize("who", ["teacher1", "schoolA", "schoolB", "teacher2", "stranger"])
def test_nobody_else_pins_or_sees_pins(ctx, cast, lesson, who):
    actor = cast.actors[who]
    pins.put(ctx, cast.actors["coordinator"], [lesson.id], "x")
    with pytest.raises((NotFound, NotAllowed)):
        pins.put(ctx, actor, [lesson.id], "y")
    with pytest.raises((NotFound, NotAllowed)):
        pins.remove(ctx, actor, [lesson.id])
    with pytest.raises((NotFound, NotAllowed)):
        pins.of_term(ctx, actor, cast["term"])
    assert [note for _, _, note, _ in pinned(ctx, cast)] == ["x"]


def test_a_draft_that_moves_a_pinned_lesson_says_so_and_is_not_published(ctx, cast, lesson):
    coordinator = cast.actors["coordinator"]
    plan = draft(ctx, cast, A1, A2_OTHER)
    pins.put(ctx, coordinator, [lesson.id], "đã hẹn")
    seen = plans.preview(ctx, coordinator, plan)
    assert [(pin.lesson_id, pin.note) for pin in seen.pinned] == [(lesson.id, "đã hẹn")]
    with pytest.raises(Conflict, match="pinned"):
        plans.publish(ctx, coordinator, plan, seen.fingerprint)
    assert timetable(ctx, cast)[1] == lesson
    pins.remove(ctx, coordinator, [lesson.id])
    plans.publish(ctx, coordinator, plan, seen.fingerprint)
    assert timetable(ctx, cast)[1].teacher_id == cast["teacher2"]


def test_a_pin_and_a_publication_at_once_come_one_after_the_other(ctx, cast, lesson):
    coordinator = cast.actors["coordinator"]
    plan = draft(ctx, cast, A1, A2_OTHER)
    seen = plans.preview(ctx, coordinator, plan).fingerprint
    barrier = threading.Barrier(2)
    refused = []

    def go(act):
        barrier.wait()
        try:
            act()
        except ChungTayError as error:
            refused.append(str(error))

    acts = (
        lambda: plans.publish(ctx, coordinator, plan, seen),
        lambda: pins.put(ctx, coordinator, [lesson.id], "x"),
    )
    threads = [threading.Thread(target=go, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with ctx.reading() as db:
        published = plan_rows.get(db, plan).state is PlanState.PUBLISHED
    assert published is not any("pinned" in each for each in refused)
    assert timetable(ctx, cast)[1].teacher_id == cast["teacher2" if published else "teacher1"]
    assert len(pinned(ctx, cast)) == 1
    assert lesson.starts_at - ctx.now() > timedelta(days=1)
