"""What must reach a reader and what must not, said once more and as simply as can be."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from scheduler.domain.choices import Choices
from scheduler.domain.lessons import Lesson
from scheduler.domain.messages import MessageKind

MINUTE = timedelta(minutes=1)
DAY, WEEK = MessageKind.DAY_BEFORE, MessageKind.DIGEST
STEPS = {MessageKind.HOUR_BEFORE: (50, 15), MessageKind.SOON: (10, 0)}  # due by, useless from


@dataclass
class Reader:
    id: int
    schools: set[int] = field(default_factory=set)
    choices: Choices = field(default_factory=Choices)
    zone: str | None = None
    on: bool = True
    reminded: bool = True

    def local(self, at: datetime, lesson: Lesson | None = None) -> datetime:
        return at.astimezone(ZoneInfo(self.zone or (lesson.zone if lesson else "Asia/Ho_Chi_Minh")))

    def quiet(self, at: datetime) -> bool:
        start, end = self.choices.quiet_from, self.choices.quiet_until
        if start is None or end is None:
            return False
        minute = self.local(at).hour * 60 + self.local(at).minute
        return start <= minute < end if start < end else minute >= start or minute < end

    def wants(self, kind: MessageKind) -> bool:
        return self.on and self.reminded and bool(getattr(self.choices, kind.value))


@dataclass
class Model:
    now: datetime
    readers: dict[int, Reader]
    lessons: dict[int, Lesson] = field(default_factory=dict)
    confirmed: set[tuple[int, int, int]] = field(default_factory=set)

    def concerns(self, who: Reader, lesson: Lesson) -> bool:
        return lesson.teacher_person_id == who.id or lesson.school_id in who.schools

    def ahead(self, who: Reader, kind: MessageKind) -> list[Lesson]:
        """The lessons of which this reader would hear by reminders of this kind."""
        return [
            lesson
            for lesson in sorted(self.lessons.values(), key=lambda x: x.starts_at)
            if lesson.state in ("scheduled", "cover")
            and lesson.starts_at > self.now
            and self.concerns(who, lesson)
            and (kind in (DAY, WEEK) or lesson.teacher_person_id == who.id)
            and (kind is WEEK or self.asks(who, kind, lesson))
        ]

    def asks(self, who: Reader, kind: MessageKind, lesson: Lesson) -> bool:
        confirmed = (lesson.id, lesson.sequence, who.id) in self.confirmed
        return not confirmed or (kind is MessageKind.SOON and who.choices.after_confirming)

    def owed(self, who: Reader) -> Iterator[str]:
        """The stems of the keys of all reminders that must have gone out by now."""
        if who.quiet(self.now):
            return
        for kind, (latest, useless) in STEPS.items():
            for lesson in self.ahead(who, kind) if who.wants(kind) else ():
                if latest * MINUTE >= lesson.starts_at - self.now > useless * MINUTE:
                    yield f"{lesson.id}:{lesson.sequence}:{who.id}:{kind}"
        days: dict[date, list[Lesson]] = {}
        for lesson in self.ahead(who, DAY) if who.wants(DAY) else ():
            days.setdefault(who.local(lesson.starts_at, lesson).date(), []).append(lesson)
        for day, those in days.items():
            last = those[-1].starts_at - 120 * MINUTE
            if those[0].starts_at - 1395 * MINUTE <= self.now < last:
                yield f"day:{who.id}:{day}:{DAY}"

    def told(self, who: Reader, lesson: Lesson) -> object:
        """What this reader should know of a lesson, to be compared with what they were told."""
        if lesson.state == "cancelled":
            return "gone"
        if lesson.teacher_person_id == who.id:
            return lesson.starts_at
        return (lesson.starts_at, lesson.teacher_id) if self.concerns(who, lesson) else "gone"
