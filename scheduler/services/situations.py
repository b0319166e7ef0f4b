"""The term as it stands, or what of it matters to a few, for who tries where lessons could go."""

from datetime import datetime

from scheduler.domain.baskets import Part
from scheduler.domain.openings import Situation
from scheduler.domain.terms import Term
from scheduler.store import lessons, pins, requests, rosters, terms
from scheduler.store.database import Session


def take(db: Session, term: Term, now: datetime, part: Part | None = None) -> Situation:
    """Everything that decides where a lesson of the term may go, and who may give it there.

    Of a part: where a lesson of its schools may go, and whether its teachers may give it there.
    """
    standing = lessons.placements(db, term.id, part=part)
    asked = {}
    if part is None:
        asked = {request.id: request for request in requests.of_term(db, term.id)}
    others = {place.request_id for place in standing} - asked.keys()
    asked |= {request.id: request for request in requests.by_ids(db, others)}
    return Situation(
        term=term,
        requests=asked,
        rooms={school.id: school.rooms for school in terms.schools(db, term.programme_id)},
        closed=terms.closed_spans(db, term.programme_id),
        volunteers=rosters.of_term(db, term, standing, part.teachers if part else None),
        standing={lesson: place for place, lesson in standing.items()},
        pinned=frozenset(pins.of_term(db, term.id, term.today(now))),
        now=now,
    )
