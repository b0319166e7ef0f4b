"""Programmes, terms, schools with their bell times, and classes, as values."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, ScalarSelect, Select, and_, func, select, update
from sqlalchemy.orm import Session

from scheduler.domain.access import Actor
from scheduler.domain.intervals import DaySpan
from scheduler.domain.lessons import LessonState
from scheduler.domain.people import (
    BellPeriod,
    ClassId,
    Level,
    ReceivingSchool,
    SchoolClass,
    SchoolId,
)
from scheduler.domain.term_wishes import TermWish
from scheduler.domain.terms import Programme, ProgrammeId, Term, TermId
from scheduler.errors import NotFound
from scheduler.store import bells, bulk, tables
from scheduler.store.bells import Bells
from scheduler.store.tables import (
    closed_days,
    former_periods,
    holidays,
    periods,
    programmes,
    receiving_schools,
    terms,
)
from scheduler.store.visibility import visible_to

_OF_A_TERM = ("id", "programme_id", "code", "name", "first_day", "last_day", "gap_minutes", "zone")


def get(db: Session, term_id: int) -> Term | None:
    return _one_term(db, _select_terms().where(terms.c.id == term_id))


def find(db: Session, code: str | None, programme_id: int | None = None) -> Term | None:
    """The term of that code; of several, and for None, the one that begins last."""
    query = _newest()
    if code is not None:
        query = query.where(terms.c.code == code)
    if programme_id is not None:
        query = query.where(terms.c.programme_id == programme_id)
    return _one_term(db, query)


def of_programme(db: Session, programme_id: int | ScalarSelect[Any]) -> tuple[Term, ...]:
    """The terms of a programme, the newest first; one query."""
    mine = _select_terms().where(terms.c.programme_id == programme_id).subquery()
    days = holidays.c.day.label("day")
    query = select(mine, days).outerjoin(holidays, holidays.c.term_id == mine.c.id)
    rows = db.execute(query.order_by(mine.c.first_day.desc(), mine.c.id.desc(), days)).all()
    found = {row.id: row for row in rows}
    return tuple(a_term([row for row in rows if row.id == key]) for key in found)


def of_school(db: Session, school_id: int) -> tuple[Term, ...]:
    """The terms of the programme that the school belongs to, the newest first; one query."""
    return of_programme(db, programme_of(school_id))


def programme_of_school(db: Session, school_id: int) -> ProgrammeId:
    """Raises NotFound: whoever asks has seen the school."""
    found: int | None = db.scalar(select(programme_of(school_id)))
    if found is None:
        raise NotFound("There is no such school here.")
    return ProgrammeId(found)


def programme_of(school_id: int) -> ScalarSelect[Any]:
    """The programme that the school belongs to, as a part of other queries."""
    query = select(receiving_schools.c.programme_id).where(receiving_schools.c.id == school_id)
    return query.scalar_subquery()


def of_lesson(db: Session, lesson_id: int) -> Term | None:
    """The term that the lesson is given in."""
    found = select(tables.lessons.c.term_id).where(tables.lessons.c.id == lesson_id)
    return _one_term(db, _select_terms().where(terms.c.id == found.scalar_subquery()))


def of_request(db: Session, request_id: int) -> Term | None:
    """The term that the request asks for."""
    found = select(tables.requests.c.term_id).where(tables.requests.c.id == request_id)
    return _one_term(db, _select_terms().where(terms.c.id == found.scalar_subquery()))


def asks_for_cover(db: Session, programme_id: int) -> bool:
    """Whether teachers are asked to stand in by themselves, without a coordinator's hand."""
    query = select(programmes.c.asks_for_cover).where(programmes.c.id == programme_id)
    return bool(db.scalar(query))


def set_asking(db: Session, programme_id: int, *, asks: bool) -> None:
    change = update(programmes).where(programmes.c.id == programme_id)
    db.execute(change.values(asks_for_cover=asks))


def programme(db: Session, programme_id: int) -> Programme:
    """Raises NotFound: whoever asks has the id from a row that needs its programme."""
    row = db.execute(select(programmes).where(programmes.c.id == programme_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such programme.")
    return _programme(row)


def all_programmes(db: Session) -> tuple[Programme, ...]:
    """Every programme, the oldest first."""
    return tuple(map(_programme, db.execute(select(programmes).order_by(programmes.c.id))))


def school(db: Session, school_id: int) -> ReceivingSchool | None:
    """One receiving school with its bell times."""
    found, _ = _schools(db, receiving_schools.c.id == school_id)
    return next(iter(found), None)


def schools(db: Session, programme_id: int) -> tuple[ReceivingSchool, ...]:
    """The receiving schools by code, with their bell times; one query."""
    found, _ = _schools(db, receiving_schools.c.programme_id == programme_id)
    return found


def ringing_schools(db: Session, programme_id: int) -> tuple[tuple[ReceivingSchool, ...], Bells]:
    """The receiving schools by code, and all bells that ring or rang in them; one query."""
    return _schools(db, receiving_schools.c.programme_id == programme_id)


def seen_schools(db: Session, actor: Actor, ids: Sequence[int]) -> tuple[ReceivingSchool, ...]:
    """Those of these schools that the actor may see, in the order of `ids`; one query."""
    mine = receiving_schools.c.id.in_(list(ids)), visible_to(actor, receiving_schools)
    found, _ = _schools(db, and_(*mine))
    return tuple(sorted(found, key=lambda each: ids.index(each.id)))


def _schools(db: Session, where: ColumnElement[bool]) -> tuple[tuple[ReceivingSchool, ...], Bells]:
    rung = bells.rings(select(receiving_schools.c.id).where(where))
    query = select(receiving_schools, rung).outerjoin(
        rung, rung.c.school_id == receiving_schools.c.id
    )
    rows = db.execute(query.where(where).order_by(receiving_schools.c.code)).all()
    ringing = bells.read(rows)
    return tuple(a_school(row, ringing) for row in {row.id: row for row in rows}.values()), ringing


def classes_of(db: Session, programme_id: int) -> tuple[SchoolClass, ...]:
    """The classes of all receiving schools, school by school."""
    query = (
        select(tables.classes)
        .join(receiving_schools)
        .where(receiving_schools.c.programme_id == programme_id)
        .order_by(receiving_schools.c.code, tables.classes.c.name)
    )
    return tuple(map(_class, db.execute(query)))


def classes(db: Session, school_id: int) -> tuple[SchoolClass, ...]:
    """The classes of one school by name."""
    query = (
        select(tables.classes)
        .where(tables.classes.c.school_id == school_id)
        .order_by(tables.classes.c.name)
    )
    return tuple(map(_class, db.execute(query)))


def closed_spans(db: Session, programme_id: int) -> dict[SchoolId, tuple[DaySpan, ...]]:
    """The days on which a school takes no lesson; schools without such days are absent."""
    query = (
        select(closed_days)
        .join(receiving_schools)
        .where(receiving_schools.c.programme_id == programme_id)
        .order_by(closed_days.c.first_day, closed_days.c.id)
    )
    spans: dict[SchoolId, list[DaySpan]] = defaultdict(list)
    for row in db.execute(query):
        spans[SchoolId(row.school_id)].append(DaySpan(row.first_day, row.last_day))
    return {school_id: tuple(found) for school_id, found in spans.items()}


def add(db: Session, programme_id: int, code: str, wish: TermWish) -> TermId:
    """A new term of a locked programme, with its holidays."""
    values = {"programme_id": programme_id, "code": code, **_own_values(wish)}
    made = db.execute(terms.insert().values(values).returning(terms.c.id))
    term_id = TermId(made.scalar_one())
    bulk.add(db, holidays, [{"term_id": term_id, "day": day} for day in wish.holidays])
    return term_id


def _own_values(wish: TermWish) -> dict[str, Any]:
    own = wish.name, wish.first_day, wish.last_day, wish.gap_minutes
    return dict(zip(("name", "first_day", "last_day", "gap_minutes"), own, strict=True))


def change(db: Session, term_id: int, wish: TermWish) -> None:
    """Give a locked term these days; its holidays are replaced as a whole."""
    db.execute(update(terms).where(terms.c.id == term_id).values(_own_values(wish)))
    bulk.forget(db, holidays, "term_id", [term_id])
    bulk.add(db, holidays, [{"term_id": term_id, "day": day} for day in wish.holidays])


def starts(db: Session, term_ids: Collection[int]) -> dict[TermId, list[datetime]]:
    """When the lessons of these terms begin, those called off left out; one query."""
    found: dict[TermId, list[datetime]] = defaultdict(list)
    own = tables.lessons.c
    query = select(own.term_id, own.starts_at).where(
        own.term_id.in_(list(term_ids)), own.state != LessonState.CANCELLED
    )
    for row in db.execute(query):
        found[TermId(row.term_id)].append(row.starts_at)
    return found


def lock_programme(db: Session, programme_id: int) -> None:
    """Let nobody else take lists over or change partnerships of this programme meanwhile."""
    mine = select(programmes.c.id).where(programmes.c.id == programme_id)
    db.execute(mine.with_for_update(key_share=True))


def lock(db: Session, term_id: int) -> None:
    """Let nobody else publish, close schools or send teachers away in this term until the
    transaction ends: rooms and promises have no constraint that would stop two of them.

    Whoever locks lessons as well locks the term first.
    """
    mine = select(terms.c.id).where(terms.c.id == term_id)
    db.execute(mine.with_for_update(key_share=True))


def close(db: Session, school_ids: Collection[int], span: DaySpan, reason: str) -> int:
    """Keep that these schools are closed on these days; how many were not yet."""
    known = {school for school, _ in _same_closure(db, school_ids, span)}
    days = {"first_day": span.first_day, "last_day": span.last_day, "reason": reason}
    new = [{"school_id": school, **days} for school in sorted(set(school_ids) - known)]
    bulk.add(db, closed_days, new)
    return len(new)


def reopen(db: Session, school_ids: Collection[int], span: DaySpan) -> int:
    """Forget exactly these closed days; of how many schools there were any."""
    found = _same_closure(db, school_ids, span)
    bulk.forget(db, closed_days, "id", [row for _, row in found])
    return len({school for school, _ in found})


@dataclass(frozen=True, slots=True)
class ClosedDays:
    span: DaySpan
    reason: str


def closed_of(db: Session, school_id: int) -> tuple[ClosedDays, ...]:
    """The days on which one school takes no lesson, the earliest first, and why."""
    query = select(closed_days).where(closed_days.c.school_id == school_id)
    rows = db.execute(query.order_by(closed_days.c.first_day, closed_days.c.id))
    return tuple(ClosedDays(DaySpan(x.first_day, x.last_day), x.reason) for x in rows)


@dataclass(frozen=True, slots=True)
class Closed:
    """Closed days of one school, as they are kept."""

    id: int
    school_id: SchoolId
    span: DaySpan
    reason: str


def closures(db: Session, programme_id: int) -> tuple[Closed, ...]:
    """All closed days of the programme's schools, the earliest first."""
    rows = db.execute(
        select(closed_days)
        .join(receiving_schools)
        .where(receiving_schools.c.programme_id == programme_id)
        .order_by(closed_days.c.first_day, closed_days.c.id)
    )
    return tuple(
        Closed(x.id, SchoolId(x.school_id), DaySpan(x.first_day, x.last_day), x.reason)
        for x in rows
    )


def bells_change_on(db: Session, school_id: int) -> date | None:
    """The last day on which the bell times of the school changed, or are to change."""
    mine = former_periods.c.school_id == school_id
    found: date | None = db.scalar(select(func.max(former_periods.c.before_day)).where(mine))
    return found


def set_bells(
    db: Session, school: ReceivingSchool, ringing: Collection[BellPeriod], from_day: date
) -> None:
    """Give the school other bell times from a day on; lessons before it keep their names.

    The caller holds the term.  Of two changes for one day the earlier one never rang.
    """
    if bells_change_on(db, school.id) != from_day:
        was = [{"before_day": from_day, **_bell_row(school.id, bell)} for bell in school.periods]
        bulk.add(db, former_periods, was)
    bulk.forget(db, periods, "school_id", [school.id])
    bulk.add(db, periods, [_bell_row(school.id, bell) for bell in ringing])


def set_rooms(db: Session, school_id: int, rooms: int) -> None:
    mine = receiving_schools.c.id == school_id
    db.execute(update(receiving_schools).where(mine).values(rooms=rooms))


def _bell_row(school_id: int, bell: BellPeriod) -> dict[str, object]:
    return {
        "school_id": school_id,
        "half_day": bell.half_day,
        "number": bell.number,
        "start_minute": bell.start,
        "end_minute": bell.end,
    }


def _same_closure(db: Session, school_ids: Collection[int], span: DaySpan) -> list[tuple[int, int]]:
    query = select(closed_days.c.school_id, closed_days.c.id).where(
        closed_days.c.school_id.in_(list(school_ids)),
        closed_days.c.first_day == span.first_day,
        closed_days.c.last_day == span.last_day,
    )
    return [(row.school_id, row.id) for row in db.execute(query)]


def _select_terms() -> Select[Any]:
    return select(terms, programmes.c.zone).join(programmes)


def _newest() -> Select[Any]:
    return _select_terms().order_by(terms.c.first_day.desc(), terms.c.id.desc()).limit(1)


def _one_term(db: Session, query: Select[Any]) -> Term | None:
    """The one term of the query with its holidays, in one query."""
    found = query.subquery()
    with_days = (
        select(found, holidays.c.day)
        .outerjoin(holidays, holidays.c.term_id == found.c.id)
        .order_by(holidays.c.day)
    )
    rows = db.execute(with_days).all()
    return a_term(rows) if rows else None


def a_term(rows: Sequence[Row[Any]], prefix: str = "") -> Term:
    """A term out of its rows, one for each of its holidays; its columns begin with the prefix."""
    own = {name: getattr(rows[0], f"{prefix}{name}") for name in _OF_A_TERM}
    days = (getattr(row, f"{prefix}day") for row in rows)
    return Term(**own, holidays=tuple(day for day in days if day is not None))


def _programme(row: Row[Any]) -> Programme:
    return Programme(ProgrammeId(row.id), row.code, row.name, row.zone)


def a_school(row: Row[Any], rung: Bells) -> ReceivingSchool:
    return ReceivingSchool(
        id=SchoolId(row.id),
        code=row.code,
        name=row.name,
        district=row.district,
        level=Level(row.level),
        rooms=row.rooms,
        periods=rung.now(row.id),
    )


def _class(row: Row[Any]) -> SchoolClass:
    return SchoolClass(
        ClassId(row.id), SchoolId(row.school_id), row.name, Level(row.level), row.pupils
    )
