"""With whom a teacher could swap a lesson: exactly those whom `swaps.ask` would ask."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from scheduler.domain import swaps as rules
from scheduler.domain.access import Actor
from scheduler.domain.candidates import Booked, Candidate, obstacles, wanted
from scheduler.domain.intervals import Interval
from scheduler.domain.lessons import Lesson, LessonId, LessonState, placed
from scheduler.domain.requests import Request, RequestId
from scheduler.domain.terms import Term
from scheduler.services import swaps
from scheduler.services.context import Context
from scheduler.services.swaps import Glimpse
from scheduler.store import availability, busy, candidates, lessons, pins, requests
from scheduler.store.database import Session

LOOKS_AHEAD = timedelta(days=28)  # partners are looked for among lessons of these days
MOST_PARTNERS = 30


def of_lesson(ctx: Context, actor: Actor, lesson_id: LessonId) -> tuple[Glimpse, ...]:
    """Lessons of colleagues for which the actor's own could be swapped, the nearest in time first.

    Each of them `ask` takes, as things stand.  Raises NotFound for what is not the actor's.
    """
    now = ctx.now()
    with ctx.reading() as db:
        given, _, term = swaps.pair(db, actor, lesson_id, lesson_id)
        pinned = pins.of_term(db, term.id, term.today(now))
        asked = {r.id: r for r in requests.of_term(db, term.id)}
        if given.request_id not in asked:
            return ()
        want = wanted(asked[given.request_id], term, placed(given), [given.id])
        others = {who.teacher_id: who for who in candidates.find(db, term, want, now)}
        me = _whole(db, term, given, others.get(given.teacher_id))
        ahead = lessons.find(db, term_id=term.id, since=now, until=now + LOOKS_AHEAD)
    if me is None:
        return ()
    return tuple(
        swaps.glimpse(wanted)
        for wanted in sorted(ahead, key=lambda x: abs(x.starts_at - given.starts_at))
        if wanted.request_id in asked
        and wanted.teacher_id in others
        and rules.fault(given, wanted, pinned, now) is None
        and _fits(_spared(others[wanted.teacher_id]), term, asked, given, wanted)
        and _fits(_spared(me), term, asked, wanted, given)
    )[:MOST_PARTNERS]


def _fits(
    who: Candidate, term: Term, asked: Mapping[RequestId, Request], gets: Lesson, gives: Lesson
) -> bool:
    return not obstacles(
        who, wanted(asked[gets.request_id], term, placed(gets), [gets.id, gives.id])
    )


def _spared(who: Candidate) -> Candidate:
    """Without the lesson that they would give away."""
    return replace(who, total=who.total - 1)


def _whole(db: Session, term: Term, given: Lesson, me: Candidate | None) -> Candidate | None:
    """The teacher as far as any lesson of the term is concerned; None without a promise for it."""
    pledge = availability.pledge(db, term.id, given.teacher_id)
    if me is None or pledge is None:
        return None
    own = [
        x
        for x in lessons.find(db, term_id=term.id, teacher_id=given.teacher_id)
        if x.state is not LessonState.CANCELLED
    ]
    first = min((x.starts_at for x in own), default=given.starts_at)
    span = Interval(first, given.starts_at + timedelta(days=400))
    times = busy.all_times(db, term.programme_id, span).get(given.teacher_id, ())
    return replace(
        me,
        windows=pledge.windows,
        absences=pledge.absences,
        busy=tuple(time.span for time in times if not time.soft),
        booked=tuple(Booked(x.interval, placed(x).day, x.id) for x in own),
        total=len(own),
    )
