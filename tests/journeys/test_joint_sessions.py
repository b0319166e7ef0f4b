"""A joint session from its plan to who came: a coordinator, and those whom it invites."""

from contextlib import closing
from datetime import date, datetime, timedelta

import pytest
from playwright.sync_api import Locator, expect

from scheduler.domain.access import Actor, Role
from scheduler.domain.intervals import dated
from scheduler.domain.joint_sessions import Guest, JointSessionId, Wish
from scheduler.domain.partnerships import PartnershipId
from scheduler.services import accounts, demo_meetings, joint_sessions, partnerships
from scheduler.services.joint_sessions import Planner
from scheduler.store import joint_guests
from scheduler.store import joint_sessions as rows
from tests.journeys.stage import WAYS, House, Stage, Task, Visit, Way, in_every_way

pytestmark = pytest.mark.browser

HERE = "/coordinator/joint-sessions"


def planner(stage: Stage) -> Planner:
    """The partnership that meets, and whom it can invite."""
    me = accounts.operator(stage.ctx)
    if not partnerships.desk(stage.ctx, me).found:
        demo_meetings.add(stage.ctx)
    pair = partnerships.desk(stage.ctx, me).found[0].partnership
    return joint_sessions.planner(stage.ctx, me, PartnershipId(pair.id))


def day(stage: Stage, *, after: int) -> date:
    """Each way meets on a day of its own."""
    return (stage.ctx.now() + timedelta(days=after + 5 * WAYS.index(stage.way))).date()


def of_both(known: Planner) -> tuple[Guest, Guest]:
    """A volunteer and the contact of a school."""
    volunteer = next(x for x in known.guests if x.usual and x.teacher_id)
    return volunteer, next(x for x in known.guests if x.usual and x.school_id)


def actor(stage: Stage, guest: Guest) -> Actor:
    role = Role.TEACHER if guest.teacher_id else Role.SCHOOL
    everybody = accounts.people_with(stage.ctx, role)
    return next(x for x in everybody if x.person_id == guest.person_id)


def planned(stage: Stage, title: str, at: datetime | None = None) -> JointSessionId:
    """A session of two, in its own time or, as if it had been planned before, at an hour past."""
    known = planner(stage)
    span = dated(day(stage, after=9), 840, 930, known.zone)
    starts, ends = (at, at + timedelta(hours=1)) if at else (span.start, span.end)
    two = of_both(known)
    wish = Wish(title, starts, ends, None, frozenset(x.person_id for x in two))
    if at is None:
        me = accounts.operator(stage.ctx)
        return joint_sessions.plan(stage.ctx, me, known.partnership.id, wish)
    with stage.ctx.transaction() as db:
        made = rows.add(db, known.partnership.id, wish, at - timedelta(days=9))
        joint_guests.seat(db, made, two, ())
    return made


def line(v: Visit, title: str) -> Locator:
    """The session in the list of whom it invites."""
    return v.main.locator("section[aria-labelledby=joint] li", has_text=title)


def plans_a_session_from_a_partnership(stage: Stage) -> None:
    known, title = planner(stage), f"Trò chơi ngữ âm {stage.way.name}"
    v = stage.enter(accounts.operator(stage.ctx))
    v.open("/coordinator/partnerships")
    v.hands.send(v.link("See and change"))
    v.hands.send(v.link("Plan a joint session"))
    v.is_sound()
    when = day(stage, after=8)
    v.hands.write(v.box("Topic"), title)
    v.hands.write(v.box("Day"), f"{when:%d/%m/%Y}")
    v.hands.write(v.box("Begins at"), "15:30")
    v.hands.write(v.box("Ends at"), "14:00")
    v.hands.send(v.button("Plan it and invite everybody"))
    expect(v.box("Topic")).to_have_value(title)
    expect(v.main.get_by_role("alert")).to_be_visible()
    v.is_sound()
    v.hands.write(v.box("Begins at"), "14:00")
    v.hands.write(v.box("Ends at"), "15:30")
    v.hands.send(v.button("Plan it and invite everybody"))
    if v.main.locator("#warnings").count():  # somebody has something else then: said, not forbidden
        v.is_sound()
        v.hands.send(v.button("Do it all the same"))
    v.is_told(v.say("Planned. Everybody invited hears of it, and their calendars show it."))
    v.headed(title)
    v.sees(f"{when:%d/%m}", of_both(known)[0].name, v.say("No answer yet"))
    v.is_sound()


def hears_who_comes_moves_it_and_calls_it_off(stage: Stage) -> None:
    title = f"Dự giờ {stage.way.name}"
    made, two = planned(stage, title), of_both(planner(stage))
    for guest, room, press, shown in (
        (two[0], "/teacher", "I'll come", "You will come"),
        (two[1], "/school", "I can't", "You do not come"),
    ):
        g = stage.enter(actor(stage, guest))
        g.open(room)
        g.hands.send(g.button(press, within=line(g, title)))
        expect(line(g, title)).to_contain_text(g.say(shown))
        g.fits()
    v = stage.enter(accounts.operator(stage.ctx))
    v.open(f"{HERE}/{made}")
    v.sees(v.say("%(coming)s come, %(cannot)s cannot, %(open)s have not said yet.",
                 coming=1, cannot=1, open=0))  # fmt: skip
    v.is_sound()
    v.hands.send(v.link("Change…"))
    later = day(stage, after=10)
    v.hands.write(v.box("Day"), f"{later:%d/%m/%Y}")
    v.hands.send(v.button("Save and tell everybody"))
    if v.main.locator("#warnings").count():
        v.hands.send(v.button("Do it all the same"))
    v.is_told(v.say("Saved. Whoever it concerns is told."))
    v.headed(title)
    v.sees(f"{later:%d/%m}", f"{day(stage, after=9):%d/%m}")
    calls_off_and_lets_it_take_place(v, title)
    g = stage.enter(actor(stage, two[0]))
    g.open("/teacher")
    expect(line(g, title)).to_contain_text(f"{later:%d/%m}")
    expect(line(g, title)).not_to_contain_text("Bão")


def calls_off_and_lets_it_take_place(v: Visit, title: str) -> None:
    v.hands.press(v.summary("Call it off…"))
    v.hands.write(v.box("Why is it called off?"), "  ")
    v.hands.send(v.button("Call off for everyone"))
    v.is_sound()
    v.hands.write(v.box("Why is it called off?"), "Bão số 5")
    v.hands.send(v.button("Call off for everyone"))
    v.is_told(v.say("Called off. Everybody invited is told why."))
    v.sees("Bão số 5")
    v.is_sound()
    v.hands.send(v.button("Let it take place after all"))
    v.is_told(v.say("It takes place after all. Everybody is told."))
    v.headed(title)


def notes_who_came(stage: Stage) -> None:
    title = f"Sơ kết {stage.way.name}"
    hours = 3 + WAYS.index(stage.way)
    at = stage.ctx.now().replace(microsecond=0) - timedelta(hours=hours)
    made, (volunteer, contact) = planned(stage, title, at), of_both(planner(stage))
    v = stage.enter(accounts.operator(stage.ctx))
    v.open(f"{HERE}/{made}")
    v.is_sound()
    for guest in (volunteer, contact):
        v.hands.clear(v.main.locator(f"input[name=people][value='{guest.person_id}']"))
    v.hands.send(v.button("Note who came"))
    expect(v.main.locator("#came .msg")).to_be_visible()
    v.is_sound()
    v.hands.tick(v.main.locator(f"input[name=people][value='{volunteer.person_id}']"))
    v.hands.send(v.button("Note who came"))
    v.is_told(v.say("Noted: {count} came.", count=1))
    v.sees(v.say("%(n)s of %(all)s came", n=1, all=2), v.say("Did not come"))
    v.is_sound()
    v.hands.press(v.summary("That is wrong: note it anew"))
    v.hands.send(v.button("It did not take place"))
    v.is_told(v.say("Noted: it was not held."))


@in_every_way(
    plans_a_session_from_a_partnership,
    hears_who_comes_moves_it_and_calls_it_off,
    notes_who_came,
)
def test_a_joint_session(house: House, task: Task, way: Way) -> None:
    with closing(Stage(house, way)) as stage:
        task(stage)
