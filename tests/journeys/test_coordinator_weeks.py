"""A coordinator looks for somebody in a week, and reminds who has not answered."""

from contextlib import closing
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from scheduler.domain.intervals import monday
from scheduler.services import accounts, readiness
from scheduler.store import lessons, tables
from tests.journeys.stage import House, Stage, Task, Way, ahead, in_every_way, local

pytestmark = pytest.mark.browser


def finds_a_teacher_in_the_week_of_a_day(stage: Stage) -> None:
    with stage.ctx.reading() as db:
        lesson = ahead(stage.ctx.now(), lessons.find(db), days=8)[0]
    day = local(lesson.starts_at, lesson).date()
    v = stage.enter(accounts.operator(stage.ctx))
    v.open("/coordinator/week")
    v.hands.write(v.box("Week of the day"), f"{day:%d/%m/%Y}")
    v.hands.write(v.box("Class or teacher"), lesson.teacher_name.upper())
    v.hands.send(v.button("Show"))
    v.headed(f"{monday(day):%d/%m}")
    called = " ".join(lesson.teacher_name.split()[-2:])
    line = v.main.locator(f"a[href='/coordinator/lessons/{lesson.id}']")
    expect(line).to_contain_text(f"{lesson.class_name} {called}")
    if v.way.width < 1024 and v.way.script:
        v.page.locator(f".days .l{day.weekday() + 2} label").click()
        expect(line).to_be_visible()
    v.fits()
    v.hands.send(v.link("Week after"))
    v.headed(f"{monday(day) + timedelta(days=7):%d/%m}")
    expect(v.box("Class or teacher")).to_have_value(lesson.teacher_name.upper())


def reminds_those_who_have_not_confirmed(stage: Stage) -> None:
    me = accounts.operator(stage.ctx)
    with stage.ctx.transaction() as db:  # each way its own: nobody gets two on one day
        db.execute(tables.outbox.delete().where(tables.outbox.c.key.like("nudge:%")))
    waiting = readiness.look(stage.ctx, me).count(readiness.Stand.UNCONFIRMED)
    v = stage.enter(me)
    v.open("/coordinator/demand")
    v.fits()
    v.hands.send(v.link("Who has not yet said when they can teach?"))
    v.fits()
    v.hands.send(v.main.locator("a[href='/coordinator/readiness/unconfirmed']"))
    v.sees("/teacher/availability")
    v.fits()
    v.hands.send(v.main.locator("form button"))
    v.is_told(str(waiting))
    v.hands.send(v.main.locator("a[href='/coordinator/readiness/unconfirmed']"))
    v.headed(v.say("All of them had a reminder today"))


@in_every_way(finds_a_teacher_in_the_week_of_a_day, reminds_those_who_have_not_confirmed)
def test_a_coordinator(house: House, task: Task, way: Way) -> None:
    with closing(Stage(house, way)) as stage:
        task(stage)
