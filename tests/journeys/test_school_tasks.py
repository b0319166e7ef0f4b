"""What a school does with its pages: at both widths, with and without scripts, by keys alone.

A task that changes what others look at picks lessons and classes of its own, or puts things back.
"""

from collections import Counter
from contextlib import closing
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from scheduler.domain.lessons import LessonState
from scheduler.domain.people import SchoolId
from scheduler.domain.reminders import Side
from scheduler.domain.reports import Report
from scheduler.domain.requests import Request
from scheduler.services import invitations, requests
from scheduler.store import reports as report_rows
from scheduler.store import tables
from tests.journeys import everyone
from tests.journeys.schools import (
    bells_of,
    closed_days,
    lacking,
    lesson_of_a_school,
    lessons_of,
    of_week,
    open_reports,
    open_week,
    quiet_day,
    request_of,
    requests_of,
    restore,
)
from tests.journeys.stage import (
    House,
    Stage,
    Task,
    Visit,
    Way,
    ahead,
    fresh,
    in_every_way,
    local,
    span,
)

pytestmark = pytest.mark.browser


# -- the week and the wall


def reads_the_week_and_the_next_one(stage: Stage) -> None:
    me, school = stage.school()
    v = stage.enter(me)
    today = local(stage.ctx.now(), lessons_of(stage, school)[0]).date()
    first = today - timedelta(days=today.weekday())
    v.open("/school")
    for monday in (first, first + timedelta(days=7)):
        week = of_week(stage, school, monday)
        v.headed(str(len(week)))
        v.sees(*{x.teacher_name for x in week}, *{span(x) for x in week})
        v.fits()
        if monday == first:
            v.hands.send(v.link("Week after"))


def reads_the_timetable_by_class_and_prints_it(stage: Stage) -> None:
    me, school = stage.school()
    v = stage.enter(me)
    v.open("/school/timetable")
    v.hands.send(v.link("By class"))
    classes = {x.class_name for x in ahead(stage.ctx.now(), lessons_of(stage, school))}
    found = {x.strip() for x in v.page.locator("table.wk tbody th").all_inner_texts()}
    assert found & classes
    v.fits()
    v.hands.send(v.link("For the wall"))
    v.page.emulate_media(media="print")
    expect(v.page.get_by_role("button", name=v.say("Print"))).to_have_count(0)
    expect(v.page.locator("table.wall")).to_be_visible()
    v.page.emulate_media(media="screen")
    v.fits()
    assert v.fetched(v.link("PDF")).startswith(b"%PDF")
    v.hands.send(v.link("Back to the timetable"))
    expect(v.page.locator("table.wk")).to_be_visible()


# -- asking for lessons


def asks_for_two_lessons_a_week(stage: Stage) -> None:
    me, school = stage.school()
    known = requests_of(stage, school)
    v = stage.enter(me)
    v.open("/school/requests")
    form = v.main.locator("form[action^='/school/requests?']")
    class_name = v.list("Class", form).locator("option").nth(1).get_attribute("value") or ""
    v.hands.pick(v.list("Class", form), class_name)
    v.hands.pick(v.list("Lessons a week", form), "2")
    v.hands.write(v.box("From", within=form), "09/10/2023")
    v.hands.write(v.box("Until", within=form), "05/11/2023")
    picks = form.locator("select[name^=slot-]")
    names = [str(x.get_attribute("name")) for x in picks.all()]
    days = sorted({name.split("-")[1] for name in names})[:3]
    chosen = [next(n for n in names if n.startswith(f"slot-{day}-")) for day in days]
    for rank, name in zip("112", chosen, strict=True):
        v.hands.pick(form.locator(f"select[name='{name}']"), rank)
    if v.way.script:
        expect(v.page.locator("#choice .note.ok")).to_be_visible()  # enough days are chosen
    v.fits()
    v.hands.send(v.button("Ask for these lessons"))
    v.is_told(class_name)
    (made,) = [x for x in requests_of(stage, school) if x.id not in {k.id for k in known}]
    assert (made.class_name, made.lessons_per_week) == (class_name, 2)
    assert sorted(slot.rank for slot in made.slots) == [0, 0, 1]
    _takes_back_and_asks_again(v, stage, school, made)


def _takes_back_and_asks_again(v: Visit, stage: Stage, school: SchoolId, made: Request) -> None:
    row = v.page.locator(f"#r-{made.id}")
    if not row.count():
        return  # on another page of a long list
    v.hands.press(v.summary("Take back", row))
    v.hands.send(row.locator(f"form[action$='/{made.id}/withdraw'] button"))
    assert made.id not in {x.id for x in requests_of(stage, school)}
    v.hands.send(v.main.locator(f"form[action$='/{made.id}/restore'] button"))
    assert made.id in {x.id for x in requests_of(stage, school)}


def pastes_rows_and_mends_the_bad_one(stage: Stage) -> None:
    me, school = stage.school()
    asked = requests_of(stage, school)
    # Whose class asked twice, of that one a row would not say which of the two it means.
    often = Counter(each.class_name for each in asked)
    one, two = sorted(name for name, times in often.items() if times == 1)[:2]
    bell = bells_of(stage, school)[0]
    slot = {"morning": "sáng", "afternoon": "chiều"}[bell.half_day] + f" tiết {bell.number}"
    good, day = f"{one}\t1\t16/10/2023\t03/12/2023\tT2 {slot}", "16/10/2023\t03/12/2023"
    v = stage.enter(me)
    v.open("/school/requests")
    v.hands.send(v.link("Paste from Excel"))
    v.hands.write(v.box("Rows of your list"), f"{good}\n{two}\t1\t{day}\tT2 sáng tiết 99")
    v.hands.send(v.button("See what the rows mean"))
    v.sees(v.say("Needs mending"))
    assert requests_of(stage, school) == asked
    v.fits()
    v.hands.write(v.box("Rows of your list"), f"{good}\n{two}\t1\t{day}\tT3 {slot}")
    v.hands.send(v.button("Look again"))
    expect(v.page.get_by_text(v.say("Needs mending"))).to_have_count(0)
    v.fits()
    v.hands.send(v.main.locator("button[name=which][value=all]"))
    v.is_told(v.say("Saved. New: {new}, changed: {changed}, left out: {left_out}.").split(".")[0])
    now = {(x.class_name, x.first_day) for x in requests_of(stage, school)}
    assert {(one, date(2023, 10, 16)), (two, date(2023, 10, 16))} <= now
    restore(stage, school, asked)


def sees_why_a_lesson_is_missing_and_takes_the_fix_up(stage: Stage) -> None:
    me, asked, fix = lacking(stage)
    v = stage.enter(me)
    v.open("/school/requests")
    note = v.page.locator(f"#fix-{asked.id}")
    v.sees(v.say("Why:"), v.say("The smallest change"))
    v.fits()
    take = note.get_by_role("link").first
    (v.hands.press if v.way.script else v.hands.send)(take)
    if v.way.script:  # the part is swapped in, and focus goes along
        expect(note.get_by_role("heading")).to_be_focused()
    v.hands.send(v.button("Yes, ask for it"))
    v.is_told(asked.class_name)
    v.fits()
    taken = {(x.weekday, x.start) for x in request_of(stage, asked.id).slots}
    assert (fix.weekday, fix.start) in taken
    v.hands.send(v.button("Undo", within=v.page.locator(f"#r-{asked.id}")))
    v.is_told(asked.class_name)
    assert request_of(stage, asked.id).slots == asked.slots
    requests.withdraw(stage.ctx, me, asked.id)


# -- hours and closed days


def changes_a_bell_and_puts_it_back(stage: Stage) -> None:
    me, school = stage.school()
    before = bells_of(stage, school)
    v = stage.enter(me)
    field = v.page.locator("input[id^=end-]").first
    v.open("/school/hours")
    was = field.input_value()
    hour, minute = map(int, was.split(":"))
    later = f"{hour:02}:{minute + 1:02}" if minute < 59 else f"{hour + 1:02}:00"
    for value, after in ((later, False), (was, True)):
        v.hands.write(field, value)
        v.hands.write(v.box("Why do the hours change?"), "Giờ mùa đông")
        v.fits()
        v.hands.send(v.button("See what moves"))
        v.sees(v.say("What else"))
        for choice in v.main.locator("fieldset[id^=fate-]").all():
            v.hands.tick(choice.locator("input").first)
        v.fits()
        v.hands.send(v.button("Change the hours"))
        expect(field).to_have_value(value)
        expect(v.page.locator("#status")).not_to_be_empty()
        assert (bells_of(stage, school) == before) is after


def closes_a_day_and_opens_it_again(stage: Stage) -> None:
    me, school = stage.school()
    day = quiet_day(stage, school)
    v = stage.enter(me)
    v.open("/school/hours")
    closed = v.part("Closed days and exam weeks")
    v.hands.write(v.box("First day", within=closed), f"{day:%d/%m/%Y}")
    v.hands.write(v.box("Why is the school closed?", within=closed), "Thi học kỳ")
    v.fits()
    v.hands.send(v.button("See the lessons of these days"))
    v.sees("Thi học kỳ", v.say("Nothing is changed yet."))
    assert day not in closed_days(stage, school)
    v.fits()
    v.hands.send(v.button("Close the school on these days"))
    expect(closed).to_contain_text("Thi học kỳ")
    assert day in closed_days(stage, school)
    line = closed.locator("li", has_text=f"{day:%d/%m}")
    v.hands.send(v.button("Open again", within=line))
    expect(line).to_have_count(0)
    assert day not in closed_days(stage, school)


# -- one lesson


def calls_a_lesson_off(stage: Stage) -> None:
    me, lesson = lesson_of_a_school(stage)
    v = stage.enter(me)
    open_week(v, lesson)
    v.hands.send(v.page.locator(f"a[href$='/lessons/{lesson.id}/call-off']"))
    v.sees(span(lesson), lesson.teacher_name)
    v.hands.write(v.box("Why is it called off?"), "Thi giữa kỳ")
    v.fits()
    v.hands.send(v.button("Call off for everyone"))
    expect(v.page.locator("#status")).not_to_be_empty()
    v.sees("Thi giữa kỳ")
    v.fits()
    after = fresh(v.ctx, lesson)
    assert (after.state, after.cancel_reason) == (LessonState.CANCELLED, "Thi giữa kỳ")


def asks_to_move_a_lesson(stage: Stage) -> None:
    me, lesson = lesson_of_a_school(stage, movable=True)
    v = stage.enter(me)
    open_week(v, lesson)
    v.hands.send(v.page.locator(f"a[href$='/lessons/{lesson.id}/move']"))
    v.hands.tick(v.page.locator("input[name=time]").first)
    v.hands.write(v.box("Why should it move?"), "Chào cờ")
    v.fits()
    v.hands.send(v.button("Ask to move the lesson"))
    v.is_told(lesson.class_name)
    assert fresh(v.ctx, lesson).starts_at == lesson.starts_at
    with v.ctx.reading() as db:
        told = db.scalars(sa.select(tables.outbox.c.payload)).all()
    assert any("Chào cờ" in str(each) for each in told)


def tells_how_a_lesson_went(stage: Stage) -> None:
    now = stage.ctx.now()
    me, school = stage.school(lambda x: open_reports(stage, x))
    lesson = open_reports(stage, school)[-1]
    v = stage.enter(me)
    open_week(v, lesson)
    v.hands.send(v.page.locator(f"a[href$='/lessons/{lesson.id}/report']"))
    v.hands.tick(v.page.locator("input[name=answer][value=late]"))
    v.hands.write(v.box("If late: by how many minutes?"), "5")
    v.fits()
    v.hands.send(v.button("Send the answer"))
    v.is_told(v.say("Thank you. It is noted."))
    assert lesson.ends_at < now
    with v.ctx.reading() as db:
        said = report_rows.of_lessons(db, [lesson.id])[lesson.id][Side.SCHOOL].report
    assert said == Report(held=True, minutes_late=5)


# -- people and the account


def invites_a_colleague_and_takes_it_back(stage: Stage) -> None:
    me, school = stage.school()
    email = f"dong.nghiep.{school}@yenbai.example"
    v = stage.enter(me)
    v.open("/school/people")
    v.hands.write(v.box("Name"), "Lò Thị Mây")
    v.hands.write(v.box("Mail address"), email)
    v.fits()
    v.hands.send(v.button("Send the invitation"))
    v.is_told(email)
    v.fits()
    v.hands.send(v.page.locator("form[action$='/take-back'] button").first)
    v.is_told(v.say("The invitation is taken back."))
    (mine, *_) = [x for x in invitations.listed(v.ctx, me) if x.invitation.email == email]
    expect(v.page.locator("form[action$='/take-back']")).to_have_count(0)
    assert mine.invitation.accepted_at is None


def leaves_the_first_steps_and_comes_back(stage: Stage) -> None:
    me, _ = stage.school()
    v = stage.enter(me)
    v.open("/school")
    steps = v.page.locator("#steps")
    v.hands.send(steps.get_by_role("link").first)
    v.open("/school")
    expect(steps).to_be_visible()
    v.fits()
    v.hands.send(v.button("Later", within=steps))
    v.is_told(v.say("The steps are hidden. Each one stays in the menu."))
    expect(steps).to_have_count(0)


def switches_the_language(stage: Stage) -> None:
    everyone.switches_the_language(stage.enter(stage.school()[0]), "/school")


def takes_a_copy_of_the_data(stage: Stage) -> None:
    everyone.takes_a_copy_of_the_data(stage.enter(stage.school()[0]))


def signs_out(stage: Stage) -> None:
    everyone.signs_out(stage.enter(stage.school()[0]), "/school")


@in_every_way(
    asks_for_two_lessons_a_week,
    reads_the_week_and_the_next_one,
    reads_the_timetable_by_class_and_prints_it,
    pastes_rows_and_mends_the_bad_one,
    sees_why_a_lesson_is_missing_and_takes_the_fix_up,
    changes_a_bell_and_puts_it_back,
    closes_a_day_and_opens_it_again,
    calls_a_lesson_off,
    asks_to_move_a_lesson,
    tells_how_a_lesson_went,
    invites_a_colleague_and_takes_it_back,
    leaves_the_first_steps_and_comes_back,
    switches_the_language,
    takes_a_copy_of_the_data,
    signs_out,
)
def test_a_school(house: House, task: Task, way: Way) -> None:
    with closing(Stage(house, way)) as stage:
        task(stage)
