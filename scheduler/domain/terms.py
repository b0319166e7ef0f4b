"""Programmes and their terms.  Pure: no clock, no database."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NewType
from zoneinfo import ZoneInfo

ProgrammeId = NewType("ProgrammeId", int)
TermId = NewType("TermId", int)


@dataclass(frozen=True, slots=True)
class Programme:
    id: ProgrammeId
    code: str
    name: str
    zone: str


@dataclass(frozen=True, slots=True)
class Term:
    """`holidays` are days without lessons; `gap_minutes` a teacher's least rest; `zone` IANA."""

    id: TermId
    programme_id: ProgrammeId
    code: str
    name: str
    first_day: date
    last_day: date
    gap_minutes: int
    zone: str
    holidays: tuple[date, ...] = ()

    def today(self, now: datetime) -> date:
        """The date on the programme's wall at instant `now`."""
        return now.astimezone(ZoneInfo(self.zone)).date()
