"""Joint sessions in figures: what a partnership kept of its pledge, and what records count."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from scheduler.domain.lessons import LessonState
from scheduler.domain.partnerships import PartnershipId
from scheduler.domain.records import Meetings
from scheduler.store.tables import joint_session_attendees, joint_sessions, partnerships

_seats = joint_session_attendees.c


@dataclass(frozen=True, slots=True)
class Count:
    """Sessions of a partnership: held, and still to come."""

    held: int = 0
    ahead: int = 0


def counts(
    db: Session, programme_id: int, since: datetime, until: datetime
) -> Mapping[PartnershipId, Count]:
    """Of each partnership, what begins in that span; one query."""
    state = joint_sessions.c.state
    query = (
        select(
            joint_sessions.c.partnership_id,
            func.count().filter(state == LessonState.HELD).label("held"),
            func.count().filter(state == LessonState.SCHEDULED).label("ahead"),
        )
        .join(partnerships, joint_sessions.c.partnership_id == partnerships.c.id)
        .where(partnerships.c.programme_id == programme_id)
        .where(joint_sessions.c.starts_at >= since, joint_sessions.c.starts_at < until)
        .group_by(joint_sessions.c.partnership_id)
    )
    return {
        PartnershipId(row.partnership_id): Count(row.held, row.ahead) for row in db.execute(query)
    }


def held(
    db: Session, programme_id: int, since: datetime, until: datetime, teacher_id: int | None = None
) -> tuple[Meetings, ...]:
    """What began in that span of time and was held, by partnership; of one teacher only what a
    coordinator noted that they came to.  One query."""
    there = and_(_seats.session_id == joint_sessions.c.id, _seats.attended.is_(True))
    if teacher_id is not None:
        there = and_(there, _seats.teacher_id == teacher_id)
    came = select(func.count()).where(there).correlate(joint_sessions).scalar_subquery()
    query = (
        select(
            joint_sessions.c.partnership_id,
            joint_sessions.c.starts_at,
            joint_sessions.c.ends_at,
            partnerships.c.donor_unit,
            partnerships.c.receiving_unit,
            came.label("came"),
        )
        .join(partnerships, joint_sessions.c.partnership_id == partnerships.c.id)
        .where(partnerships.c.programme_id == programme_id)
        .where(joint_sessions.c.state == LessonState.HELD)
        .where(joint_sessions.c.starts_at >= since, joint_sessions.c.starts_at < until)
        .order_by(partnerships.c.donor_unit, partnerships.c.receiving_unit)
    )
    found: dict[int, Meetings] = {}
    for row in db.execute(query):
        if teacher_id is None or row.came:
            units = f"{row.donor_unit} – {row.receiving_unit}"
            minutes = (row.ends_at - row.starts_at) // timedelta(minutes=1)
            before = found.get(row.partnership_id, Meetings(units))
            found[row.partnership_id] = before + Meetings(units, 1, minutes, row.came)
    return tuple(found.values())
