"""The fixed cast: two teachers, two schools, two coordinators of two programmes.

Each test of sight has a witness who must see nothing: everything of `Other` is a stranger's.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from scheduler.domain.access import Actor, Grant, Role
from scheduler.services.context import Context
from scheduler.store import accounts, tables
from scheduler.store.database import Session

T0 = datetime(2023, 9, 1, tzinfo=UTC)
FIRST, LAST = date(2023, 10, 2), date(2023, 12, 31)
BELLS = ((1, "07:30"), (2, "08:25"), (3, "09:20"))


@dataclass(frozen=True)
class Cast:
    """Ids by name: programme, term, school A and B, classes, requests, teachers; actors by name."""

    ids: dict[str, int]
    actors: dict[str, Actor]

    def __getitem__(self, name: str) -> int:
        return self.ids[name]


def gather(ctx: Context) -> Cast:
    """Store the cast: classes 7A of school A and 8B of school B, one request each, two teachers."""
    with ctx.transaction() as db:
        ids = _programme(db, "P")
        other = _insert(db, "programmes", code="O", name="Other", zone="UTC", created_at=T0)
        people = {
            "teacher1": Grant(Role.TEACHER, ids["programme"], teacher_id=ids["teacher1"]),
            "teacher2": Grant(Role.TEACHER, ids["programme"], teacher_id=ids["teacher2"]),
            "schoolA": Grant(Role.SCHOOL, ids["programme"], school_id=ids["A"]),
            "schoolB": Grant(Role.SCHOOL, ids["programme"], school_id=ids["B"]),
            "coordinator": Grant(Role.COORDINATOR, ids["programme"]),
            "stranger": Grant(Role.COORDINATOR, other),
        }
        actors = {name: _actor(db, ids, name, grant) for name, grant in people.items()}
    return Cast(ids, actors)


def _actor(db: Session, ids: dict[str, int], name: str, grant: Grant) -> Actor:
    person = ids.get(f"person_{name}") or _person(db, name)
    ids[f"person_{name}"] = person
    accounts.add_grant(db, person, grant)
    actor = accounts.actor_of(db, person)
    assert actor is not None
    return actor


def _person(db: Session, name: str) -> int:
    return _insert(
        db, "persons", email=f"{name.lower()}@x.example", name=f"Cô {name}", phone="",
        language="vi", active=True, reminders=True, created_at=T0,
    )  # fmt: skip


def _programme(db: Session, code: str) -> dict[str, int]:
    programme = _insert(
        db, "programmes", code=code, name="Hà Nội – Yên Bái", zone="Asia/Ho_Chi_Minh", created_at=T0
    )
    term = _insert(
        db, "terms", programme_id=programme, code="HK1", name="Học kỳ I", first_day=FIRST,
        last_day=LAST, gap_minutes=10,
    )  # fmt: skip
    ids = {"programme": programme, "term": term}
    for school, klass in (("A", "7A"), ("B", "8B")):
        ids |= _school(db, programme, term, school, klass)
    donor = _insert(
        db, "donor_schools", programme_id=programme, name="THCS Ái Mộ", district="Long Biên"
    )
    for n in (1, 2):
        ids[f"person_teacher{n}"] = _person(db, f"teacher{n}")
        ids[f"teacher{n}"] = _teacher(db, programme, term, ids[f"person_teacher{n}"], donor)
    return ids


def _school(db: Session, programme: int, term: int, code: str, klass: str) -> dict[str, int]:
    school = _insert(
        db, "receiving_schools", programme_id=programme, code=code, name=f"THCS {code}",
        district="Lục Yên", level="lower_secondary", rooms=1,
    )  # fmt: skip
    for number, start in BELLS:
        _insert(
            db, "periods", school_id=school, half_day="morning", number=number,
            start_minute=minutes(start), end_minute=minutes(start) + 45,
        )  # fmt: skip
    class_id = _insert(
        db, "classes", school_id=school, name=klass, level="lower_secondary", pupils=30
    )
    request = _insert(
        db, "requests", class_id=class_id, term_id=term, number=1, lessons_per_week=1,
        first_day=FIRST, last_day=LAST, priority=1, created_at=T0,
    )  # fmt: skip
    for rank, (number, start) in enumerate(BELLS):
        _insert(
            db, "request_slots", request_id=request, weekday=2 + number % 2,
            start_minute=minutes(start), end_minute=minutes(start) + 45, rank=min(rank, 1),
        )  # fmt: skip
    return {code: school, klass: class_id, f"request_{klass}": request}


def _teacher(db: Session, programme: int, term: int, person: int, donor: int) -> int:
    teacher = _insert(
        db, "teachers", programme_id=programme, person_id=person, donor_school_id=donor
    )
    pledge = _insert(
        db, "pledges", teacher_id=teacher, term_id=term, max_per_day=2, max_per_week=4, max_total=40
    )
    db.execute(tables.pledge_levels.insert().values(pledge_id=pledge, level="lower_secondary"))
    for weekday in range(5):
        _insert(
            db, "availability", pledge_id=pledge, weekday=weekday, start_minute=minutes("07:00"),
            end_minute=minutes("11:30"), if_needed=False,
        )  # fmt: skip
    return teacher


def minutes(clock: str) -> int:
    hours, rest = clock.split(":")
    return int(hours) * 60 + int(rest)


def _insert(db: Session, table: str, **values: object) -> int:
    row = tables.metadata.tables[table]
    return int(db.execute(row.insert().values(**values).returning(row.c.id)).scalar_one())
