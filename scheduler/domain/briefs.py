"""What a class did in a lesson, for whoever teaches it next.  Pure.  No pupil is ever named."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime

from scheduler.domain import remarks
from scheduler.domain.lessons import LessonId
from scheduler.errors import Invalid, Text, text

LONGEST = {"unit": 200, "pages": 60, "done": 1000, "next": 1000}


@dataclass(frozen=True, slots=True)
class Brief:
    """Unit and pages of the book, what was done, what comes next."""

    unit: str = ""
    pages: str = ""
    done: str = ""
    next: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """A brief, the lesson it tells of, and who wrote it."""

    lesson_id: LessonId
    brief: Brief
    by_name: str
    at: datetime
    starts_at: datetime


def tidied(brief: Brief) -> Brief:
    """The brief with each field on one line; raises Invalid with what to mend."""
    tidy = Brief(
        unit=remarks.tidied(brief.unit),
        pages=remarks.tidied(brief.pages),
        done=remarks.joined(brief.done),
        next=remarks.joined(brief.next),
    )
    faults = dict(_faults(tidy))
    if faults:
        raise Invalid("Some fields need another look.", fields=faults)
    return tidy


def _faults(brief: Brief) -> Iterator[tuple[str, Text]]:
    if brief == Brief():
        yield "done", text("Write at least one of these.")
    for name, words in asdict(brief).items():
        if fault := remarks.fault(words, LONGEST[name], needed=False):
            yield name, fault
