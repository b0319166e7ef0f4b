"""What a coordinator does with the page of a lesson: at both widths, with and without scripts."""

from contextlib import closing

import pytest

from scheduler.domain.access import Role
from scheduler.domain.lessons import Lesson, LessonState
from scheduler.services import accounts, cover
from scheduler.store import lessons as rows
from tests.journeys.stage import House, Stage, Task, Visit, Way, ahead, fresh, in_every_way, local

pytestmark = pytest.mark.browser


def coordinator(stage: Stage) -> Visit:
    return stage.enter(accounts.people_with(stage.ctx, Role.COORDINATOR)[0])


def of_later(stage: Stage, *, number: int) -> Lesson:
    """A lesson of another day that several teachers could give; one for each task."""
    me = accounts.people_with(stage.ctx, Role.COORDINATOR)[0]
    with stage.ctx.reading() as db:
        found = ahead(stage.ctx.now(), list(rows.find(db)), days=3)
    fitting = (
        x for x in found
        if sum(line.fits for line in cover.ranking(stage.ctx, me, x.id)) > 3
    )  # fmt: skip
    return next(x for n, x in enumerate(fitting) if n == number)


def gives_a_lesson_over_by_telephone(stage: Stage) -> None:
    v, lesson = coordinator(stage), of_later(stage, number=0)
    week = local(lesson.starts_at, lesson).date()
    v.open(f"/coordinator/schools/{lesson.school_id}?week={week}")
    v.hands.send(v.main.locator(f'a[href="/coordinator/lessons/{lesson.id}"]').first)
    v.fits()
    v.hands.write(v.box("Its teacher cannot come?"), "ốm, gọi lúc 13:20")
    v.hands.send(v.button("Look for cover"))
    v.is_told(v.say("We look for somebody to stand in."))
    v.sees("ốm, gọi lúc 13:20")
    v.fits()
    who = v.list("Who gives the lesson")
    chosen = who.evaluate("e => [...e.options].map(o => o.value)")[1]
    v.hands.pick(who, chosen)
    v.hands.write(v.box("What was agreed"), "nhận qua điện thoại")
    v.hands.send(v.button("Give the lesson over"))
    found = fresh(stage.ctx, lesson)
    assert (str(found.teacher_id), found.state) == (chosen, LessonState.SCHEDULED)
    v.sees(found.teacher_name, "nhận qua điện thoại")


def puts_a_change_into_the_basket_and_takes_it_out(stage: Stage) -> None:
    v, lesson = coordinator(stage), of_later(stage, number=1)
    v.open(f"/coordinator/lessons/{lesson.id}")
    v.hands.send(v.link("Another teacher or time…"))
    v.fits()
    v.hands.tick(v.main.locator("input[name=teacher]").nth(1))
    v.hands.send(v.button("Put it into the basket"))
    v.is_told(v.say("It lies in the basket. Nothing has changed for anybody yet."))
    v.sees(v.say("It breaks no rule."))
    v.fits()
    assert fresh(stage.ctx, lesson).teacher_id == lesson.teacher_id
    v.hands.send(v.button("Take out"))
    v.headed(v.say("The basket is empty"))


def watches_the_day(stage: Stage) -> None:
    v = coordinator(stage)
    v.open("/coordinator")
    v.fits()
    v.hands.send(v.link("Reload"))
    v.hands.send(v.link("The term at a glance"))
    v.fits()


@in_every_way(
    gives_a_lesson_over_by_telephone,
    puts_a_change_into_the_basket_and_takes_it_out,
    watches_the_day,
)
def test_a_coordinator(house: House, task: Task, way: Way) -> None:
    with closing(Stage(house, way)) as stage:
        task(stage)
