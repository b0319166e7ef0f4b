"""The promises about changes, held against the timetable and against what arrives."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from scheduler.delivery.channels import Parcel
from scheduler.domain import news
from scheduler.domain.lessons import Lesson, LessonId
from scheduler.domain.messages import MessageKind
from scheduler.domain.news import GATHERED_FOR, Entry, What
from scheduler.domain.reminders import REMINDERS, Side
from scheduler.store import lessons as lesson_rows
from scheduler.store import tables
from tests.faults.kit import read, states
from tests.services.change_model import Picture, Reader, faults, line, picture, shown

NEWS = (MessageKind.CHANGES, MessageKind.CALLED_OFF)
_LOST = ("failed", "unknown", "expired")


class Laws:
    """Looks at the office after each step, and at each message on its way.

    `knows`: what each reader was last told of a lesson; `unsure`: where a message was lost.
    """

    def __init__(self, ctx, term_id: int, readers: dict[int, Reader], coordinator: int) -> None:
        self.ctx, self.term_id = ctx, term_id
        self.readers, self.coordinator = readers, coordinator
        self.now: Picture = picture(ctx, term_id)
        self.broken: list[str] = []
        self.knows: dict[tuple[int, LessonId], object] = {}
        self.unsure: set[tuple[int, LessonId]] = set()
        self.unsure_people: set[int] = set()
        self.changed_at: dict[LessonId, datetime] = {}

    def hold(self, may_break: frozenset[str] = frozenset()) -> None:
        """What holds after every step."""
        old, self.now = self.now, picture(self.ctx, self.term_id)
        self.broken += faults(old, self.now, may_break)
        for number, lesson in self.now.lessons.items():
            was = old.lessons.get(number)
            if was is None or shown(was) != shown(lesson):
                self.changed_at[number] = self.ctx.now()
        states(self.ctx)
        assert not self.broken, self.broken[:3]

    # -- what arrives

    def arrived(self, parcel: Parcel) -> None:
        row = self._rows(tables.outbox, tables.outbox.c.message_id == parcel.message_id)[0]
        body = read(parcel).get_body(("plain",)).get_content()
        reader, kind = self.readers.get(row.person_id), MessageKind(row.kind)
        if kind is MessageKind.COVER_WANTED:
            if row.person_id != self.coordinator:
                self._broke(row, "cover is the coordinators' matter")
        elif reader is None or not reader.on:
            self._broke(row, "has no part in it, or an account that is off")
        elif kind is MessageKind.CHANGES:
            for entry in news.read(row.payload).entries:
                self._entry(row, reader, entry, body)
        elif kind is MessageKind.CALLED_OFF:
            self._own(row, reader, row.lesson_id)
            self.knows[reader.id, row.lesson_id] = None
        elif kind in REMINDERS:
            self._reminded(row, reader, body)

    def _broke(self, row, why: str) -> None:
        self.broken.append(f"{row.key} to {row.person_id} at {self.ctx.now():%a %d %H:%M}: {why}")

    def _entry(self, row, reader: Reader, entry: Entry, body: str) -> None:
        match entry.what:
            case What.CHANGED:
                self._own(row, reader, entry.lesson_id, entry.side)
                self._told(reader, entry, body)
            case What.OFFERED:
                if reader.teacher_id not in self._asked(entry.lesson_id):
                    self._broke(row, "is not asked to stand in")
            case What.SWAP | What.SWAP_ENDED:
                swap = self._rows(tables.swaps, tables.swaps.c.id == entry.swap)[0]
                party = swap.asked_id if entry.what is What.SWAP else swap.asker_id
                if party != reader.teacher_id:
                    self._broke(row, "has no part in this swap")
            case What.THANKED:
                if reader.teacher_id not in self._givers(entry.lesson_id):
                    self._broke(row, "is thanked for nothing")

    def _own(self, row, reader: Reader, lesson_id: LessonId, side: Side | None = None) -> None:
        """Whoever is told of a change gives the lesson, gave it, or speaks for its school."""
        gave = reader.teacher_id in self._givers(lesson_id) and side is not Side.SCHOOL
        hosts = reader.school_id == self._lesson(lesson_id).school_id and side is not Side.TEACHER
        if not gave and not hosts:
            self._broke(row, f"lesson {lesson_id} does not concern them")

    def _told(self, reader: Reader, entry: Entry, body: str) -> None:
        lesson = self._lesson(entry.lesson_id)
        truth = reader.truth(lesson)
        named = line(lesson.starts_at) in body
        was = entry.was is not None and line(entry.was) in body
        if (truth is not None and named) or (truth is None and (named or was)):
            self.knows[reader.id, lesson.id] = truth

    def _reminded(self, row, reader: Reader, body: str) -> None:
        mine = [x for x in self.now.lessons.values() if reader.truth(x) is not None]
        if not any(line(x.starts_at) in body for x in mine):
            self._broke(row, "names no lesson of theirs")

    def _lesson(self, lesson_id: LessonId) -> Lesson:
        with self.ctx.reading() as db:
            return lesson_rows.find(db, ids=[lesson_id])[0]

    def _givers(self, lesson_id: LessonId) -> set[int]:
        row = tables.lesson_history
        return {x.teacher_id for x in self._rows(row, row.c.lesson_id == lesson_id)}

    def _asked(self, lesson_id: LessonId) -> set[int]:
        calls, row = tables.cover_calls, tables.offers
        of_lesson = sa.select(calls.c.id).where(calls.c.lesson_id == lesson_id)
        found = self._rows(row, row.c.call_id.in_(of_lesson), row.c.ended_at.is_(None))
        return {x.teacher_id for x in found}

    def _rows(self, table: sa.Table, *where):
        with self.ctx.reading() as db:
            return db.execute(sa.select(table).where(*where)).all()

    # -- what must have arrived

    def all_told(self) -> None:
        """A quarter of an hour after a change everybody whom it concerns knows it."""
        row = tables.outbox
        for each in self._rows(row, row.c.kind.in_(NEWS), row.c.state.in_(_LOST)):
            entries = news.read(each.payload).entries if each.kind == MessageKind.CHANGES else ()
            for number in {e.lesson_id for e in entries} or {each.lesson_id}:
                self.unsure.add((each.person_id, number))
        for reader in self.readers.values():
            if reader.on and reader.id not in self.unsure_people:
                self._knows_all(reader)
        assert not self.broken, self.broken[:3]

    def _knows_all(self, reader: Reader) -> None:
        now = self.ctx.now()
        for number, lesson in self.now.lessons.items():
            late = now - self.changed_at[number] >= GATHERED_FOR + timedelta(seconds=1)
            known, truth = self.knows.get((reader.id, number)), reader.truth(lesson)
            unsure = (reader.id, number) in self.unsure
            if late and lesson.starts_at > now and known != truth and not unsure:
                self.broken.append(f"{reader} knows {known} of lesson {number}: {truth}, {now}")
