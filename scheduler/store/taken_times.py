"""When teachers are taken otherwise: by their own calendar's word, and by joint sessions."""

from typing import Any

from sqlalchemy import Select, Subquery, false, or_, select, union_all

from scheduler.domain.joint_sessions import Answer
from scheduler.domain.lessons import LessonState
from scheduler.store.tables import busy_times, joint_session_attendees, joint_sessions

_seats = joint_session_attendees.c


def of(whose: Select[Any]) -> Subquery:
    """The times of the teachers whose numbers that asks for.

    They are chosen within: what is chosen from without, an engine first makes whole, and that is
    the times of all programmes.
    """
    busy = select(
        busy_times.c.teacher_id, busy_times.c.starts_at, busy_times.c.ends_at, busy_times.c.soft
    ).where(busy_times.c.teacher_id.in_(whose))
    # Whoever is invited to a session, and has not declined, gives no lesson then.
    invited = (
        select(
            _seats.teacher_id,
            joint_sessions.c.starts_at,
            joint_sessions.c.ends_at,
            false().label("soft"),
        )
        .join(joint_sessions, _seats.session_id == joint_sessions.c.id)
        .where(_seats.teacher_id.in_(whose), _seats.invited)
        .where(joint_sessions.c.state == LessonState.SCHEDULED)
        .where(or_(_seats.answer.is_(None), _seats.answer != Answer.CANNOT))
    )
    return union_all(busy, invited).subquery("taken")
