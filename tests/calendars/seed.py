"""A small programme written straight into the tables, and the list of it that feeds must show."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from scheduler.domain.access import Actor, Grant, Role
from scheduler.domain.lessons import LessonState
from scheduler.store import tables
from scheduler.store.database import Database, Session

MADE = datetime(2023, 9, 1, 1, 0, tzinfo=UTC)
DAY = timedelta(days=1)
MONDAY = datetime(2023, 10, 2, 0, 0, tzinfo=UTC)  # 07:00 in Hà Nội


def insert(db: Session, table: sa.Table, **values: object) -> int:
    return int(db.execute(table.insert().values(**values)).inserted_primary_key[0])


@dataclass
class World:
    """One programme with two schools, two donor schools, three teachers; and a foreign one."""

    database: Database
    zone: str = "Asia/Ho_Chi_Minh"
    ids: dict[str, int] = field(default_factory=dict)
    made: int = 0

    def plant(self) -> "World":
        with self.database.transaction() as db:
            self._programme(db, "")
            self._programme(db, "foreign_")
        return self

    def _programme(self, db: Session, mark: str) -> None:
        put = self.ids
        p = put[mark + "programme"] = insert(
            db, tables.programmes, code=mark + "P", name=f"{mark}Hà Nội – Yên Bái",
            zone=self.zone, created_at=MADE,
        )  # fmt: skip
        put[mark + "term"] = insert(
            db, tables.terms, programme_id=p, code="T", name="T", first_day=date(2023, 9, 11),
            last_day=date(2024, 1, 7), gap_minutes=10,
        )  # fmt: skip
        for key, name in (("ba_dinh", "THCS Ba Đình"), ("dong_da", "THCS Đống Đa")):
            put[mark + key] = insert(
                db, tables.donor_schools, programme_id=p, name=name, district="Hà Nội"
            )
        for key, name, classes in (
            ("to_hieu", "THCS Tô Hiệu", ("7A", "8B")),
            ("odd", 'TH & THCS "Mù Cang", Chải; a\\Nb 👩‍🏫🇻🇳 ' + "Nguyễn " * 20, ("6C",)),
        ):
            self._school(db, p, mark + key, name, classes, mark)
        for key, school in (("lan", "ba_dinh"), ("minh", "ba_dinh"), ("hoa", "dong_da")):
            person = self._person(db, mark + key, f"Cô {key.title()}")
            teacher = put[mark + key] = insert(
                db, tables.teachers, programme_id=p, person_id=person,
                donor_school_id=put[mark + school],
            )  # fmt: skip
            self._grant(db, person, p, Role.TEACHER, teacher_id=teacher)
        coordinator = self._person(db, mark + "coordinator", "Điều phối")
        self._grant(db, coordinator, p, Role.COORDINATOR)
        contact = self._person(db, mark + "contact", "Thầy Tô Hiệu")
        self._grant(db, contact, p, Role.SCHOOL, school_id=put[mark + "to_hieu"])
        head = self._person(db, mark + "head", "Cô hiệu trưởng")
        self._grant(db, head, p, Role.DONOR_HEAD, donor_school_id=put[mark + "ba_dinh"])

    def crew(self, mark: str) -> None:
        """Two more teachers, `lan` and `minh`, and a school with a class `7A`, by this mark."""
        p = self.ids["programme"]
        with self.database.transaction() as db:
            self._school(db, p, f"school{mark}", f"THCS {mark}", (f"7A{mark}",), "")
            for key in ("lan", "minh"):
                self.ids[key + mark] = insert(
                    db, tables.teachers, programme_id=p, donor_school_id=self.ids["ba_dinh"],
                    person_id=self._person(db, key + mark, f"Cô {key.title()} {mark}"),
                )  # fmt: skip

    def _school(
        self, db: Session, programme: int, key: str, name: str, classes: tuple[str, ...], mark: str
    ) -> None:
        school = self.ids[key] = insert(
            db, tables.receiving_schools, programme_id=programme, code=key, name=name[:200],
            district="Trấn Yên", level="lower_secondary", rooms=2,
        )  # fmt: skip
        for number, start in ((1, 420), (2, 475), (3, 530)):
            insert(
                db, tables.periods, school_id=school, half_day="morning", number=number,
                start_minute=start, end_minute=start + 45,
            )  # fmt: skip
        for name_ in classes:
            made = self.ids[mark + name_] = insert(
                db, tables.classes, school_id=school, name=name_, level="lower_secondary", pupils=30
            )
            self.ids[f"{mark}request {name_}"] = insert(
                db, tables.requests, class_id=made, term_id=self.ids[mark + "term"], number=1,
                lessons_per_week=1, first_day=date(2023, 9, 11), last_day=date(2023, 12, 1),
                priority=1, created_at=MADE,
            )  # fmt: skip

    def _person(self, db: Session, key: str, name: str) -> int:
        person = self.ids["person " + key] = insert(
            db, tables.persons, email=f"{key}@x.example", name=name, phone="0912345678",
            language="vi", active=True, reminders=True, created_at=MADE,
        )  # fmt: skip
        return person

    def _grant(self, db: Session, person: int, p: int, role: Role, **whom: int) -> None:
        insert(db, tables.grants, person_id=person, role=role, programme_id=p, **whom)

    def lesson(self, teacher: str, class_: str, at: datetime, **values: object) -> int:
        """Books a lesson of 45 minutes; its UID counts up."""
        with self.database.transaction() as db:
            return self.put(db, teacher, class_, at, **values)

    def put(self, db: Session, teacher: str, class_: str, at: datetime, **values: object) -> int:
        """The same, as one of many in a transaction."""
        self.made += 1
        mark = "foreign_" if class_.startswith("foreign_") else ""
        row: dict[str, object] = {
            "uid": str(UUID(int=self.made)),
            "join_token": f"join{self.made:04d}{'x' * 16}",
            "term_id": self.ids[mark + "term"],
            "request_id": self.ids[f"{mark}request {class_.removeprefix(mark)}"],
            "class_id": self.ids[class_],
            "teacher_id": self.ids[teacher],
            "state": LessonState.SCHEDULED,
            "starts_at": at,
            "ends_at": at + timedelta(minutes=45),
            "sequence": 0,
            "created_at": MADE,
            "changed_at": MADE,
            "cancel_reason": "",
            "cancelled_by": "",
        }
        return insert(db, tables.lessons, **{**row, **values})

    def hand_over(self, lesson: int, former: str, at: datetime, changed_at: datetime) -> None:
        with self.database.transaction() as db:
            self.put_trace(db, lesson, former, at, changed_at)

    def put_trace(
        self, db: Session, lesson: int, former: str, at: datetime, changed_at: datetime
    ) -> None:
        db.execute(
            tables.handovers.insert().values(
                lesson_id=lesson,
                teacher_id=self.ids[former],
                starts_at=at,
                ends_at=at + timedelta(minutes=45),
                sequence=1,
                changed_at=changed_at,
            )
        )

    def alter(self, table: sa.Table, row: int, **values: object) -> None:
        with self.database.transaction() as db:
            db.execute(table.update().where(table.c.id == row).values(**values))

    def actor(self, key: str) -> Actor:
        person = self.ids["person " + key]
        with self.database.reading() as db:
            rows = db.execute(sa.select(tables.grants).where(tables.grants.c.person_id == person))
            grants = tuple(
                Grant(Role(r.role), r.programme_id, r.teacher_id, r.school_id, r.donor_school_id)
                for r in rows
            )
        return Actor(person, key, f"{key}@x.example", "vi", grants)  # type: ignore[arg-type]

    def story(self) -> "World":
        """Every kind of lesson that a feed can hold, and some that it must not."""
        plain = {"sequence": 0}
        self.lesson("lan", "7A", MONDAY, **plain)
        self.lesson("lan", "8B", MONDAY + timedelta(minutes=55), state=LessonState.COVER)
        self.lesson("lan", "6C", MONDAY + DAY, meeting_url="https://secret.example/room?pwd=1")
        self.lesson("minh", "7A", MONDAY - 7 * DAY, state=LessonState.HELD)
        self.lesson("minh", "8B", MONDAY - 6 * DAY, state=LessonState.NOT_HELD)
        off = {
            "state": LessonState.CANCELLED,
            "sequence": 1,
            "changed_at": MADE + 20 * DAY,
            "cancelled_by": "Thầy Tô Hiệu",
            "cancel_reason": "Bão, lũ; trường nghỉ",
        }
        self.lesson("lan", "7A", MONDAY + 2 * DAY, **off)
        self.lesson("lan", "7A", MONDAY - 45 * DAY, **off)  # its tombstone is gone by now
        moved = {"sequence": 1, "moved_from": MONDAY + 3 * DAY}
        self.lesson("hoa", "7A", MONDAY + 4 * DAY, changed_at=MONDAY - 3 * DAY, **moved)
        self.lesson("hoa", "8B", MONDAY + 5 * DAY, changed_at=MADE, **moved)  # old news
        given = self.lesson("hoa", "6C", MONDAY + 6 * DAY, sequence=2, changed_at=MADE + DAY)
        self.hand_over(given, "lan", MONDAY + 6 * DAY, MADE + DAY)
        back = self.lesson("lan", "6C", MONDAY + 8 * DAY, sequence=2, changed_at=MADE + DAY)
        self.hand_over(back, "lan", MONDAY + 7 * DAY, MADE)
        self.lesson("lan", "7A", MONDAY - 90 * DAY)  # before the window
        self.lesson("lan", "7A", MONDAY + 400 * DAY)  # beyond it
        self.lesson("foreign_lan", "foreign_7A", MONDAY)
        return self
