"""What a coordinator tries and takes back: a change in a draft, and days that were kept."""

from contextlib import closing
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from scheduler.domain.lessons import Lesson, LessonState
from scheduler.domain.plans import FixKind, PlanId
from scheduler.domain.requests import RequestId
from scheduler.services import accounts, plans, runs
from scheduler.store import lessons, tables, terms
from tests.journeys.stage import (
    WAYS,
    House,
    Stage,
    Task,
    Visit,
    Way,
    ahead,
    fresh,
    in_every_way,
    local,
)

pytestmark = pytest.mark.browser

KEPT = "/coordinator/disruptions/kept"
SUNDAY = 6  # nobody gives lessons then


# -- trying a change


def lacking(stage: Stage) -> tuple[PlanId, RequestId]:
    """The plan in force, in which a class has no teacher as it asks for Sundays, but could have at
    another time; each way has a class of its own."""
    me = accounts.operator(stage.ctx)
    slots = tables.request_slots
    with stage.ctx.transaction() as db:
        found = ahead(stage.ctx.now(), lessons.find(db))
        asked = sorted({x.request_id for x in found if x.request_id})
        request = asked[WAYS.index(stage.way)]
        mine = slots.c.request_id == request
        first = db.scalar(sa.select(sa.func.min(slots.c.id)).where(mine))
        db.execute(slots.delete().where(mine, slots.c.id != first))
        db.execute(slots.update().where(mine).values(weekday=SUNDAY))
        term = terms.find(db, None)
    assert term is not None
    run = runs.work_here(stage.ctx, runs.start(stage.ctx, me, term.id, 2.0))
    assert run is not None
    assert run.plan_id is not None
    seen = plans.preview(stage.ctx, me, run.plan_id).fingerprint
    plans.publish(stage.ctx, me, run.plan_id, seen)
    return run.plan_id, request


def tries_a_change_and_publishes_it_once_it_is_so(stage: Stage) -> None:
    plan, request = lacking(stage)
    v = stage.enter(accounts.operator(stage.ctx))
    v.open(f"/coordinator/plans/{plan}?gaps=all")
    form = v.main.locator(f"form[action$='/gaps/{request}/try']")
    form = form.filter(has=v.page.locator(f"button[value={FixKind.SLOT}]"))
    v.hands.send(form.locator("button"))
    v.headed(v.say("Trying a change"))
    v.fits()
    assert runs.work_here(stage.ctx) is not None
    v.page.reload()
    v.hands.send(v.link("See what it would change"))
    v.sees(v.say("This draft supposes"), v.say("Not so yet"))
    expect(v.main.locator("form[action$='/publish'] button.go")).to_have_count(0)
    v.is_sound()
    v.hands.send(v.button("It is so now: enter it"))
    v.sees(v.say("So by now"))
    v.hands.send(v.main.locator("form[action$='/publish'] button.go"))
    v.sees(v.say("Everybody sees this plan now"))
    with stage.ctx.reading() as db:
        live = ahead(stage.ctx.now(), lessons.find(db))
    assert request in {x.request_id for x in live}


# -- days that are kept


def of_a_day(stage: Stage) -> Lesson:
    """A lesson weeks ahead; each way has a day of its own."""
    with stage.ctx.reading() as db:
        found = ahead(stage.ctx.now(), lessons.find(db), days=21)
    days = sorted({local(x.starts_at, x).date() for x in found})
    day = days[WAYS.index(stage.way)]
    return next(x for x in found if local(x.starts_at, x).date() == day)


def keeps(v: Visit, kind: str, day: date, reason: str) -> None:
    form = v.main.locator(f"form[aria-labelledby={kind}]")
    v.hands.write(form.locator("[name=first_day]"), f"{day:%d/%m/%Y}")
    v.hands.write(form.locator("[name=reason]"), reason)
    v.hands.send(form.locator("button.main"))


def takes_an_absence_back(stage: Stage) -> None:
    lesson, reason = of_a_day(stage), f"Tập huấn {stage.way.name}"
    day = local(lesson.starts_at, lesson).date()
    v = stage.enter(accounts.operator(stage.ctx))
    v.open("/coordinator/disruptions")
    v.hands.pick(v.main.locator("#away-teacher"), str(lesson.teacher_id))
    keeps(v, "away", day - timedelta(days=400), reason)
    expect(v.main.get_by_role("alert")).to_be_visible()
    expect(v.main.locator("#away-reason")).to_have_value(reason)
    v.is_sound()
    keeps(v, "away", day, reason)
    v.is_sound()
    way = v.main.locator(f"select[name=way-{lesson.id}]")
    if way.locator("option[value=cover]").count():  # else it is what is proposed
        v.hands.pick(way, "cover")
    v.hands.send(v.button("Do it"))
    assert fresh(stage.ctx, lesson).state is LessonState.COVER
    takes_back(v, reason)
    found = fresh(stage.ctx, lesson)
    assert (found.state, found.teacher_id) == (LessonState.SCHEDULED, lesson.teacher_id)


def opens_a_closed_school_again(stage: Stage) -> None:
    lesson, reason = of_a_day(stage), f"Bão {stage.way.name}"
    day = local(lesson.starts_at, lesson).date()
    v = stage.enter(accounts.operator(stage.ctx))
    v.open("/coordinator/disruptions")
    v.hands.press(v.summary("Single schools"))
    with stage.ctx.reading() as db:
        schools = terms.schools(db, lesson.programme_id)
    code = next(x.code for x in schools if x.id == lesson.school_id)
    v.hands.tick(v.main.locator(f"input[name=school][value='{code}']"))
    keeps(v, "closed", day, reason)
    way = v.main.locator(f"select[name=way-{lesson.id}]")
    v.hands.pick(way, "call_off")
    v.hands.send(v.button("Do it"))
    assert fresh(stage.ctx, lesson).state is LessonState.CANCELLED
    takes_back(v, reason)
    assert fresh(stage.ctx, lesson).state is LessonState.SCHEDULED


def takes_back(v: Visit, reason: str) -> None:
    v.open(KEPT)
    v.hands.write(v.box("Teacher, school, reason or coordinator"), reason)
    v.hands.send(v.button("Find"))
    v.is_sound()
    v.hands.send(v.link("Undo…"))
    v.is_sound()
    v.hands.send(v.button("Take the days back"))
    v.is_told(v.say("Taken back. {returned} lessons take place after all, for {kept} nobody is "
                    "looked for any more.").partition("{")[0].strip())  # fmt: skip
    expect(v.main.locator("table")).not_to_contain_text(reason)


@in_every_way(
    tries_a_change_and_publishes_it_once_it_is_so,
    takes_an_absence_back,
    opens_a_closed_school_again,
)
def test_a_coordinator(house: House, task: Task, way: Way) -> None:
    with closing(Stage(house, way)) as stage:
        task(stage)
