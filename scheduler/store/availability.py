"""What volunteers promise for a term, and their other appointments, as values."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select, update
from sqlalchemy.orm import Session

from scheduler.domain.availability import Pledge, Wanted, Window
from scheduler.domain.intervals import DaySpan, Interval
from scheduler.domain.people import Level, TeacherId
from scheduler.domain.terms import Term
from scheduler.store import bulk, tables, taken_times
from scheduler.store.tables import (
    absences,
    pledge_levels,
    receiving_schools,
    school_wishes,
)

_LEVELS = tuple(Level)


def pledges(
    db: Session, term_id: int, among: Collection[TeacherId] | None = None
) -> dict[TeacherId, Pledge]:
    """The promises of a term by teacher, of all or of these; five queries, however many there
    are."""
    query = select(tables.pledges).where(tables.pledges.c.term_id == term_id)
    if among is not None:
        query = query.where(tables.pledges.c.teacher_id.in_(list(among)))
    return _read(db, query)


@dataclass(frozen=True, slots=True)
class Promise:
    """A promise in two figures: lessons in the term at most, and the day on which the first of its
    weekly windows opens."""

    most: int
    opens: date


def promises(db: Session, term: Term) -> dict[TeacherId, Promise]:
    """What teachers promised for a term, by teacher; one query."""
    own, window = tables.pledges.c, tables.availability.c
    opens = func.min(func.coalesce(window.first_day, literal(term.first_day)))
    query = (
        select(own.teacher_id, own.max_total, opens)
        .outerjoin(tables.availability, window.pledge_id == own.id)
        .where(own.term_id == term.id)
        .group_by(own.id)
    )
    rows = db.execute(query.order_by(own.teacher_id)).all()
    return {TeacherId(teacher): Promise(most, first) for teacher, most, first in rows}


def pledge(db: Session, term_id: int, teacher_id: int) -> Pledge | None:
    """What one teacher promised for a term."""
    query = select(tables.pledges).where(
        tables.pledges.c.term_id == term_id, tables.pledges.c.teacher_id == teacher_id
    )
    return _read(db, query).get(TeacherId(teacher_id))


def windows_of_level(db: Session, term_id: int, level: Level) -> tuple[tuple[int, Window], ...]:
    """The free windows of all who teach a level, each with the number of its promise; one query."""
    table = tables.availability
    query = (
        select(table.c.pledge_id, *_WINDOW)
        .join(tables.pledges, table.c.pledge_id == tables.pledges.c.id)
        .join(pledge_levels, pledge_levels.c.pledge_id == tables.pledges.c.id)
        .join(tables.teachers, tables.teachers.c.id == tables.pledges.c.teacher_id)
        .join(tables.persons, tables.persons.c.id == tables.teachers.c.person_id)
        .where(
            tables.pledges.c.term_id == term_id,
            pledge_levels.c.level == level,
            tables.persons.c.active.is_(True),
        )
    )
    return tuple((pledge, Window(*window)) for pledge, *window in db.execute(query).all())


def save(db: Session, term_id: int, given: Mapping[TeacherId, Pledge]) -> None:
    """Take over promises for a term, each as a whole; a teacher's former promise is gone."""
    held = _ids(db, term_id)
    known = {held[owner]: pledge for owner, pledge in given.items() if owner in held}
    bulk.change(db, tables.pledges, [{"id": key, **_row(one)} for key, one in known.items()])
    for table in (pledge_levels, tables.availability, absences, school_wishes):
        bulk.forget(db, table, "pledge_id", known)
    new = {owner: pledge for owner, pledge in given.items() if owner not in held}
    bulk.add(
        db,
        tables.pledges,
        [{"teacher_id": owner, "term_id": term_id, **_row(one)} for owner, one in new.items()],
    )
    ids = _ids(db, term_id)
    _save_parts(db, term_id, {ids[owner]: pledge for owner, pledge in given.items()})


@dataclass(frozen=True, slots=True)
class Away:
    """Days on which a teacher is away, and why; the words may be forgotten by now."""

    span: DaySpan
    reason: str


@dataclass(frozen=True, slots=True)
class Own:
    """What a teacher said herself about a term beside the promise; `confirmed_at`: when she last
    said that it holds, None: somebody else told it for her."""

    wanted: Wanted = Wanted.SAME
    confirmed_at: datetime | None = None
    away: tuple[Away, ...] = ()


def own(db: Session, term_id: int, teacher_id: int) -> Own:
    """What one teacher said herself; for whom promised nothing, nothing."""
    mine = _mine(term_id, teacher_id)
    row = db.execute(select(tables.pledges).where(mine)).one_or_none()
    if row is None:
        return Own()
    query = select(absences).where(absences.c.pledge_id == row.id)
    away = db.execute(query.order_by(absences.c.first_day, absences.c.id))
    return Own(
        Wanted(row.wanted),
        row.confirmed_at,
        tuple(Away(DaySpan(each.first_day, each.last_day), each.reason) for each in away),
    )


@dataclass(frozen=True, slots=True)
class Kept:
    """An absence of one teacher, as it is kept."""

    id: int
    teacher_id: TeacherId
    span: DaySpan
    reason: str


def away(db: Session, term_id: int) -> tuple[Kept, ...]:
    """All absences of the term's teachers, the earliest first."""
    rows = db.execute(
        select(absences, tables.pledges.c.teacher_id)
        .join(tables.pledges, absences.c.pledge_id == tables.pledges.c.id)
        .where(tables.pledges.c.term_id == term_id)
        .order_by(absences.c.first_day, absences.c.id)
    )
    return tuple(
        Kept(x.id, TeacherId(x.teacher_id), DaySpan(x.first_day, x.last_day), x.reason)
        for x in rows
    )


def former_terms(db: Session, term: Term, teacher_id: int) -> tuple[tuple[int, str], ...]:
    """Numbers and names of the terms before this one for which a teacher promised something, the
    latest first."""
    query = (
        select(tables.terms.c.id, tables.terms.c.name)
        .join(tables.pledges, tables.pledges.c.term_id == tables.terms.c.id)
        .where(
            tables.pledges.c.teacher_id == teacher_id,
            tables.terms.c.programme_id == term.programme_id,
            tables.terms.c.first_day < term.first_day,
        )
        .order_by(tables.terms.c.first_day.desc(), tables.terms.c.id.desc())
    )
    return tuple((row.id, row.name) for row in db.execute(query))


def lock(db: Session, term_id: int, teacher_id: int) -> None:
    """Let nobody else change what this teacher promises until the transaction ends.

    The teacher's row too: there may be no promise yet.
    """
    teacher = tables.teachers.c.id == teacher_id
    db.execute(select(tables.teachers.c.id).where(teacher).with_for_update(key_share=True))
    mine = select(tables.pledges.c.id).where(_mine(term_id, teacher_id))
    db.execute(mine.with_for_update(key_share=True))


def revise(db: Session, term_id: int, teacher_id: int, pledge: Pledge, own: Own) -> None:
    """Take over what a locked teacher says herself; days away stay as they are kept."""
    said = {**_row(pledge), "wanted": own.wanted.value, "confirmed_at": own.confirmed_at}
    key = db.scalar(select(tables.pledges.c.id).where(_mine(term_id, teacher_id)))
    if key is None:
        new = tables.pledges.insert().values(teacher_id=teacher_id, term_id=term_id, **said)
        key = int(db.execute(new.returning(tables.pledges.c.id)).scalar_one())
    else:
        db.execute(update(tables.pledges).where(tables.pledges.c.id == key).values(said))
        for table in (pledge_levels, tables.availability, school_wishes):
            bulk.forget(db, table, "pledge_id", [key])
    _save_parts(db, term_id, {key: replace(pledge, absences=())})


def _mine(term_id: int, teacher_id: int) -> ColumnElement[bool]:
    return (tables.pledges.c.term_id == term_id) & (tables.pledges.c.teacher_id == teacher_id)


def go_away(db: Session, term_id: int, teacher_id: int, span: DaySpan, reason: str) -> bool:
    """Keep that a teacher is away on these days; False when it is kept already."""
    if _same_absence(db, term_id, teacher_id, span):
        return False
    promised = _ids(db, term_id)[TeacherId(teacher_id)]
    bulk.add(db, absences, [{"pledge_id": promised, **_span_row(span), "reason": reason}])
    return True


def come_back(db: Session, term_id: int, teacher_id: int, span: DaySpan) -> bool:
    """Forget exactly this absence; False when there is none."""
    found = _same_absence(db, term_id, teacher_id, span)
    bulk.forget(db, absences, "id", found)
    return bool(found)


def away_outside(db: Session, term_id: int, days: DaySpan) -> tuple[int, ...]:
    """The absences, promised for the term, of which no day is one of these."""
    query = (
        select(absences.c.id)
        .join(tables.pledges, absences.c.pledge_id == tables.pledges.c.id)
        .where(
            tables.pledges.c.term_id == term_id,
            (absences.c.last_day < days.first_day) | (absences.c.first_day > days.last_day),
        )
    )
    return tuple(db.scalars(query.order_by(absences.c.id)))


def forget_away(db: Session, ids: Collection[int]) -> None:
    bulk.forget(db, absences, "id", ids)


def _same_absence(db: Session, term_id: int, teacher_id: int, span: DaySpan) -> list[int]:
    query = (
        select(absences.c.id)
        .join(tables.pledges, absences.c.pledge_id == tables.pledges.c.id)
        .where(
            tables.pledges.c.term_id == term_id,
            tables.pledges.c.teacher_id == teacher_id,
            absences.c.first_day == span.first_day,
            absences.c.last_day == span.last_day,
        )
    )
    return list(db.scalars(query))


def busy(db: Session, programme_id: int) -> dict[TeacherId, tuple[Interval, ...]]:
    """Other appointments by teacher, in order of time; teachers without any are absent.

    Hard ones only: a plan may set a lesson into a tentative time, about which cover asks first.
    """
    own = select(tables.teachers.c.id).where(tables.teachers.c.programme_id == programme_id)
    taken = taken_times.of(own)
    query = select(taken).where(taken.c.soft.is_(False)).order_by(taken.c.starts_at)
    found: dict[TeacherId, list[Interval]] = defaultdict(list)
    for row in db.execute(query):
        found[TeacherId(row.teacher_id)].append(Interval(row.starts_at, row.ends_at))
    return {teacher_id: tuple(times) for teacher_id, times in found.items()}


def _read(db: Session, query: Select[Any]) -> dict[TeacherId, Pledge]:
    rows = db.execute(query.order_by(tables.pledges.c.teacher_id)).all()
    some = query.with_only_columns(tables.pledges.c.id)
    levels, windows = _levels(db, some), _windows(db, some)
    spans, wishes = _absences(db, some), _wishes(db, some)
    return {
        TeacherId(row.teacher_id): Pledge(
            levels=tuple(sorted(levels[row.id], key=_LEVELS.index)),
            max_per_day=row.max_per_day,
            max_per_week=row.max_per_week,
            max_total=row.max_total,
            windows=tuple(windows[row.id]),
            absences=tuple(spans[row.id]),
            wishes=tuple(wishes[row.id]),
        )
        for row in rows
    }


def _levels(db: Session, some: Select[Any]) -> dict[int, list[Level]]:
    found: dict[int, list[Level]] = defaultdict(list)
    query = select(pledge_levels).where(pledge_levels.c.pledge_id.in_(some))
    for row in db.execute(query).all():
        found[row.pledge_id].append(Level(row.level))
    return found


def _windows(db: Session, some: Select[Any]) -> dict[int, list[Window]]:
    table = tables.availability
    found: dict[int, list[Window]] = defaultdict(list)
    query = select(table.c.pledge_id, *_WINDOW).where(table.c.pledge_id.in_(some))
    # By pledge first, as the index has them: by number alone SQLite reads those of all programmes.
    for pledge_id, *window in db.execute(query.order_by(table.c.pledge_id, table.c.id)).all():
        found[pledge_id].append(Window(*window))
    return found


# In the order of a window's fields.
_NAMES = ("weekday", "start_minute", "end_minute", "first_day", "last_day", "if_needed")
_WINDOW = tuple(tables.availability.c[name] for name in _NAMES)


def _absences(db: Session, some: Select[Any]) -> dict[int, list[DaySpan]]:
    found: dict[int, list[DaySpan]] = defaultdict(list)
    query = select(absences).where(absences.c.pledge_id.in_(some))
    query = query.order_by(absences.c.pledge_id, absences.c.id)
    for row in db.execute(query):
        found[row.pledge_id].append(DaySpan(row.first_day, row.last_day))
    return found


def _wishes(db: Session, some: Select[Any]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    query = (
        select(school_wishes.c.pledge_id, receiving_schools.c.code)
        .join(receiving_schools)
        .where(school_wishes.c.pledge_id.in_(some))
        .order_by(receiving_schools.c.code)
    )
    for row in db.execute(query):
        found[row.pledge_id].append(row.code)
    return found


def _ids(db: Session, term_id: int) -> dict[TeacherId, int]:
    query = select(tables.pledges).where(tables.pledges.c.term_id == term_id)
    return {TeacherId(row.teacher_id): row.id for row in db.execute(query)}


def _row(pledge: Pledge) -> dict[str, Any]:
    return {
        "max_per_day": pledge.max_per_day,
        "max_per_week": pledge.max_per_week,
        "max_total": pledge.max_total,
    }


def _save_parts(db: Session, term_id: int, given: Mapping[int, Pledge]) -> None:
    schools = _school_ids(db, term_id)
    levels: bulk.Rows = []
    windows: bulk.Rows = []
    away: bulk.Rows = []
    wishes: bulk.Rows = []
    for key, pledge in given.items():
        levels.extend({"pledge_id": key, "level": level} for level in pledge.levels)
        windows.extend({"pledge_id": key, **_window_row(window)} for window in pledge.windows)
        away.extend({"pledge_id": key, **_span_row(span)} for span in pledge.absences)
        wishes.extend({"pledge_id": key, "school_id": schools[code]} for code in pledge.wishes)
    bulk.add(db, pledge_levels, levels)
    bulk.add(db, tables.availability, windows)
    bulk.add(db, absences, away)
    bulk.add(db, school_wishes, wishes)


def _school_ids(db: Session, term_id: int) -> dict[str, int]:
    query = (
        select(receiving_schools.c.code, receiving_schools.c.id)
        .join(tables.terms, receiving_schools.c.programme_id == tables.terms.c.programme_id)
        .where(tables.terms.c.id == term_id)
    )
    return {row.code: row.id for row in db.execute(query)}


def _window_row(window: Window) -> dict[str, Any]:
    return {
        "weekday": window.weekday,
        "start_minute": window.start,
        "end_minute": window.end,
        "first_day": window.first_day,
        "last_day": window.last_day,
        "if_needed": window.if_needed,
    }


def _span_row(span: DaySpan) -> dict[str, Any]:
    return {"first_day": span.first_day, "last_day": span.last_day, "reason": ""}
