"""Trying a line before the lesson: which rooms to reach, and a test that needs no script.

Nothing of a test is stored: what was measured so far travels with the browser, signed.
"""

from datetime import timedelta

from scheduler import security
from scheduler.domain import line as rules
from scheduler.domain.access import Actor
from scheduler.domain.lessons import LessonState
from scheduler.domain.limits import instant
from scheduler.domain.line import Timing, Trail
from scheduler.domain.meetings import ROOM
from scheduler.errors import Conflict
from scheduler.security import BadLink, Purpose
from scheduler.services import joins
from scheduler.services.context import Context
from scheduler.store import lessons, meetings

AHEAD = timedelta(days=14)


def rooms(ctx: Context, actor: Actor) -> tuple[str, ...]:
    """Where the actor's own coming lessons meet, as origins; the usual place when there are none.

    Own are those that the actor gives, and those of a school that the actor speaks for.
    """
    now = ctx.now()
    with ctx.reading() as db:
        found = lessons.find(
            db, since=now, until=now + AHEAD, of_people=[actor.person_id], seen_by=actor
        )
    ahead = [x for x in found if x.state is not LessonState.CANCELLED]
    return rules.origins((joins.room_of(ctx, x) for x in ahead) if ahead else _usual(ctx, actor))


def _usual(ctx: Context, actor: Actor) -> list[str]:
    """Where the lessons of the actor's programmes meet when nothing else is said."""
    with ctx.reading() as db:
        own = meetings.usual(db, {grant.programme_id for grant in actor.grants})
    found = [pattern or ctx.settings.meeting_url for pattern in own or (None,)]
    return [pattern.replace(ROOM, "") for pattern in found]


def begin(ctx: Context, actor: Actor, place: str) -> str:
    """The signed start of a test without scripts, for its first redirect."""
    return _signed(ctx, Trail(actor.person_id, place, ()).after(ctx.now()))


def arrive(ctx: Context, actor: Actor, token: str) -> tuple[Trail, str]:
    """The trail with the request that came in just now, and what to send along with the next."""
    trail = _read(ctx, actor, token)
    if trail.is_over:
        raise _old()
    after = trail.after(ctx.now())
    return after, _signed(ctx, after)


def result(ctx: Context, actor: Actor, token: str) -> Timing:
    """What a finished test says; raises Conflict for one that is forged, old or unfinished."""
    trail = _read(ctx, actor, token)
    if not trail.is_over:
        raise _old()
    return rules.timing(trail.arrivals)


def _old() -> Conflict:
    return Conflict("This test is more than two minutes old, or was not finished. Test once more.")


def _signed(ctx: Context, trail: Trail) -> str:
    subject = ":".join([str(trail.person), trail.place, ",".join(map(str, trail.arrivals))])
    now = ctx.now()
    left = instant(trail.arrivals[0]) + rules.LIFE - now
    return security.sign_link(ctx.key, Purpose.LINE, subject, now, left)


def _read(ctx: Context, actor: Actor, token: str) -> Trail:
    try:
        link = security.read_link(ctx.keys, Purpose.LINE, token, ctx.now())
    except BadLink as error:
        raise _old() from error
    person, place, arrivals = link.subject.split(":")
    if person != str(actor.person_id):
        raise _old()
    return Trail(int(person), place, tuple(map(int, arrivals.split(","))))
