"""Who reads which calendar, and what has changed in it."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, select
from sqlalchemy.orm import Session

from scheduler.domain.access import Role
from scheduler.domain.calendars import FeedKind
from scheduler.domain.subscriptions import Change, LinkUse, Subscriber
from scheduler.store.tables import (
    classes,
    confirmations,
    feed_links,
    feeds,
    grants,
    handovers,
    lessons,
    persons,
    receiving_schools,
    sightings,
    teachers,
    terms,
)

_Changes = dict[int, Change]


def subscribers(db: Session, programme_id: int, now: datetime) -> tuple[Subscriber, ...]:
    """Teachers and contacts of schools with lessons to come or lost; four queries.

    Somebody who is both is there twice, each time with the calendars of that role.
    """
    of_teachers, of_schools = _changes(db, programme_id, now)
    rows = db.execute(
        select(
            persons.c.id,
            persons.c.name,
            persons.c.email,
            grants.c.teacher_id,
            grants.c.school_id,
            receiving_schools.c.name.label("school"),
        )
        .join(persons, grants.c.person_id == persons.c.id)
        .outerjoin(receiving_schools, grants.c.school_id == receiving_schools.c.id)
        .where(
            grants.c.programme_id == programme_id,
            grants.c.role.in_([Role.TEACHER, Role.SCHOOL]),
            persons.c.active.is_(True),
        )
        .order_by(persons.c.name, persons.c.id)
    ).all()
    uses = _uses(db, programme_id)
    found = []
    for row in rows:
        teaches = row.teacher_id is not None
        change = of_teachers.get(row.teacher_id) if teaches else of_schools.get(row.school_id)
        if change is not None:
            whose = (row.id, teaches, row.teacher_id if teaches else row.school_id)
            found.append(
                Subscriber(row.id, row.name, row.email, row.school, change, tuple(uses[whose]))
            )
    return tuple(found)


def _changes(db: Session, programme_id: int, now: datetime) -> tuple[_Changes, _Changes]:
    """The newest change by teacher and by receiving school."""
    rows = db.execute(
        select(
            lessons.c.teacher_id,
            classes.c.school_id,
            lessons.c.changed_at,
            lessons.c.starts_at,
            _seen(lessons.c.id, lessons.c.sequence).label("seen"),
        )
        .join(classes, lessons.c.class_id == classes.c.id)
        .join(teachers, lessons.c.teacher_id == teachers.c.id)
        .join(terms, lessons.c.term_id == terms.c.id)
        .where(terms.c.programme_id == programme_id, lessons.c.ends_at > now)
    ).all()
    lost = db.execute(
        select(
            handovers.c.teacher_id,
            handovers.c.changed_at,
            handovers.c.starts_at,
            _seen(handovers.c.lesson_id, handovers.c.sequence).label("seen"),
        )
        .join(teachers, handovers.c.teacher_id == teachers.c.id)
        .where(teachers.c.programme_id == programme_id, handovers.c.ends_at > now)
    ).all()
    taught = [
        (row.teacher_id, Change(row.changed_at, row.starts_at, bool(row.seen)))
        for row in (*rows, *lost)
    ]
    at_schools = ((row.school_id, Change(row.changed_at, row.starts_at)) for row in rows)
    return _newest(taught), _newest(at_schools)


def _seen(lesson: ColumnElement[int], sequence: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether the teacher said that they saw it as it stands, or that they will be there."""
    saw = exists().where(
        sightings.c.lesson_id == lesson,
        sightings.c.person_id == teachers.c.person_id,
        sightings.c.sequence >= sequence,
    )
    comes = exists().where(
        confirmations.c.lesson_id == lesson,
        confirmations.c.person_id == teachers.c.person_id,
        confirmations.c.sequence >= sequence,
    )
    return saw | comes


def _newest(changes: Iterable[tuple[int, Change]]) -> _Changes:
    """Of those that nobody said to have seen, else of all; of changes at the same time the one of
    the next lesson."""
    found: _Changes = {}
    for owner, change in changes:
        known = found.get(owner)
        if known is None or _rank(change, known) > _rank(known, change):
            found[owner] = change
    return found


def _rank(change: Change, other: Change) -> tuple[bool, datetime, datetime]:
    return not change.seen, change.at, other.starts_at


def of_teachers(db: Session, teacher_ids: Collection[int]) -> dict[int, tuple[LinkUse, ...]]:
    """The live links by which these teachers themselves read their lessons."""
    rows = db.execute(
        _USES.join(grants, grants.c.person_id == feed_links.c.person_id).where(
            feeds.c.kind == FeedKind.TEACHER,
            feeds.c.owner_id.in_(list(teacher_ids)),
            grants.c.teacher_id == feeds.c.owner_id,
        )
    )
    found: dict[int, list[LinkUse]] = defaultdict(list)
    for row in rows:
        found[row.owner_id].append(_use(row))
    return {teacher_id: tuple(found[teacher_id]) for teacher_id in teacher_ids}


_USES = (
    select(feed_links, feeds.c.kind, feeds.c.owner_id, classes.c.school_id)
    .join(feeds, feed_links.c.feed_id == feeds.c.id)
    .outerjoin(classes, (feeds.c.kind == FeedKind.CLASS) & (feeds.c.owner_id == classes.c.id))
    .where(feed_links.c.revoked_at.is_(None))
    .order_by(feed_links.c.id)
)


def _uses(db: Session, programme_id: int) -> dict[tuple[int, bool, int], list[LinkUse]]:
    """Live links by person, whether of a teacher, and the teacher or receiving school shown."""
    people = select(grants.c.person_id).where(grants.c.programme_id == programme_id)
    kinds = [FeedKind.TEACHER, FeedKind.CLASS, FeedKind.SCHOOL]
    query = _USES.where(feed_links.c.person_id.in_(people), feeds.c.kind.in_(kinds))
    found: dict[tuple[int, bool, int], list[LinkUse]] = defaultdict(list)
    for row in db.execute(query):
        owner = row.owner_id if row.school_id is None else row.school_id
        found[row.person_id, row.kind == FeedKind.TEACHER, owner].append(_use(row))
    return found


def _use(row: Row[Any]) -> LinkUse:
    return LinkUse(row.name, row.client, row.last_read_at)
