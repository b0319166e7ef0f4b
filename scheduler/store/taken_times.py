"""When teachers are taken otherwise: by their own calendar's word, and by joint sessions."""

from sqlalchemy import false, or_, select, union_all

from scheduler.domain.joint_sessions import Answer
from scheduler.domain.lessons import LessonState
from scheduler.store.tables import busy_times, joint_session_attendees, joint_sessions

_seats = joint_session_attendees.c

# Whoever is invited to a session, and has not declined, gives no lesson then.
taken = union_all(
    select(
        busy_times.c.teacher_id, busy_times.c.starts_at, busy_times.c.ends_at, busy_times.c.soft
    ),
    select(
        _seats.teacher_id,
        joint_sessions.c.starts_at,
        joint_sessions.c.ends_at,
        false().label("soft"),
    )
    .join(joint_sessions, _seats.session_id == joint_sessions.c.id)
    .where(_seats.teacher_id.is_not(None), _seats.invited)
    .where(joint_sessions.c.state == LessonState.SCHEDULED)
    .where(or_(_seats.answer.is_(None), _seats.answer != Answer.CANNOT)),
).subquery("taken")
