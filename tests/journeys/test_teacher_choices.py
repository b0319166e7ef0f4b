"""What a teacher chooses: her hours, calendars, messages; in all ways, see test_teacher_tasks."""

from contextlib import closing
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from scheduler.delivery import fetching
from scheduler.domain.availability import Wanted
from scheduler.domain.lessons import LessonState
from scheduler.store import (
    availability,
    busy,
)
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
)
from tests.journeys.teachers import (
    choices_of,
    days_away,
    links_of,
    pledge_of,
    teacher_id,
    term_id,
    with_lessons,
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


# -- hours, days away, promises


def tells_her_week_from_scratch(stage: Stage) -> None:
    me, _ = with_lessons(stage)
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
    pledge = pledge_of(v)
    found = {(x.weekday, x.if_needed) for x in pledge.windows if x.last_day is None}
    assert found == {(1, False), (3, True)}
    assert all(x.end <= 13 * 60 for x in pledge.windows if x.weekday == 1 and not x.last_day)


def _show_day(v: Visit, day: int) -> None:
    """A phone shows one day, which a radio picks."""
    if v.way.width < 1024:
        v.hands.press(v.page.locator(f"label[for=w{day + 2}]"))


def notes_a_day_away_and_takes_it_back(stage: Stage) -> None:
    me, own = with_lessons(stage)
    busy_days = {local(x.starts_at, x).date() for x in own}
    today = stage.ctx.now().date()
    day = next(d for n in range(20, 60) if (d := today + timedelta(days=n)) not in busy_days)
    v = stage.enter(me)
    before = days_away(v)
    assert day not in before
    v.open("/teacher/availability")
    _go_away(v, f"{day:%d/%m/%Y}")
    v.is_told(f"{day:%d/%m/%Y}")
    assert set(days_away(v)) - set(before) == {day}
    v.fits()
    line = v.page.locator("#away li", has_text=f"{day:%d/%m}")
    v.hands.send(v.button("Remove", within=line))
    v.is_told(f"{day:%d/%m/%Y}")
    assert days_away(v) == before


def is_away_on_a_day_with_a_lesson(stage: Stage) -> None:
    me, own = with_lessons(stage, days=4)
    lesson = ahead(stage.ctx.now(), own, days=4)[0]
    day = local(lesson.starts_at, lesson).date()
    v = stage.enter(me)
    v.open("/teacher/availability")
    _go_away(v, f"{day:%d/%m/%Y}")
    v.sees(span(lesson), lesson.school_name)
    assert day not in days_away(v)
    v.hands.tick(v.radio("Find somebody to stand in"))
    v.fits()
    v.hands.send(v.button("Note the days, then look for cover"))
    v.is_told(f"{day:%d/%m/%Y}")
    assert day in days_away(v)
    assert fresh(v.ctx, lesson).state is LessonState.COVER


def _go_away(v: Visit, day: str) -> None:
    away = v.page.locator("#away")
    v.hands.write(v.box("From", within=away), day)
    v.hands.write(v.box("Reason, if you like", within=away), "Tập huấn")
    v.hands.send(v.button("Add these days", within=away))


def sets_limits_and_wishes(stage: Stage) -> None:
    me, _ = with_lessons(stage)
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
    pledge = pledge_of(v)
    assert (pledge.max_per_day, pledge.max_per_week) == (2, 3)
    assert code in pledge.wishes
    with v.ctx.reading() as db:
        assert availability.own(db, term_id(v), teacher_id(me)).wanted is Wanted.FEWER


# -- calendars


def makes_a_calendar_link_and_ends_it(stage: Stage) -> None:
    me, _ = with_lessons(stage)
    v = stage.enter(me)
    before = links_of(v)
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
    assert [x.name for x in links_of(v) if x not in before] == ["máy của Lan"]
    v.fits()
    v.hands.send(v.link("End", " máy của Lan"))
    v.hands.send(v.button("End this link"))
    v.is_told("máy của Lan")
    assert links_of(v) == before
    assert "BEGIN:VEVENT" not in v.page.request.get(url).text()


def gives_her_own_calendar_and_sees_what_was_understood(stage: Stage) -> None:
    me, _ = with_lessons(stage)
    v = stage.enter(me)
    v.open("/teacher/busy")
    v.hands.write(v.box("Secret address of your calendar"), "https://calendar.example/own.ics")
    v.fits()
    v.hands.send(v.button("Save, then read it"))
    v.is_told(v.say("Your calendar was read."))
    v.sees("calendar.example", v.say("When you are busy in the next two weeks"))
    v.fits()
    with v.ctx.reading() as db:
        found = busy.source(db, teacher_id(me))
    assert found is not None
    assert (found.fault, found.counts.ours) == (None, 1)
    v.hands.send(v.button("Remove my calendar"))
    v.is_told(v.say("Your calendar and its times are forgotten."))
    with v.ctx.reading() as db:
        assert busy.source(db, teacher_id(me)) is None


# -- messages


def chooses_reminders_and_quiet_hours(stage: Stage) -> None:
    me, _ = with_lessons(stage)
    v = stage.enter(me)
    v.open("/teacher/reminders")
    v.hands.clear(v.check("About one hour before each lesson"))
    v.hands.pick(v.list("Quiet from"), "1320")
    v.hands.pick(v.list("Quiet until"), "360")
    v.fits()
    v.hands.send(v.button("Save"))
    v.sees(v.say("Your choices are saved."))
    kept = choices_of(v)
    assert (kept.hour_before, kept.quiet_from, kept.quiet_until) == (False, 1320, 360)
    v.hands.send(v.button("Undo"))
    assert choices_of(v).hour_before


def stops_all_reminders_and_wants_them_again(stage: Stage) -> None:
    me, _ = with_lessons(stage)
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
    me, _ = with_lessons(stage)
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
    everyone.switches_the_language(stage.enter(with_lessons(stage)[0]), "/teacher")


def takes_a_copy_of_her_data(stage: Stage) -> None:
    everyone.takes_a_copy_of_the_data(stage.enter(with_lessons(stage)[0]))


def signs_out(stage: Stage) -> None:
    everyone.signs_out(stage.enter(with_lessons(stage)[0]), "/teacher")


@in_every_way(
    tells_her_week_from_scratch,
    notes_a_day_away_and_takes_it_back,
    is_away_on_a_day_with_a_lesson,
    sets_limits_and_wishes,
    makes_a_calendar_link_and_ends_it,
    gives_her_own_calendar_and_sees_what_was_understood,
    chooses_reminders_and_quiet_hours,
    stops_all_reminders_and_wants_them_again,
    puts_the_first_steps_off,
    switches_the_language,
    takes_a_copy_of_her_data,
    signs_out,
)
def test_a_teacher(house: House, task: Task, way: Way) -> None:
    with closing(Stage(house, way)) as stage:
        task(stage)
