"""A coordinator thanks everybody in one go, and has all certificates printed as one PDF."""

from contextlib import closing
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from scheduler.domain.lessons import Lesson
from scheduler.services import accounts, certificates
from scheduler.store import lessons, tables
from tests import outcomes
from tests.journeys.stage import WAYS, House, Stage, Task, Way, in_every_way, local
from tests.paper import need_pango

pytestmark = pytest.mark.browser

HERE = "/coordinator/reports/certificates"
FEW = 3  # lessons of a day; printing takes its time


def given(stage: Stage, *, back: int) -> date:
    """A day of this task and this way, on which a few lessons were given."""
    with stage.ctx.reading() as db:
        over = [x for x in lessons.find(db) if x.ends_at < stage.ctx.now()]
    days = sorted({_day(each) for each in over})
    day = days[-1 - back - WAYS.index(stage.way)]
    outcomes.hold(stage.ctx, *[x for x in over if _day(x) == day][:FEW])
    return day


def _day(lesson: Lesson) -> date:
    return local(lesson.starts_at, lesson).date()


def about(day: date) -> str:
    return f"{HERE}?from={day:%d/%m/%Y}&to={day:%d/%m/%Y}"


def thanks_everybody_in_one_go(stage: Stage) -> None:
    day = given(stage, back=0)
    v = stage.enter(accounts.operator(stage.ctx))
    v.open(about(day))
    v.hands.send(v.link("Thanks and certificates in one go…"))
    v.sees(v.say("It will read like this"))
    v.is_sound()
    before = thanked(stage)
    press = v.main.locator("form[action$='/thanks'] button")
    count = int("".join(filter(str.isdigit, press.inner_text())))
    assert 1 <= count <= FEW
    v.hands.send(press)
    v.is_told(str(count))
    assert thanked(stage) == before + count
    v.hands.send(v.link("Thank all of them…"))
    v.headed(v.say("All who can be reached were thanked"))
    v.is_sound()


def thanked(stage: Stage) -> int:
    row = tables.outbox.c
    with stage.ctx.reading() as db:
        wanted = sa.select(sa.func.count()).where(row.key.like("thanks:%"))
        return db.scalar(wanted) or 0


def has_all_certificates_printed(stage: Stage) -> None:
    need_pango()
    day = given(stage, back=len(WAYS))
    v = stage.enter(accounts.operator(stage.ctx))
    v.open(about(day))
    v.hands.send(v.main.locator("form[action$='/certificates'] button"))
    v.hands.send(v.link("All in one PDF"))
    v.is_sound()
    v.hands.send(v.button("Print it"))
    v.fits()
    ready = v.main.get_by_role("link", name=v.say("Take the PDF"))
    end = stage.ctx.now() + timedelta(seconds=60)
    while not v.way.script and not ready.count() and stage.ctx.now() < end:
        v.page.wait_for_timeout(500)
        v.page.reload()
    expect(ready).to_be_visible(timeout=60_000)
    v.is_sound()
    assert v.fetched(ready).startswith(b"%PDF-")
    found = certificates.look_at_all(stage.ctx, v.actor, day, day)
    assert all(each.standing for each in found.due)
    v.open(about(day))
    v.sees(*(each.standing.code for each in found.due if each.standing))


@in_every_way(thanks_everybody_in_one_go, has_all_certificates_printed)
def test_a_coordinator_with_papers(house: House, task: Task, way: Way) -> None:
    with closing(Stage(house, way)) as stage:
        task(stage)
