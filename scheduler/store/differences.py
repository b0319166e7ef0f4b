"""A plan's lessons beside those in force.

Both sides are many and mostly the same: they are read as plain fields, and become values only where
they differ.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, cast, extract, select, true
from sqlalchemy.orm import Session

from scheduler.domain.intervals import midnight, minute_of
from scheduler.domain.lessons import LessonId, LessonState
from scheduler.domain.people import TeacherId
from scheduler.domain.plans import Placement
from scheduler.domain.requests import RequestId
from scheduler.domain.terms import Term
from scheduler.store.tables import lessons, plan_lessons

_Fields = tuple[int, date, int, int, int]  # of a placement, in its order


@dataclass(frozen=True, slots=True)
class Apart:
    """`gone`: in force and not in the plan; `come`: in the plan alone; `kept`: how many are in
    both."""

    gone: Mapping[Placement, LessonId]
    come: tuple[Placement, ...]
    kept: int


def of_plan(
    db: Session,
    plan_id: int,
    term: Term,
    since: date | None,
    off: Collection[tuple[RequestId, date]],
) -> Apart:
    """The plan beside the timetable of its term, from that day on (None: all of both), two queries;
    what it wants of a request on a day that is `off` does not count."""
    current = _in_force(db, term, since)
    wanted = _wanted(db, plan_id, since)
    if off:
        wanted = {each for each in wanted if each[:2] not in off}
    gone = current.keys() - wanted
    return Apart(
        gone={_placement(each): current[each] for each in gone},
        come=tuple(_placement(each) for each in wanted - current.keys()),
        kept=len(current) - len(gone),
    )


def _placement(fields: _Fields) -> Placement:
    request, day, start, end, teacher = fields
    return Placement(RequestId(request), day, start, end, TeacherId(teacher))


def _wanted(db: Session, plan_id: int, since: date | None) -> set[_Fields]:
    own = plan_lessons.c
    query = select(own.request_id, own.day, own.start_minute, own.end_minute, own.teacher_id)
    later = true() if since is None else own.day >= since
    return set(map(tuple, db.execute(query.where(own.plan_id == plan_id, later)).all()))


def _in_force(db: Session, term: Term, since: date | None) -> dict[_Fields, LessonId]:
    """As `lessons.placements` has them: a test holds them equal."""
    own, zone = lessons.c, ZoneInfo(term.zone)
    later = true() if since is None else own.starts_at >= midnight(since, term.zone)
    query = select(
        own.id, own.request_id, own.teacher_id, _minutes(own.starts_at), _minutes(own.ends_at)
    )
    rows = db.execute(
        query.where(own.term_id == term.id, own.state != LessonState.CANCELLED, later)
    )
    walls: dict[int, tuple[date, int]] = {}  # schools ring at the same times: few are computed
    found = {}
    for lesson, request, teacher, begins, ends in rows.all():
        if begins not in walls:
            local = datetime.fromtimestamp(begins * 60, zone)
            walls[begins] = local.date(), minute_of(local)
        day, start = walls[begins]
        found[request, day, start, start + ends - begins, teacher] = LessonId(lesson)
    return found


def _minutes(instant: ColumnElement[Any]) -> ColumnElement[int]:
    """Since 1970, in UTC."""
    return cast(extract("epoch", instant), BigInteger) // 60
