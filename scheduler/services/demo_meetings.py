"""The demo that is served: two units that are partners, and their joint sessions."""

from datetime import timedelta

from scheduler.domain.access import Role
from scheduler.domain.intervals import dated
from scheduler.domain.joint_sessions import Wish
from scheduler.domain.lessons import LessonState
from scheduler.domain.partnerships import Binding, Terms
from scheduler.errors import Text, text
from scheduler.locale import Language, translate
from scheduler.services import accounts, joint_sessions, partnerships
from scheduler.services.context import Context
from scheduler.services.joint_sessions import Planner
from scheduler.store import feeds, joint_guests, lessons, people
from scheduler.store import joint_sessions as rows

AHEAD, AGO = timedelta(days=3), timedelta(days=11)
FROM, UNTIL = 14 * 60, 15 * 60 + 30  # minutes since midnight


def add(ctx: Context) -> None:
    """A partnership of those who are signed in first, one session held and one to come."""
    coordinator = accounts.people_with(ctx, Role.COORDINATOR)[0]
    with ctx.reading() as db:
        lesson = lessons.find(db, since=ctx.now(), until=ctx.now() + timedelta(days=7))[0]
        known = people.teachers(db, lesson.programme_id)
    volunteer = next(each for each in known if each.id == lesson.teacher_id)
    agreed = Terms(volunteer.school.district, lesson.school_district, 120, 2, Binding.NONE)
    pair = partnerships.add(ctx, coordinator, agreed)
    planner = joint_sessions.planner(ctx, coordinator, pair)
    coming = _wish(ctx, planner, text("Teaching pronunciation by games"), AHEAD)
    joint_sessions.plan(ctx, coordinator, pair, coming)
    _held(ctx, planner, _wish(ctx, planner, text("Getting to know the classes"), -AGO))


def _wish(ctx: Context, planner: Planner, title: Text, away: timedelta) -> Wish:
    day = (ctx.now() + away).date()
    span = dated(day, FROM, UNTIL, planner.zone)
    usual = frozenset(guest.person_id for guest in planner.guests if guest.usual)
    named = translate(title, Language(ctx.settings.locale))
    return Wish(named, span.start, span.end, None, usual)


def _held(ctx: Context, planner: Planner, wish: Wish) -> None:
    """As if it had been planned and noted in its time: nobody hears of it now."""
    guests = [guest for guest in planner.guests if guest.usual]
    came = [guest.person_id for guest in guests][1:]
    with ctx.transaction() as db:
        made = rows.add(db, planner.partnership.id, wish, wish.starts_at - AGO)
        joint_guests.seat(db, made, guests, ())
        rows.settle(db, made, LessonState.HELD)
        joint_guests.record(db, made, came)
        feeds.mark_all_dirty(db)
