"""People and schools.  Pure: no clock, no database.  No pupil is ever named."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

PersonId = NewType("PersonId", int)
TeacherId = NewType("TeacherId", int)
DonorSchoolId = NewType("DonorSchoolId", int)
SchoolId = NewType("SchoolId", int)
ClassId = NewType("ClassId", int)


class Level(StrEnum):
    """School levels by their names in instance files."""

    PRIMARY = "primary"
    LOWER_SECONDARY = "lower_secondary"
    UPPER_SECONDARY = "upper_secondary"


class HalfDay(StrEnum):
    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


@dataclass(frozen=True, slots=True)
class Person:
    """`zone` (IANA) of a volunteer abroad, None: the programme's; `mail_fault`: why the address
    takes no mail, as its relay said."""

    id: PersonId
    email: str
    name: str
    phone: str
    language: str
    active: bool
    reminders: bool
    zone: str | None = None
    mail_fault: str | None = None


@dataclass(frozen=True, slots=True)
class DonorSchool:
    id: DonorSchoolId
    name: str
    district: str

    @property
    def label(self) -> str:
        """How instance files name it."""
        return f"{self.name} ({self.district})"


@dataclass(frozen=True, slots=True)
class Teacher:
    id: TeacherId
    person_id: PersonId
    name: str
    email: str
    phone: str
    school: DonorSchool


@dataclass(frozen=True, slots=True)
class BellPeriod:
    """One numbered period of a school's day; minutes since midnight."""

    half_day: HalfDay
    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ReceivingSchool:
    id: SchoolId
    code: str
    name: str
    district: str
    level: Level
    rooms: int
    periods: tuple[BellPeriod, ...] = ()


@dataclass(frozen=True, slots=True)
class SchoolClass:
    id: ClassId
    school_id: SchoolId
    name: str
    level: Level
    pupils: int


def level_of_class(name: str) -> Level | None:
    """The level of a class by its grade (1-5, 6-9, 10-12); None when its name has no grade."""
    digits = name[: len(name) - len(name.lstrip("0123456789"))]
    grade = int(digits) if digits and len(digits) <= 2 else 0
    if 1 <= grade <= 5:
        return Level.PRIMARY
    if 6 <= grade <= 9:
        return Level.LOWER_SECONDARY
    return Level.UPPER_SECONDARY if 10 <= grade <= 12 else None
