"""The nouns of a programme page by page, as far as the actor may see them: for programs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Row, Select, select
from sqlalchemy.orm import Session

from scheduler.domain.access import Actor
from scheduler.domain.people import Level
from scheduler.store import tables
from scheduler.store.visibility import visible_to

_T = TypeVar("_T")
_classes, _donors, _schools = tables.classes, tables.donor_schools, tables.receiving_schools
_persons, _requests, _teachers, _terms = (
    tables.persons, tables.requests, tables.teachers, tables.terms,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """So many rows after the one with the number `after`."""

    after: int
    most: int


@dataclass(frozen=True, slots=True)
class ProgrammeRow:
    id: int
    code: str
    name: str
    zone: str


@dataclass(frozen=True, slots=True)
class TermRow:
    id: int
    programme: int
    code: str
    name: str
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class SchoolRow:
    """A receiving school; `rooms`: how many lessons it takes at once."""

    id: int
    code: str
    name: str
    district: str
    level: Level
    rooms: int


@dataclass(frozen=True, slots=True)
class DonorSchoolRow:
    id: int
    name: str
    district: str


@dataclass(frozen=True, slots=True)
class ClassRow:
    id: int
    school: int
    name: str
    level: Level
    pupils: int


@dataclass(frozen=True, slots=True)
class RequestRow:
    """So many lessons a week for a class; `withdrawn` ones stay readable."""

    id: int
    term: int
    school: int
    class_id: int
    number: int
    lessons_per_week: int
    first_day: date
    last_day: date
    priority: int
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class TeacherRow:
    """A volunteer; no address and no telephone number."""

    id: int
    name: str
    donor_school: int


def programmes(db: Session, actor: Actor, page: Page) -> tuple[ProgrammeRow, ...]:
    row = tables.programmes.c
    query: Select[Any] = select(row.id, row.code, row.name, row.zone)
    return _read(db, actor, tables.programmes, query, page, lambda x: ProgrammeRow(*x))


def terms(
    db: Session, actor: Actor, page: Page, programme: int | None = None
) -> tuple[TermRow, ...]:
    row = _terms.c
    query: Select[Any] = select(
        row.id, row.programme_id, row.code, row.name, row.first_day, row.last_day
    )
    where = _if(row.programme_id, programme)
    return _read(db, actor, _terms, query, page, lambda x: TermRow(*x), where)


def schools(
    db: Session, actor: Actor, page: Page, district: str | None = None
) -> tuple[SchoolRow, ...]:
    row = _schools.c
    query: Select[Any] = select(row.id, row.code, row.name, row.district, row.level, row.rooms)
    where = _if(row.district, district)

    def made(x: Row[Any]) -> SchoolRow:
        return SchoolRow(x.id, x.code, x.name, x.district, Level(x.level), x.rooms)

    return _read(db, actor, _schools, query, page, made, where)


def donor_schools(
    db: Session, actor: Actor, page: Page, district: str | None = None
) -> tuple[DonorSchoolRow, ...]:
    row = _donors.c
    query: Select[Any] = select(row.id, row.name, row.district)
    where = _if(row.district, district)
    return _read(db, actor, _donors, query, page, lambda x: DonorSchoolRow(*x), where)


def classes(
    db: Session, actor: Actor, page: Page, school: int | None = None
) -> tuple[ClassRow, ...]:
    row = _classes.c
    query: Select[Any] = select(row.id, row.school_id, row.name, row.level, row.pupils)

    def made(x: Row[Any]) -> ClassRow:
        return ClassRow(x.id, x.school_id, x.name, Level(x.level), x.pupils)

    return _read(db, actor, _classes, query, page, made, _if(row.school_id, school))


def requests(
    db: Session,
    actor: Actor,
    page: Page,
    term: int | None = None,
    school: int | None = None,
) -> tuple[RequestRow, ...]:
    row = _requests.c
    query: Select[Any] = select(
        row.id, row.term_id, _classes.c.school_id, row.class_id, row.number,
        row.lessons_per_week, row.first_day, row.last_day, row.priority,
        row.withdrawn_at,
    ).join(_classes, row.class_id == _classes.c.id)  # fmt: skip
    where = [*_if(row.term_id, term), *_if(_classes.c.school_id, school)]

    def made(x: Row[Any]) -> RequestRow:
        return RequestRow(
            id=x.id,
            term=x.term_id,
            school=x.school_id,
            class_id=x.class_id,
            number=x.number,
            lessons_per_week=x.lessons_per_week,
            first_day=x.first_day,
            last_day=x.last_day,
            priority=x.priority,
            withdrawn=x.withdrawn_at is not None,
        )

    return _read(db, actor, _requests, query, page, made, where)


def teachers(
    db: Session, actor: Actor, page: Page, donor_school: int | None = None
) -> tuple[TeacherRow, ...]:
    row = _teachers.c
    query: Select[Any] = select(row.id, _persons.c.name, row.donor_school_id)
    query = query.join(_persons, row.person_id == _persons.c.id)
    where = _if(row.donor_school_id, donor_school)
    return _read(db, actor, _teachers, query, page, lambda x: TeacherRow(*x), where)


def _if(column: ColumnElement[Any], value: object) -> list[ColumnElement[bool]]:
    return [] if value is None else [column == value]


def _read(
    db: Session,
    actor: Actor,
    table: Any,
    query: Select[Any],
    page: Page,
    made: Callable[[Any], _T],
    where: Sequence[ColumnElement[bool]] = (),
) -> tuple[_T, ...]:
    """In the order of their numbers, which never change: a page misses and repeats nothing."""
    mine = query.where(visible_to(actor, table), table.c.id > page.after, *where)
    return tuple(made(row) for row in db.execute(mine.order_by(table.c.id).limit(page.most)))
