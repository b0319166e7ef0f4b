"""The volunteers of a whole term, each with everything that says when they can teach.

The same rules as `store.candidates.find`, read once for many lessons: a test holds them equal.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scheduler.domain.availability import Pledge
from scheduler.domain.busy import Availability
from scheduler.domain.candidates import Booked, Candidate
from scheduler.domain.intervals import Interval, dated
from scheduler.domain.lessons import LessonId
from scheduler.domain.openings import Volunteer
from scheduler.domain.people import PersonId, Teacher, TeacherId
from scheduler.domain.plans import Placement
from scheduler.domain.terms import Term
from scheduler.store import availability, busy, people, roles
from scheduler.store.tables import offers, teachers


def of_term(
    db: Session,
    term: Term,
    standing: Mapping[Placement, LessonId],
    among: Collection[TeacherId] | None = None,
) -> dict[TeacherId, Volunteer]:
    """Everyone with a promise for the term who has not left and whose account is on; a few queries.

    `standing` are the lessons that take their teacher's time; `among` leaves out all others.
    """
    pledges = availability.pledges(db, term.id, among)
    known = [t for t in people.teachers(db, term.programme_id) if t.id in pledges]
    away = roles.gone(db, term.programme_id)
    booked: dict[TeacherId, list[Booked]] = defaultdict(list)
    for place, lesson in standing.items():
        span = dated(place.day, place.start, place.end, term.zone)
        booked[place.teacher_id].append(Booked(span, place.day, lesson))
    times = busy.all_times(db, term.programme_id, _whole(term), among)
    sources = busy.sources(db, term.programme_id)
    asked = _asked(db, term)
    return {
        teacher.id: Volunteer(
            _whole_candidate(
                teacher,
                pledges[teacher.id],
                tuple(booked[teacher.id]),
                tuple(each.span for each in times.get(teacher.id, ()) if not each.soft),
                asked.get(teacher.id),
            ),
            sources.get(teacher.id),
            times.get(teacher.id, ()),
        )
        for teacher in known
        if teacher.id not in away
    }


def _whole_candidate(
    teacher: Teacher,
    pledge: Pledge,
    booked: tuple[Booked, ...],
    hard: tuple[Interval, ...],
    asked_at: datetime | None,
) -> Candidate:
    return Candidate(
        teacher_id=teacher.id,
        person_id=PersonId(teacher.person_id),
        name=teacher.name,
        donor_school_id=teacher.school.id,
        donor_school=teacher.school.name,
        levels=frozenset(pledge.levels),
        max_per_day=pledge.max_per_day,
        max_per_week=pledge.max_per_week,
        max_total=pledge.max_total,
        windows=pledge.windows,
        absences=pledge.absences,
        busy=hard,
        calendar=Availability.FREE,
        booked=booked,
        total=len(booked),
        wishes=frozenset(pledge.wishes),
        wishes_any=bool(pledge.wishes),
        class_lessons=0,
        asked_at=asked_at,
    )


def _whole(term: Term) -> Interval:
    there = ZoneInfo(term.zone)
    begins = datetime.combine(term.first_day, time(), there)
    return Interval(begins, datetime.combine(term.last_day, time(), there) + timedelta(days=1))


def _asked(db: Session, term: Term) -> dict[TeacherId, datetime]:
    own = select(teachers.c.id).where(teachers.c.programme_id == term.programme_id)
    query = select(offers.c.teacher_id, func.max(offers.c.asked_at).label("at"))
    rows = db.execute(query.where(offers.c.teacher_id.in_(own)).group_by(offers.c.teacher_id))
    return {TeacherId(row.teacher_id): row.at for row in rows}
