"""What programs are told, written down in the transaction that causes it."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, Select, func, insert, select
from sqlalchemy.orm import Session

from scheduler.domain import webhooks as rules
from scheduler.domain.cover import CallEnd
from scheduler.domain.lessons import Cause, LessonId, LessonState
from scheduler.domain.people import TeacherId
from scheduler.domain.reminders import Side
from scheduler.domain.reports import Report
from scheduler.domain.terms import ProgrammeId
from scheduler.domain.webhooks import DeliveryState, EndpointId, Event, LessonFacts, Stand
from scheduler.store.tables import (
    classes,
    cover_calls,
    lesson_history,
    lessons,
    programmes,
    receiving_schools,
    terms,
    webhook_deliveries,
    webhook_endpoints,
)

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class _Told:
    """One event of a programme, before it is put into words."""

    event: Event
    programme_id: int
    programme: str
    zone: str
    lesson: LessonFacts | None
    parts: Mapping[str, object] = field(default_factory=dict)


def lessons_changed(db: Session, ids: Collection[LessonId], now: datetime) -> None:
    """Tell how lessons differ from how they stood before their newest line of the history."""
    if not _anybody(db):
        return
    told: list[_Told] = []
    for some in _parts(ids):
        before = _before(db, some)
        for programme_id, facts in _facts(db, some):
            was = before.get(facts.id)
            part = rules.lesson_part(facts, was)
            told += (
                _Told(event, programme_id, facts.programme, facts.zone, facts, part)
                for event in rules.changes(was, facts.stand)
            )
    _write(db, told, now)


def cover_sought(db: Session, lesson_id: LessonId, now: datetime) -> None:
    """Tell that a lesson looks for another teacher."""
    _about(db, {lesson_id: (Event.COVER_SOUGHT, {})}, now)


def cover_ended(db: Session, calls: Collection[int], how: CallEnd, now: datetime) -> None:
    """Tell that these calls have ended: somebody was found, or nobody is looked for any more."""
    if not calls or not _anybody(db):
        return
    event = Event.COVER_FOUND if how is CallEnd.TAKEN else Event.COVER_ENDED
    found: dict[LessonId, tuple[Event, Mapping[str, object]]] = {}
    for some in _parts(calls):
        rows = db.execute(
            select(cover_calls.c.lesson_id, cover_calls.c.teacher_id)
            .where(cover_calls.c.id.in_(some))
            .order_by(cover_calls.c.id)
        )
        for row in rows:
            told = {"end": how.value, "asked_by": row.teacher_id}
            found[LessonId(row.lesson_id)] = (event, {"cover": told})
    _about(db, found, now)


def report_given(db: Session, lesson_id: LessonId, side: Side, said: Report, now: datetime) -> None:
    """Tell what one side reported of a lesson, without its words."""
    cause = said.cause.value if isinstance(said.cause, Cause) else None
    told = {"side": side.value, "held": said.held, "minutes_late": said.minutes_late,
            "cause": cause}  # fmt: skip
    _about(db, {lesson_id: (Event.REPORT_GIVEN, {"report": told})}, now)


def plan_published(
    db: Session,
    programme_id: ProgrammeId,
    plan: Mapping[str, object],
    now: datetime,
) -> None:
    """Tell that a plan is the timetable now; `plan`: its numbers, and counts of changes."""
    if not _anybody(db):
        return
    query = select(programmes.c.code, programmes.c.zone).where(programmes.c.id == programme_id)
    code, zone = db.execute(query).one()
    _write(db, [_Told(Event.PLAN_PUBLISHED, programme_id, code, zone, None, {"plan": plan})], now)


def _about(
    db: Session,
    what: Mapping[LessonId, tuple[Event, Mapping[str, object]]],
    now: datetime,
) -> None:
    if not _anybody(db):
        return
    told = []
    for some in _parts(what):
        for programme_id, facts in _facts(db, some):
            event, more = what[facts.id]
            parts = rules.lesson_part(facts) | dict(more)
            told.append(_Told(event, programme_id, facts.programme, facts.zone, facts, parts))
    _write(db, told, now)


def _anybody(db: Session) -> bool:
    """Most installations tell nobody: they pay one small question for it."""
    return db.scalar(select(webhook_endpoints.c.id).limit(1)) is not None


def _write(db: Session, told: Sequence[_Told], now: datetime) -> None:
    wanting = _wanting(db, {each.programme_id for each in told})
    rows: list[dict[str, Any]] = []
    for each in told:
        ends = [end for end, events in wanting[each.programme_id] if each.event in events]
        if ends:
            rows += _rows(ends, each, now)
    if rows:
        db.execute(insert(webhook_deliveries), rows)


def _wanting(
    db: Session, programme_ids: Collection[int]
) -> dict[int, list[tuple[EndpointId, frozenset[Event]]]]:
    """The receivers of each programme.  Nobody takes one away until the transaction ends: else
    its end would undo a change of lessons."""
    rows = db.execute(
        select(webhook_endpoints.c.id, webhook_endpoints.c.programme_id, webhook_endpoints.c.events)
        .where(webhook_endpoints.c.programme_id.in_(list(programme_ids)))
        .order_by(webhook_endpoints.c.id)
        .with_for_update(read=True, key_share=True)
    )
    found: dict[int, list[tuple[EndpointId, frozenset[Event]]]] = defaultdict(list)
    for row in rows:
        found[row.programme_id].append((EndpointId(row.id), rules.wanted(row.events)))
    return found


def _rows(ends: Sequence[EndpointId], told: _Told, now: datetime) -> list[dict[str, Any]]:
    event_id = str(uuid4())  # the same for all who are told
    text = rules.body(event_id, told.event, now, told.programme, told.zone, told.parts)
    lesson = told.lesson
    return [
        delivery(end, event_id, told.event, text, now)
        | {"lesson_id": lesson.id if lesson else None, "sequence": lesson and lesson.sequence}
        for end in ends
    ]


def delivery(
    endpoint_id: EndpointId, event_id: str, event: str, body: str, now: datetime
) -> dict[str, Any]:
    """The row of one event on its way to one receiver; it is about no lesson."""
    return {
        "endpoint_id": endpoint_id,
        "event_id": event_id,
        "event": event,
        "lesson_id": None,
        "sequence": None,
        "body": body,
        "made_at": now,
        "since": now,
        "state": DeliveryState.WAITING,
        "attempts": 0,
        "next_at": now,
        "said": "",
    }


def _parts(ids: Collection[int]) -> list[list[int]]:
    wanted = sorted(ids)
    return [wanted[start : start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE)]


def _before(db: Session, ids: Sequence[int]) -> dict[LessonId, Stand]:
    """The line before the newest one of each lesson's history; new lessons are absent."""
    row = lesson_history.c
    age = func.row_number().over(partition_by=row.lesson_id, order_by=row.id.desc())
    lines = select(lesson_history, age.label("age")).where(row.lesson_id.in_(list(ids)))
    known = lines.subquery()
    rows = db.execute(select(known).where(known.c.age == 2))
    return {LessonId(each.lesson_id): _stand(each) for each in rows}


def _facts(db: Session, ids: Sequence[int]) -> list[tuple[int, LessonFacts]]:
    """The lessons as they stand, each with the number of its programme."""
    rows = db.execute(_FACTS.where(lessons.c.id.in_(list(ids))).order_by(lessons.c.id))
    return [(row.programme_id, _lesson(row)) for row in rows]


_FACTS: Select[Any] = (
    select(
        lessons.c.id,
        lessons.c.uid,
        lessons.c.sequence,
        lessons.c.state,
        lessons.c.teacher_id,
        lessons.c.starts_at,
        lessons.c.ends_at,
        lessons.c.class_id,
        classes.c.name.label("class_name"),
        receiving_schools.c.code.label("school"),
        terms.c.code.label("term"),
        programmes.c.id.label("programme_id"),
        programmes.c.code.label("programme"),
        programmes.c.zone,
    )
    .join(classes, lessons.c.class_id == classes.c.id)
    .join(receiving_schools, classes.c.school_id == receiving_schools.c.id)
    .join(terms, lessons.c.term_id == terms.c.id)
    .join(programmes, terms.c.programme_id == programmes.c.id)
)


def _lesson(row: Row[Any]) -> LessonFacts:
    return LessonFacts(
        id=LessonId(row.id),
        uid=row.uid,
        sequence=row.sequence,
        stand=_stand(row),
        term=row.term,
        school=row.school,
        class_id=row.class_id,
        class_name=row.class_name,
        programme=row.programme,
        zone=row.zone,
    )


def _stand(row: Row[Any]) -> Stand:
    return Stand(LessonState(row.state), TeacherId(row.teacher_id), row.starts_at, row.ends_at)
