"""What a teacher does with her pages: at both widths, with and without scripts, by keys alone.

Each task picks somebody whom no other has met, so that they may run in any order.
"""

from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

from scheduler.delivery import fetching
from scheduler.domain import reports as report_rules
from scheduler.domain.access import Actor
from scheduler.domain.answers import Excuse, Reason, Reply
from scheduler.domain.availability import Pledge, Wanted
from scheduler.domain.lessons import Lesson, LessonState
from scheduler.domain.reminders import Side
from scheduler.domain.reports import Report
from scheduler.services import answers, reports, sides, swap_partners, teacher_desk
from scheduler.store import (
    availability,
    briefs,
    busy,
    choices,
    confirmations,
    feed_links,
    lessons,
    offers,
    recipients,
    terms,
)
from scheduler.store import reports as report_rows
from tests.calendars.wire import Wire, event, ics
from tests.journeys import everyone
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
    untold,
)

pytestmark = pytest.mark.browser
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def calendar(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one private calendar that there is, at the far end of the wire."""
    start = house.ctx.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
    body = ics(
        event("lunch", start, start + HOUR),
        event("lesson-1@chungtay.example", start + 5 * HOUR, start + 6 * HOUR),
    )
    monkeypatch.setattr(fetching, "fetch", Wire(body))


# -- the next lesson


def reads_the_next_lesson_and_finds_its_door(stage: Stage) -> None:
    me, (lesson, *_) = _with_lessons(stage)
    v = stage.enter(me)
    v.open("/teacher")
    v.sees(span(lesson), lesson.class_name, lesson.school_name)
    v.fits()
    v.hands.send(v.link("Enter the lesson"))
    v.headed(v.say("The room is not open yet"))
    v.sees(span(lesson), lesson.school_name)
    assert v.page.url.endswith(f"/j/{fresh(v.ctx, lesson).join_token}")


def says_that_she_will_be_there(stage: Stage) -> None:
    me, (lesson, *_) = _with_lessons(stage)
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
    me, (lesson, *_) = _with_lessons(stage)
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


# -- hours, days away, promises


def tells_her_week_from_scratch(stage: Stage) -> None:
    me, _ = _with_lessons(stage)
    v = stage.enter(me)
    v.open("/teacher/availability")
    wanted = {"1m": "yes", "3a": "maybe"}
    for day in range(7):
        _show_day(v, day)
        for half in ("m", "a", "e"):
            name = f"{day}{half}"
            choice = v.page.locator(f"[id='{name}-{wanted.get(name, 'no')}']")
            if choice.count():
                v.hands.tick(choice)
    v.fits()
    v.hands.send(v.main.locator("form button.go"))
    v.sees(v.say("Your hours are saved. Thank you!"))
    pledge = _pledge(v)
    found = {(x.weekday, x.if_needed) for x in pledge.windows if x.last_day is None}
    assert found == {(1, False), (3, True)}
    assert all(x.end <= 13 * 60 for x in pledge.windows if x.weekday == 1 and not x.last_day)


def _show_day(v: Visit, day: int) -> None:
    """A phone shows one day, which a radio picks."""
    if v.way.width < 1024:
        v.hands.press(v.page.locator(f"label[for=w{day + 2}]"))


def notes_a_day_away_and_takes_it_back(stage: Stage) -> None:
    me, own = _with_lessons(stage)
    busy_days = {local(x.starts_at, x).date() for x in own}
    today = stage.ctx.now().date()
    day = next(d for n in range(20, 60) if (d := today + timedelta(days=n)) not in busy_days)
    v = stage.enter(me)
    before = _away(v)
    assert day not in before
    v.open("/teacher/availability")
    _go_away(v, f"{day:%d/%m/%Y}")
    v.is_told(f"{day:%d/%m/%Y}")
    assert set(_away(v)) - set(before) == {day}
    v.fits()
    line = v.page.locator("#away li", has_text=f"{day:%d/%m}")
    v.hands.send(v.button("Remove", within=line))
    v.is_told(f"{day:%d/%m/%Y}")
    assert _away(v) == before


def is_away_on_a_day_with_a_lesson(stage: Stage) -> None:
    me, (lesson, *_) = _with_lessons(stage, days=4)
    lesson = next(x for x in _own(stage, me) if x.starts_at > stage.ctx.now() + timedelta(days=4))
    day = local(lesson.starts_at, lesson).date()
    v = stage.enter(me)
    v.open("/teacher/availability")
    _go_away(v, f"{day:%d/%m/%Y}")
    v.sees(span(lesson), lesson.school_name)
    assert day not in _away(v)
    v.hands.tick(v.radio("Find somebody to stand in"))
    v.fits()
    v.hands.send(v.button("Note the days, then look for cover"))
    v.is_told(f"{day:%d/%m/%Y}")
    assert day in _away(v)
    assert fresh(v.ctx, lesson).state is LessonState.COVER


def _go_away(v: Visit, day: str) -> None:
    away = v.page.locator("#away")
    v.hands.write(v.box("From", within=away), day)
    v.hands.write(v.box("Reason, if you like", within=away), "Tập huấn")
    v.hands.send(v.button("Add these days", within=away))


def sets_limits_and_wishes(stage: Stage) -> None:
    me, _ = _with_lessons(stage)
    v = stage.enter(me)
    v.open("/teacher/availability")
    v.hands.pick(v.list("A day"), "2")
    v.hands.pick(v.list("A week"), "3")
    v.hands.tick(v.radio("Fewer"))
    wishes = v.page.locator("#wishes")
    v.hands.press(wishes.locator("summary"))
    wish = wishes.get_by_role("checkbox", checked=False).first
    code = wish.get_attribute("value")
    v.hands.tick(wishes.locator(f"input[value='{code}']"))
    v.fits()
    v.hands.send(v.main.locator("form button.go"))
    v.sees(v.say("Your hours are saved. Thank you!"))
    pledge = _pledge(v)
    assert (pledge.max_per_day, pledge.max_per_week) == (2, 3)
    assert code in pledge.wishes
    with v.ctx.reading() as db:
        assert availability.own(db, _term(v), _teacher(me)).wanted is Wanted.FEWER


# -- calendars


def makes_a_calendar_link_and_ends_it(stage: Stage) -> None:
    me, _ = _with_lessons(stage)
    v = stage.enter(me)
    before = _links(v)
    v.open("/calendar")
    v.hands.press(v.summary("A name for the link, called-off lessons, ringing"))
    v.hands.write(v.box("Name of the link"), "máy của Lan")
    v.fits()
    v.hands.send(v.button("Make the link"))
    v.headed(v.say("The link is ready"))
    url = v.page.locator("#url").inner_text()
    assert v.page.request.get(url).text().startswith("BEGIN:VCALENDAR")
    v.fits()
    v.hands.send(v.link("Done"))
    expect(v.page.locator("#url")).to_have_count(0)
    assert url not in v.page.content()
    assert [x.name for x in _links(v) if x not in before] == ["máy của Lan"]
    v.fits()
    v.hands.send(v.link("End", " máy của Lan"))
    v.hands.send(v.button("End this link"))
    v.is_told("máy của Lan")
    assert _links(v) == before
    assert "BEGIN:VEVENT" not in v.page.request.get(url).text()


def gives_her_own_calendar_and_sees_what_was_understood(stage: Stage) -> None:
    me, _ = _with_lessons(stage)
    v = stage.enter(me)
    v.open("/teacher/busy")
    v.hands.write(v.box("Secret address of your calendar"), "https://calendar.example/own.ics")
    v.fits()
    v.hands.send(v.button("Save, then read it"))
    v.is_told(v.say("Your calendar was read."))
    v.sees("calendar.example", v.say("When you are busy in the next two weeks"))
    v.fits()
    with v.ctx.reading() as db:
        found = busy.source(db, _teacher(me))
    assert found is not None
    assert (found.fault, found.counts.ours) == (None, 1)
    v.hands.send(v.button("Remove my calendar"))
    v.is_told(v.say("Your calendar and its times are forgotten."))
    with v.ctx.reading() as db:
        assert busy.source(db, _teacher(me)) is None


# -- with colleagues


def takes_over_a_lesson_that_is_offered(stage: Stage) -> None:
    lesson, me = _offered(stage)
    v = stage.enter(me)
    v.open("/teacher")
    offer = v.part("You are asked to stand in").locator("li", has_text=span(lesson)).first
    expect(offer).to_contain_text(lesson.class_name)
    v.fits()
    v.hands.send(v.button("I will give this lesson", within=offer))
    v.sees(span(lesson))
    after = fresh(v.ctx, lesson)
    assert (after.teacher_id, after.state) == (_teacher(me), LessonState.SCHEDULED)


def _offered(stage: Stage) -> tuple[Lesson, Actor]:
    """A lesson whose teacher is ill, and one who is asked to give it."""
    for _ in range(20):
        ill, own = _with_lessons(stage, days=3)
        lesson = next(x for x in own if x.starts_at > stage.ctx.now() + timedelta(days=3))
        excuse = Excuse(Reason.SICK)
        answers.reply(stage.ctx, answers.of_actor(ill, lesson.id), Reply.CANNOT, excuse)
        with stage.ctx.reading() as db:
            made = offers.of_lesson(db, lesson.id)
            asked = recipients.of_teachers(db, [x.teacher_id for x in made])
        people = {asked[x.teacher_id].person_id for x in made}
        for actor in stage.house.teachers:
            if actor.person_id in people and actor.person_id not in stage.house.met:
                stage.house.met.add(actor.person_id)
                return lesson, actor
    raise AssertionError("nobody was asked to stand in")


def swaps_a_lesson_with_a_colleague(stage: Stage) -> None:
    me, lesson, other = _swapping(stage)
    v = stage.enter(me)
    v.open(f"/teacher/lessons/{lesson.id}")
    v.hands.send(v.link("Swap it with a colleague"))
    v.hands.tick(v.page.locator(f"input[name=wanted][value='{other.id}']"))
    v.hands.write(v.box("A few words, if you like"), "Hôm đó trường em họp.")
    v.fits()
    v.hands.send(v.button("Ask for the swap"))
    v.sees(other.teacher_name)
    assert fresh(v.ctx, lesson).teacher_id == _teacher(me)
    colleague = _person(stage, other)
    c = stage.enter(colleague)
    c.open(f"/teacher/lessons/{other.id}")
    c.hands.send(c.link("Look at it"))
    c.sees("Hôm đó trường em họp.", span(lesson), span(other))
    c.hands.tick(c.radio("Yes, let us swap"))
    c.fits()
    c.hands.send(c.button("Send the answer"))
    c.headed(c.say("You have swapped. Thank you!"))
    assert fresh(v.ctx, lesson).teacher_id == _teacher(colleague)
    assert fresh(v.ctx, other).teacher_id == _teacher(me)


def _swapping(stage: Stage) -> tuple[Actor, Lesson, Lesson]:
    for _ in range(20):
        me, own = _with_lessons(stage, days=3)
        for lesson in own:
            if lesson.starts_at < stage.ctx.now() + timedelta(days=3):
                continue
            for partner in swap_partners.of_lesson(stage.ctx, me, lesson.id)[:10]:
                with stage.ctx.reading() as db:
                    other = lessons.get(db, partner.lesson_id)
                if other and other.teacher_person_id not in stage.house.met:
                    stage.house.met.add(other.teacher_person_id)
                    return me, lesson, other
    raise AssertionError("nobody could swap")


# -- lessons that are over


def writes_a_brief_for_the_next_teacher(stage: Stage) -> None:
    me, (lesson, *_) = _with_lessons(stage)
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
    me, lesson = _with_untold(stage)
    v = stage.enter(me)
    v.open("/teacher")
    row = v.page.locator(f"#told-{lesson.id}")
    v.hands.send(v.button("Held", within=row))
    v.is_told(v.say("Thank you. It is noted."))
    expect(row).to_contain_text(v.say("Change it"))
    v.fits()
    assert _report(v, lesson) == Report(held=True)


def tells_that_a_lesson_was_not_held(stage: Stage) -> None:
    me, lesson = _with_untold(stage)
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
    said = _report(v, lesson)
    assert (said.held, said.cause, said.note) == (
        False, report_rules.Cause.POWER, "Mất điện cả xã",
    )  # fmt: skip


def opens_her_record_of_service_and_its_paper(stage: Stage) -> None:
    me, lesson = _with_untold(stage)
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


# -- messages


def chooses_reminders_and_quiet_hours(stage: Stage) -> None:
    me, _ = _with_lessons(stage)
    v = stage.enter(me)
    v.open("/teacher/reminders")
    v.hands.clear(v.check("About one hour before each lesson"))
    v.hands.pick(v.list("Quiet from"), "1320")
    v.hands.pick(v.list("Quiet until"), "360")
    v.fits()
    v.hands.send(v.button("Save"))
    v.sees(v.say("Your choices are saved."))
    kept = _choices(v)
    assert (kept.hour_before, kept.quiet_from, kept.quiet_until) == (False, 1320, 360)
    v.hands.send(v.button("Undo"))
    assert _choices(v).hour_before


def stops_all_reminders_and_wants_them_again(stage: Stage) -> None:
    me, _ = _with_lessons(stage)
    v = stage.enter(me)
    v.open("/teacher/reminders")
    v.hands.send(v.button("Stop the reminders"))
    v.sees(
        v.say("You have stopped all reminders. News of moved and called-off lessons still comes.")
    )
    v.fits()
    v.hands.send(v.button("Send me reminders again"))
    expect(v.button("Stop the reminders")).to_be_visible()


def puts_the_first_steps_off(stage: Stage) -> None:
    me, _ = _with_lessons(stage)
    v = stage.enter(me)
    v.open("/teacher")
    steps = v.part("Three steps to begin with")
    v.hands.send(steps.get_by_role("link").first)
    assert not v.page.url.endswith("/teacher")
    v.open("/teacher")
    expect(steps).to_be_visible()
    v.hands.send(v.button("Later", within=steps))
    v.is_told(v.say("The steps are hidden. Each one stays in the menu."))
    expect(steps).to_have_count(0)
    v.fits()


def switches_the_language(stage: Stage) -> None:
    everyone.switches_the_language(stage.enter(_with_lessons(stage)[0]), "/teacher")


def takes_a_copy_of_her_data(stage: Stage) -> None:
    everyone.takes_a_copy_of_the_data(stage.enter(_with_lessons(stage)[0]))


def signs_out(stage: Stage) -> None:
    everyone.signs_out(stage.enter(_with_lessons(stage)[0]), "/teacher")


@in_every_way(
    reads_the_next_lesson_and_finds_its_door,
    says_that_she_will_be_there,
    cannot_come_and_takes_it_back,
    tells_her_week_from_scratch,
    notes_a_day_away_and_takes_it_back,
    is_away_on_a_day_with_a_lesson,
    sets_limits_and_wishes,
    makes_a_calendar_link_and_ends_it,
    gives_her_own_calendar_and_sees_what_was_understood,
    takes_over_a_lesson_that_is_offered,
    swaps_a_lesson_with_a_colleague,
    writes_a_brief_for_the_next_teacher,
    tells_that_a_lesson_was_held,
    tells_that_a_lesson_was_not_held,
    opens_her_record_of_service_and_its_paper,
    chooses_reminders_and_quiet_hours,
    stops_all_reminders_and_wants_them_again,
    puts_the_first_steps_off,
    switches_the_language,
    takes_a_copy_of_her_data,
    signs_out,
)
def test_a_teacher(house: House, task: Task, way: Way) -> None:
    stage = Stage(house, way)
    try:
        task(stage)
    finally:
        stage.close()


# -- whom a task is about, and what the database holds of them


def _with_lessons(stage: Stage, days: float = 0.2) -> tuple[Actor, list[Lesson]]:
    """A teacher whose next lesson is hours away and within the week of reminders."""
    now, near = stage.ctx.now(), stage.ctx.now() + timedelta(days=7.5)

    def fits(own: list[Lesson]) -> bool:
        ahead_ = [x for x in own if x.ends_at > now]
        found = ahead(now, ahead_)
        soon = bool(ahead_) and ahead_ == found and found[0].starts_at < near
        return soon and bool(ahead(now, found, days))

    me = stage.teacher(fits)
    return me, ahead(now, _own(stage, me))


def _with_untold(stage: Stage) -> tuple[Actor, Lesson]:
    """A lesson that waits for its teacher's word, among no more than the first page lists."""
    now, most = stage.ctx.now(), teacher_desk.MOST_TO_TELL
    closes = now - report_rules.CLOSES_AFTER

    def fits(own: list[Lesson]) -> bool:
        waiting = [x for x in own if closes < x.ends_at < now]
        return bool(untold(now, own)) and len(waiting) <= most

    me = stage.teacher(fits)
    return me, untold(now, _own(stage, me))[-1]


def _own(stage: Stage, me: Actor) -> list[Lesson]:
    with stage.ctx.reading() as db:
        return list(lessons.find(db, teacher_id=_teacher(me)))


def _person(stage: Stage, lesson: Lesson) -> Actor:
    return next(x for x in stage.house.teachers if x.person_id == lesson.teacher_person_id)


def _teacher(me: Actor) -> int:
    return next(int(g.teacher_id) for g in me.grants if g.teacher_id is not None)


def _term(v: Visit) -> int:
    with v.ctx.reading() as db:
        term = terms.find(db, None)
    assert term is not None
    return term.id


def _pledge(v: Visit) -> Pledge:
    with v.ctx.reading() as db:
        found = availability.pledge(db, _term(v), _teacher(v.actor))
    assert found is not None
    return found


def _away(v: Visit) -> list[date]:
    """The first days of what the teacher wrote down."""
    with v.ctx.reading() as db:
        own = availability.own(db, _term(v), _teacher(v.actor))
    return [each.span.first_day for each in own.away]


def _links(v: Visit):
    with v.ctx.reading() as db:
        return list(feed_links.of_person(db, v.actor.person_id))


def _report(v: Visit, lesson: Lesson) -> Report:
    with v.ctx.reading() as db:
        return report_rows.of_lessons(db, [lesson.id])[lesson.id][Side.TEACHER].report


def _choices(v: Visit):
    with v.ctx.reading() as db:
        return choices.of(db, [v.actor.person_id])[v.actor.person_id]
