"""Writing the timetable: what a publication adds, moves, re-staffs and drops, and calling off."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import bindparam, delete, insert, or_, select, tuple_, update
from sqlalchemy.orm import Session

from scheduler.domain.intervals import Interval, dated
from scheduler.domain.lessons import MOVES, LessonChange, LessonId, LessonState, Move
from scheduler.domain.plans import Change, ChangeKind, Placement
from scheduler.domain.terms import Term
from scheduler.store import history
from scheduler.store.tables import handovers, lessons, requests

_JOIN_BYTES = 18


def apply(
    db: Session,
    term: Term,
    changes: Sequence[Change],
    known: Mapping[Placement, LessonId],
    now: datetime,
    dropped_by: str,
) -> tuple[LessonChange, ...]:
    """Carry out the changes of one publication; `known` names the lessons in force.

    A lesson that moves or changes hands is first set aside as cancelled, so that two lessons may
    swap teachers without a moment in which one teacher gives both.
    """
    stamp = now.replace(microsecond=0)
    classes = _classes(db, changes)
    altered = [change for change in changes if change.before is not None]
    ids = [known[change.before] for change in altered if change.before is not None]
    _drop(db, ids, stamp, dropped_by)
    staying = [
        (known[change.before], change.before, change.after)
        for change in altered
        if change.before is not None and change.after is not None
    ]
    _hand_over(db, staying)
    _restore(db, term, staying)
    added = [change.after for change in changes if change.before is None and change.after]
    new_ids = _revive(db, term, added, stamp)
    new_ids |= _insert(db, term, [p for p in added if p not in new_ids], classes, stamp)
    return tuple(_told(change, known, new_ids, classes) for change in changes)


def lock(db: Session, term_id: int, within: Interval | None = None) -> None:
    """Let nobody else change what stands in that time, None: in the whole term, until the
    transaction ends; always in the same order."""
    there = select(lessons.c.id).where(lessons.c.term_id == term_id)
    if within is not None:
        there = there.where(lessons.c.starts_at < within.end, lessons.c.ends_at > within.start)
    db.execute(there.order_by(lessons.c.id).with_for_update(key_share=True))


def call_off(
    db: Session, ids: Collection[LessonId], now: datetime, by: str, reason: str
) -> tuple[LessonId, ...]:
    """Cancel these lessons, and return those of them that were not cancelled already."""
    later = _later(db, list(ids), now)
    return tuple(each for each in ids if _call_off(db, each, later[each], by, reason))


def _call_off(db: Session, lesson_id: LessonId, at: datetime, by: str, reason: str) -> bool:
    able = [state for state, moves in MOVES.items() if Move.CALL_OFF in moves]
    done = db.execute(
        update(lessons)
        .where(lessons.c.id == lesson_id, lessons.c.state.in_(able))
        .values(
            state=LessonState.CANCELLED,
            sequence=lessons.c.sequence + 1,
            changed_at=at,
            cancelled_by=by,
            cancel_reason=reason,
        )
        .returning(lessons.c.id)
    )
    return done.first() is not None


def join(db: Session, lesson_id: LessonId, host_id: LessonId) -> None:
    """Keep which lesson the class of a lesson joins instead."""
    db.execute(update(lessons).where(lessons.c.id == lesson_id).values(merged_into_id=host_id))


def give_reason(db: Session, lesson_id: LessonId, reason: str) -> None:
    """Let the people of a lesson that a publication dropped read why."""
    dropped = (lessons.c.id == lesson_id, lessons.c.state == LessonState.CANCELLED)
    db.execute(update(lessons).where(*dropped).values(cancel_reason=reason))


def _later(db: Session, ids: Sequence[int], now: datetime) -> dict[int, datetime]:
    """For each lesson a whole second, now or just after its last change: it must strictly grow."""
    stamp = now.replace(microsecond=0)
    rows = db.execute(select(lessons.c.id, lessons.c.changed_at).where(lessons.c.id.in_(list(ids))))
    return {row.id: max(stamp, row.changed_at + timedelta(seconds=1)) for row in rows}


def _classes(db: Session, changes: Sequence[Change]) -> dict[int, int]:
    wanted = {change.request_id for change in changes}
    rows = db.execute(
        select(requests.c.id, requests.c.class_id).where(requests.c.id.in_(list(wanted)))
    )
    return {row.id: row.class_id for row in rows}


def _drop(db: Session, ids: Sequence[LessonId], now: datetime, by: str) -> None:
    if not ids:
        return
    later = _later(db, ids, now)
    db.execute(
        update(lessons)
        .where(lessons.c.id == bindparam("lesson"))
        .values(
            state=LessonState.CANCELLED,
            sequence=lessons.c.sequence + 1,
            changed_at=bindparam("at"),
            cancelled_by=by,
        )
        .execution_options(synchronize_session=False),
        [{"lesson": lesson_id, "at": later[lesson_id]} for lesson_id in ids],
    )


def _hand_over(db: Session, staying: Sequence[tuple[LessonId, Placement, Placement]]) -> None:
    """Keep a trace for whoever gives a lesson up; take it away from whoever gets it back."""
    passed = [item for item in staying if item[1].teacher_id != item[2].teacher_id]
    if not passed:
        return
    pairs = [(lesson, p.teacher_id) for lesson, before, after in passed for p in (before, after)]
    db.execute(
        delete(handovers).where(tuple_(handovers.c.lesson_id, handovers.c.teacher_id).in_(pairs))
    )
    former = {lesson: before.teacher_id for lesson, before, _ in passed}
    rows = db.execute(select(lessons).where(lessons.c.id.in_(list(former)))).all()
    db.execute(
        insert(handovers),
        [
            {
                "lesson_id": row.id,
                "teacher_id": former[row.id],
                "starts_at": row.starts_at,
                "ends_at": row.ends_at,
                "sequence": row.sequence,
                "changed_at": row.changed_at,
            }
            for row in rows
        ],
    )


def _restore(
    db: Session, term: Term, staying: Sequence[tuple[LessonId, Placement, Placement]]
) -> None:
    if not staying:
        return
    rows = []
    for lesson_id, before, after in staying:
        was = dated(before.day, before.start, before.end, term.zone)
        will = dated(after.day, after.start, after.end, term.zone)
        rows.append(
            {
                "lesson": lesson_id,
                "teacher": after.teacher_id,
                "starts": will.start,
                "ends": will.end,
                "was": was.start if was != will else None,
            }
        )
    db.execute(
        update(lessons)
        .where(lessons.c.id == bindparam("lesson"))
        .values(
            state=LessonState.SCHEDULED,
            teacher_id=bindparam("teacher"),
            starts_at=bindparam("starts"),
            ends_at=bindparam("ends"),
            moved_from=bindparam("was"),
            cancelled_by="",
        )
        .execution_options(synchronize_session=False),
        rows,
    )


def _revive(
    db: Session, term: Term, added: Sequence[Placement], now: datetime
) -> dict[Placement, LessonId]:
    """Lessons that an earlier publication dropped and this one wants just as they were.

    They stay the same lessons for everybody's calendar: undoing leaves no twins behind.
    """
    rows = db.execute(
        select(
            lessons.c.id,
            lessons.c.request_id,
            lessons.c.teacher_id,
            lessons.c.starts_at,
            lessons.c.ends_at,
        )
        .where(
            lessons.c.term_id == term.id,
            lessons.c.state == LessonState.CANCELLED,
            # What somebody called off stays so; a publication that did it can be undone.
            or_(lessons.c.cancel_reason == "", lessons.c.id.in_(history.by_publications())),
        )
        .order_by(lessons.c.id)
    )
    dropped = {(r.request_id, r.teacher_id, r.starts_at, r.ends_at): LessonId(r.id) for r in rows}
    found = {place: dropped[key] for place in added if (key := _whole_key(term, place)) in dropped}
    bring_back(db, list(found.values()), now)
    return found


def bring_back(db: Session, ids: Sequence[LessonId], now: datetime) -> None:
    """Let cancelled lessons take place again, where and when they were to; the caller holds them.

    The database refuses a teacher or a class in two lessons at once (Conflict).
    """
    if not ids:
        return
    later = _later(db, ids, now)
    db.execute(
        update(lessons)
        .where(lessons.c.id == bindparam("lesson"), lessons.c.state == LessonState.CANCELLED)
        .values(
            state=LessonState.SCHEDULED,
            sequence=lessons.c.sequence + 1,
            changed_at=bindparam("at"),
            moved_from=None,
            cancelled_by="",
            cancel_reason="",
            merged_into_id=None,
        )
        .execution_options(synchronize_session=False),
        [{"lesson": lesson_id, "at": later[lesson_id]} for lesson_id in ids],
    )


def _whole_key(term: Term, placement: Placement) -> tuple[int, int, datetime, datetime]:
    when = dated(placement.day, placement.start, placement.end, term.zone)
    return placement.request_id, placement.teacher_id, when.start, when.end


def _insert(
    db: Session,
    term: Term,
    added: Sequence[Placement],
    classes: Mapping[int, int],
    now: datetime,
) -> dict[Placement, LessonId]:
    if not added:
        return {}
    rows = [_row(term, placement, classes, now) for placement in added]
    ids = db.scalars(
        insert(lessons).returning(lessons.c.id, sort_by_parameter_order=True), rows
    ).all()
    return {place: LessonId(new) for place, new in zip(added, ids, strict=True)}


def _row(
    term: Term, placement: Placement, classes: Mapping[int, int], now: datetime
) -> dict[str, object]:
    when = dated(placement.day, placement.start, placement.end, term.zone)
    return {
        "uid": str(uuid4()),
        "join_token": secrets.token_urlsafe(_JOIN_BYTES),
        "term_id": term.id,
        "request_id": placement.request_id,
        "class_id": classes[placement.request_id],
        "teacher_id": placement.teacher_id,
        "state": LessonState.SCHEDULED,
        "starts_at": when.start,
        "ends_at": when.end,
        "sequence": 0,
        "created_at": now,
        "changed_at": now,
        "cancel_reason": "",
        "cancelled_by": "",
    }


def _told(
    change: Change,
    known: Mapping[Placement, LessonId],
    new_ids: Mapping[Placement, LessonId],
    classes: Mapping[int, int],
) -> LessonChange:
    now_there = change.after or change.before
    assert now_there is not None  # noqa: S101 - a change has at least one side
    before = change.before
    former = before.teacher_id if before and change.kind is not ChangeKind.DROPPED else None
    return LessonChange(
        lesson_id=known[before] if before else new_ids[now_there],
        kind=change.kind,
        class_id=classes[change.request_id],  # type: ignore[arg-type]
        teacher_id=now_there.teacher_id,
        former_teacher_id=former if former != now_there.teacher_id else None,
    )
