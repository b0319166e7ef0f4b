"""What a teacher does with her lessons: at both widths, with and without scripts, by keys alone.

Each task picks somebody whom no other has met, so that they may run in any order.
"""

from contextlib import closing
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from scheduler.domain import reports as report_rules
from scheduler.domain.lessons import LessonState
from scheduler.domain.reminders import Side
from scheduler.domain.reports import Report
from scheduler.services import reports, sides
from scheduler.store import (
    briefs,
    confirmations,
    recipients,
)
from tests.journeys.stage import (
    House,
    Stage,
    Task,
    Visit,
    Way,
    fresh,
    in_every_way,
    span,
)
from tests.journeys.teachers import (
    offered,
    report_of,
    swapping,
    teacher_id,
    teacher_of,
    with_lessons,
    with_untold,
)

pytestmark = pytest.mark.browser
HOUR = timedelta(hours=1)


# -- the next lesson


def reads_the_next_lesson_and_finds_its_door(stage: Stage) -> None:
    me, (lesson, *_) = with_lessons(stage)
    v = stage.enter(me)
    v.open("/teacher")
    v.sees(span(lesson), lesson.class_name, lesson.school_name)
    v.fits()
    v.hands.send(v.link("Enter the lesson"))
    v.headed(v.say("The room is not open yet"))
    v.sees(span(lesson), lesson.school_name)
    assert v.page.url.endswith(f"/j/{fresh(v.ctx, lesson).join_token}")


def says_that_she_will_be_there(stage: Stage) -> None:
    me, (lesson, *_) = with_lessons(stage)
    v = stage.enter(me)
    v.open("/teacher")
    v.hands.send(v.button("I will be there"))
    v.sees(v.say("You will be there. Thank you!"))
    v.open("/teacher")
    v.sees(v.say("You will be there"))
    v.fits()
    with v.ctx.reading() as db:
        assert (lesson.id, me.person_id) in confirmations.of_people(db, [me.person_id])


def cannot_come_and_takes_it_back(stage: Stage) -> None:
    me, (lesson, *_) = with_lessons(stage)
    v = stage.enter(me)
    v.open("/teacher")
    v.hands.send(v.link("I can't"))
    _give_a_reason(v)
    v.headed(v.say("We are looking for somebody to stand in"))
    assert fresh(v.ctx, lesson).state is LessonState.COVER
    v.fits()
    _take_it_back(v)
    assert fresh(v.ctx, lesson).state is LessonState.SCHEDULED


def _give_a_reason(v: Visit) -> None:
    """Each reason is a button of its own, or there is one button for all."""
    ill = v.say("I am ill")
    button = v.main.get_by_role("button", name=ill)
    if button.count():
        v.hands.send(button.first)
        return
    v.hands.tick(v.radio("I can't give this lesson"))
    v.hands.tick(v.main.get_by_role("radio", name=ill))
    v.hands.send(v.button("Send the answer"))


def _take_it_back(v: Visit) -> None:
    if v.check("Take my answer back").count():
        v.hands.tick(v.check("Take my answer back"))
        v.hands.send(v.button("Send the answer"))
    else:
        v.hands.send(v.button("Take my answer back"))
    v.headed(v.say("Will you be there?"))


# -- with colleagues


def takes_over_a_lesson_that_is_offered(stage: Stage) -> None:
    lesson, me = offered(stage)
    v = stage.enter(me)
    v.open("/teacher")
    offer = v.part("You are asked to stand in").locator("li", has_text=span(lesson)).first
    expect(offer).to_contain_text(lesson.class_name)
    v.fits()
    v.hands.send(v.button("I will give this lesson", within=offer))
    v.sees(span(lesson))
    after = fresh(v.ctx, lesson)
    assert (after.teacher_id, after.state) == (teacher_id(me), LessonState.SCHEDULED)


def swaps_a_lesson_with_a_colleague(stage: Stage) -> None:
    me, lesson, other = swapping(stage)
    v = stage.enter(me)
    v.open(f"/teacher/lessons/{lesson.id}")
    v.hands.send(v.link("Swap it with a colleague"))
    v.hands.tick(v.page.locator(f"input[name=wanted][value='{other.id}']"))
    v.hands.write(v.box("A few words, if you like"), "Hôm đó trường em họp.")
    v.fits()
    v.hands.send(v.button("Ask for the swap"))
    v.sees(other.teacher_name)
    assert fresh(v.ctx, lesson).teacher_id == teacher_id(me)
    colleague = teacher_of(stage, other)
    c = stage.enter(colleague)
    c.open(f"/teacher/lessons/{other.id}")
    c.hands.send(c.link("Look at it"))
    c.sees("Hôm đó trường em họp.", span(lesson), span(other))
    c.hands.tick(c.radio("Yes, let us swap"))
    c.fits()
    c.hands.send(c.button("Send the answer"))
    c.headed(c.say("You have swapped. Thank you!"))
    assert fresh(v.ctx, lesson).teacher_id == teacher_id(colleague)
    assert fresh(v.ctx, other).teacher_id == teacher_id(me)


# -- lessons that are over


def writes_a_brief_for_the_next_teacher(stage: Stage) -> None:
    me, (lesson, *_) = with_lessons(stage)
    v = stage.enter(me)
    v.open(f"/teacher/lessons/{lesson.id}")
    v.hands.write(v.box("Unit"), "Unit 3")
    v.hands.write(v.box("What the class did"), "Hai bài đọc\nvà một trò chơi")
    v.fits()
    v.hands.send(v.button("Leave it for the next teacher"))
    v.is_told(v.say("Thank you. Whoever teaches this class reads it."))
    expect(v.box("Unit")).to_have_value("Unit 3")
    with v.ctx.reading() as db:
        kept = briefs.of_lesson(db, lesson.id)
    assert kept is not None
    assert (kept.brief.unit, kept.brief.done) == ("Unit 3", "Hai bài đọc và một trò chơi")


def tells_that_a_lesson_was_held(stage: Stage) -> None:
    me, lesson = with_untold(stage)
    v = stage.enter(me)
    v.open("/teacher")
    row = v.page.locator(f"#told-{lesson.id}")
    v.hands.send(v.button("Held", within=row))
    v.is_told(v.say("Thank you. It is noted."))
    expect(row).to_contain_text(v.say("Change it"))
    v.fits()
    assert report_of(v, lesson) == Report(held=True)


def tells_that_a_lesson_was_not_held(stage: Stage) -> None:
    me, lesson = with_untold(stage)
    v = stage.enter(me)
    v.open("/teacher")
    v.hands.send(v.link("Not held", within=v.page.locator(f"#told-{lesson.id}")))
    expect(v.radio("It was not held")).to_be_checked()
    power = v.page.locator("input[name=cause][value=power]")
    v.hands.tick(power)
    v.hands.write(v.box("A few words, if you like"), "Mất điện cả xã")
    v.fits()
    v.hands.send(v.button("Send the answer"))
    v.is_told(v.say("Thank you. It is noted."))
    said = report_of(v, lesson)
    assert (said.held, said.cause, said.note) == (
        False, report_rules.Cause.POWER, "Mất điện cả xã",
    )  # fmt: skip


def opens_her_record_of_service_and_its_paper(stage: Stage) -> None:
    me, lesson = with_untold(stage)
    with stage.ctx.reading() as db:
        contact = next(iter(recipients.of_schools(db, [lesson.school_id])[lesson.school_id]))
    for side, person in ((Side.TEACHER, me.person_id), (Side.SCHOOL, contact)):
        reports.report(stage.ctx, sides.Speaker(lesson.id, side, person), Report(held=True))
    v = stage.enter(me)
    v.open("/teacher/lessons")
    v.hands.send(v.button("Make the PDF of today"))
    code = v.page.locator("a[href^='/verify/']").first.inner_text()
    v.is_told(code)
    v.fits()
    paper = v.page.locator("a[href$='/paper']").first
    assert v.fetched(paper).startswith(b"%PDF")
    v.hands.send(v.page.locator("a[href^='/verify/']").first)
    v.sees(me.name)


@in_every_way(
    reads_the_next_lesson_and_finds_its_door,
    says_that_she_will_be_there,
    cannot_come_and_takes_it_back,
    takes_over_a_lesson_that_is_offered,
    swaps_a_lesson_with_a_colleague,
    writes_a_brief_for_the_next_teacher,
    tells_that_a_lesson_was_held,
    tells_that_a_lesson_was_not_held,
    opens_her_record_of_service_and_its_paper,
)
def test_a_teacher(house: House, task: Task, way: Way) -> None:
    with closing(Stage(house, way)) as stage:
        task(stage)
