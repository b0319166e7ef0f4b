"""The timetable of one receiving school: on the page, and on paper for its wall."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from scheduler.delivery import papers
from scheduler.domain import walls as rules
from scheduler.domain.access import Actor
from scheduler.domain.intervals import clock_text
from scheduler.domain.limits import PAPERS_BY_PERSON
from scheduler.domain.people import ReceivingSchool, SchoolId
from scheduler.domain.terms import Term
from scheduler.domain.walls import Cell, Time
from scheduler.errors import NotFound, text
from scheduler.locale import Language, translate, wording
from scheduler.services import lessons, limits
from scheduler.services.context import Context
from scheduler.services.lessons import visible_school
from scheduler.store import lessons as rows
from scheduler.store import present


@dataclass(frozen=True, slots=True)
class Wall:
    """A school's week.  `week`: its Monday, None: the usual week of the term from now on;
    `days`: how many days it shows, from Monday on."""

    school: ReceivingSchool
    term: Term
    week: date | None
    monday: date
    today: date
    days: int
    times: tuple[Time, ...]
    cells: tuple[Cell, ...]
    previous: date | None
    following: date | None

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that have a lesson in it."""
        return tuple(sorted({cell.lesson.class_name for cell in self.cells}, key=_by_grade))


def _by_grade(name: str) -> tuple[int, str]:
    digits = name[: len(name) - len(name.lstrip("0123456789"))]
    return (int(digits) if digits.isascii() and digits else 0), name


def of_week(ctx: Context, actor: Actor, school_id: SchoolId, day: date | None) -> Wall:
    """The week of that day, None: the present one, moved into the term; raises NotFound."""
    seen = lessons.school_week(ctx, actor, school_id, day)
    found = [lesson for each in seen.days for lesson in each.lessons]
    cells = rules.cells(found, seen.school.periods)
    return Wall(
        seen.school, seen.term, seen.monday, seen.monday, seen.today, rules.days(cells),
        rules.times(cells, seen.school.periods), cells, seen.previous, seen.following,
    )  # fmt: skip


def usual(ctx: Context, actor: Actor, school_id: SchoolId) -> Wall:
    """The weekly times of the classes, from today on; raises NotFound."""
    with ctx.reading() as db:
        school = visible_school(db, actor, school_id)
        term = present.at_school(db, school_id, ctx.now())
        if term is None:
            raise NotFound("There is no term yet.")
        found = rows.find(db, school_id=school_id, term_id=term.id)
    today = term.today(ctx.now())
    first = term.week_of(today)
    cells = rules.cells(rules.typical(found, first), school.periods)
    return Wall(
        school, term, None, first, today, rules.days(cells), rules.times(cells, school.periods),
        cells, None, None,
    )  # fmt: skip


# -- on paper


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the paper: what it is called, when it is, and for each day class and teacher."""

    name: str
    clock: str
    days: tuple[tuple[tuple[str, str], ...], ...]


@dataclass(frozen=True, slots=True)
class Paper:
    """The timetable in the words of one language.

    `corner`: what its first column holds; `foot`: when it was printed, and its address.
    """

    language: str
    title: str
    about: str
    corner: str
    days: tuple[str, ...]
    lines: tuple[Line, ...]
    foot: str


def paper(ctx: Context, found: Wall, language: Language) -> Paper:
    """What hangs on the wall: what is called off is not on it."""
    first = found.monday
    heads = [first + timedelta(days=n) for n in range(found.days)]
    printed = text(
        "Printed on {day}. The newest one: {address}",
        day=wording.date_long(found.term.today(ctx.now()), language),
        address=f"{ctx.settings.base_url.split('://', 1)[-1]}/school/timetable",
    )
    return Paper(
        language=language.value,
        title=found.school.name,
        about=_about(found, language),
        corner=translate(text("Period"), language),
        days=tuple(_head(day, found, language) for day in heads),
        lines=tuple(_line(time, found, language) for time in found.times),
        foot=translate(printed, language),
    )


def _about(found: Wall, language: Language) -> str:
    if found.week is None:
        said = text("Online English lessons, the usual week · {term}", term=found.term.name)
    else:
        last = found.week + timedelta(days=found.days - 1)
        said = text(
            "Online English lessons, {first} – {last}",
            first=f"{found.week:%d/%m}", last=f"{last:%d/%m/%Y}",
        )  # fmt: skip
    return translate(said, language)


def _head(day: date, found: Wall, language: Language) -> str:
    name = wording.weekday_long(day, language)
    return name if found.week is None else f"{name} {day:%d/%m}"


def _line(time: Time, found: Wall, language: Language) -> Line:
    named = time.half_day is not None and time.number is not None
    name = wording.half_day_period(time.half_day, time.number, language) if named else ""
    there = [x for x in found.cells if x.time == time and not x.lesson.cancel_reason]
    days = tuple(_texts(there, n) for n in range(found.days))
    return Line(name, f"{clock_text(time.start)}–{clock_text(time.end)}", days)


def _texts(there: Sequence[Cell], weekday: int) -> tuple[tuple[str, str], ...]:
    of_day = [x.lesson for x in there if x.weekday == weekday]
    return tuple((x.class_name, x.teacher_name) for x in of_day)


def printed(ctx: Context, actor: Actor, found: Wall, language: Language) -> bytes:
    """The paper as a PDF.  Raises NoPaper, and TooMany for whoever prints all the time."""
    limits.take(ctx, PAPERS_BY_PERSON, str(actor.person_id))
    page = papers.page("timetable", {"paper": paper(ctx, found, language)})
    return papers.printed([page])[0]
