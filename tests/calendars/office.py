"""Does to lessons what people do, as a publication would write it."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from scheduler.domain.lessons import LessonState
from scheduler.store import tables
from scheduler.store.database import Session

from .seed import DAY, MONDAY, World

ACTIONS = (
    "create", "move", "cancel", "restore", "restaff", "rename_class", "rename_school",
    "rename_teacher", "link", "wait",
)  # fmt: skip
TEACHERS = ("lan", "minh")


class Office:
    """Of one crew.  Its lessons lie 40 days and more ahead, so that none leaves a feed by age."""

    def __init__(self, world: World, clock: Any, mark: str) -> None:
        self.world, self.clock, self.mark = world, clock, mark
        self.lessons: list[int] = []
        self.watched = (
            ("teacher", f"lan{mark}"),
            ("teacher", f"minh{mark}"),
            ("class", f"7A{mark}"),
        )
        self.teachers = tuple(self._id(name) for name in TEACHERS)
        self.class_id = self._id("7A")

    def _id(self, name: str) -> int:
        return self.world.ids[name + self.mark]

    def do(self, db: Session, action: str, which: int) -> None:
        """One action, on one of the lessons where it is about a lesson."""
        if action == "wait":
            return
        if action == "create" or not self.lessons:
            self._create(db, TEACHERS[which % 2])
        else:
            getattr(self, f"_{action}")(db, self.lessons[which % len(self.lessons)])

    def _create(self, db: Session, teacher: str) -> None:
        at, now = MONDAY + (40 + len(self.lessons)) * DAY, self._now()
        made = self.world.put(
            db, teacher + self.mark, "7A" + self.mark, at, created_at=now, changed_at=now
        )
        self.lessons.append(made)

    def _now(self) -> datetime:
        return self.clock.now().replace(microsecond=0)

    def _row(self, db: Session, lesson: int) -> sa.Row[Any]:
        return db.execute(tables.lessons.select().where(tables.lessons.c.id == lesson)).one()

    def _alter(self, db: Session, lesson: int, **values: object) -> None:
        row = self._row(db, lesson)
        changed = max(self._now(), row.changed_at + timedelta(seconds=1))
        self._set(
            db, tables.lessons, lesson, sequence=row.sequence + 1, changed_at=changed, **values
        )

    def _set(self, db: Session, table: sa.Table, row: int, **values: object) -> None:
        db.execute(table.update().where(table.c.id == row).values(**values))

    def _move(self, db: Session, lesson: int) -> None:
        row, later = self._row(db, lesson), timedelta(minutes=50)
        self._alter(
            db, lesson, starts_at=row.starts_at + later, ends_at=row.ends_at + later,
            moved_from=row.starts_at,
        )  # fmt: skip

    def _cancel(self, db: Session, lesson: int) -> None:
        self._alter(db, lesson, state=LessonState.CANCELLED, cancelled_by="Thầy Tô Hiệu")

    def _restore(self, db: Session, lesson: int) -> None:
        self._alter(db, lesson, state=LessonState.SCHEDULED, cancelled_by="")

    def _link(self, db: Session, lesson: int) -> None:
        self._alter(db, lesson, meeting_url=f"https://room.example/{self.clock.now():%H%M}")

    def _rename_class(self, db: Session, lesson: int) -> None:
        self._rename(db, tables.classes, f"7A{self.mark}", f"7A{self.clock.now():%d%H}")

    def _rename_school(self, db: Session, lesson: int) -> None:
        self._rename(
            db, tables.receiving_schools, f"school{self.mark}", f"THCS {self.clock.now():%d%H}"
        )

    def _rename_teacher(self, db: Session, lesson: int) -> None:
        self._rename(
            db, tables.persons, f"person lan{self.mark}", f"Cô Lan {self.clock.now():%d%H}"
        )

    def _rename(self, db: Session, table: sa.Table, key: str, name: str) -> None:
        self._set(db, table, self.world.ids[key], name=name)
        for lesson in self.lessons:
            self._alter(db, lesson)

    def _restaff(self, db: Session, lesson: int) -> None:
        row, (lan, minh) = self._row(db, lesson), self.teachers
        self._alter(db, lesson, teacher_id=minh if row.teacher_id == lan else lan)
        now = self._row(db, lesson)
        db.execute(tables.handovers.delete().where(tables.handovers.c.lesson_id == lesson))
        db.execute(
            tables.handovers.insert().values(
                lesson_id=lesson, teacher_id=row.teacher_id, starts_at=row.starts_at,
                ends_at=row.ends_at, sequence=now.sequence, changed_at=now.changed_at,
            )
        )  # fmt: skip
