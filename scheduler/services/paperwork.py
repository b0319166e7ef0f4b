"""The words of records and certificates: for their papers, and for workbooks of records."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from scheduler.domain.certificates import Certificate
from scheduler.domain.intervals import DaySpan
from scheduler.domain.lessons import Cause
from scheduler.domain.records import NOTHING, Amount, Line, Meetings, Outcome, Sums
from scheduler.errors import Text, text
from scheduler.locale import Language, spell, translate, wording
from scheduler.services.records import Part, Record

BETWEEN_PLACES = " – "
BLANK = "." * 24

OUTCOMES: dict[Outcome, Text] = {
    Outcome.GIVEN: text("Given"),
    Outcome.WAS_THERE: text("Was there, not held"),
    Outcome.NOT_GIVEN: text("Not given"),
    Outcome.CALLED_OFF: text("Called off"),
    Outcome.MERGED: text("Joined another lesson"),
    Outcome.DISPUTED: text("Reported differently"),
    Outcome.AWAITING: text("Awaiting the other side"),
    Outcome.UNREPORTED: text("Nobody reported yet"),
    Outcome.AHEAD: text("Still to come"),
}
CAUSES: dict[Cause | None, Text] = {
    Cause.TEACHER: text("The teacher could not come"),
    Cause.CLASS: text("The class did not come"),
    Cause.CONNECTION: text("Connection"),
    Cause.POWER: text("Power cut"),
    Cause.SCHOOL_EVENT: text("School event"),
    Cause.PLATFORM: text("Meeting software"),
    None: text("No cause was told"),
}
APART = text(
    "Joint sessions are counted apart from lessons, where a coordinator noted who was there."
)
Row = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A heading, the names of the columns, and rows of as many cells, the last of them the sum."""

    heading: str
    names: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class RecordPaper:
    """A record in one language; `facts` are pairs of a name and a value."""

    language: str
    title: str
    about: str
    facts: tuple[tuple[str, str], ...]
    note: str
    tables: tuple[Table, ...]


# -- certificates


def certificate(issued: Certificate, url: str, drawn: str) -> dict[str, object]:
    """What the paper of a certificate prints; `drawn` is the code of `url` as SVG."""
    said = issued.facts
    return {
        "code": issued.code,
        "url": url,
        "shown_url": url.split("://", 1)[-1],
        "drawn": drawn,
        "name": said.name,
        "school": said.school,
        "programme": said.programme,
        "place": _place(said.programme),
        "issued": issued.issued_on,
        "first": f"{said.days.first_day:%d/%m/%Y}",
        "last": f"{said.days.last_day:%d/%m/%Y}",
        "lessons": said.held.lessons,
        "minutes": said.held.minutes,
        "length": {each.value: length(said.held.minutes, each) for each in Language},
        "months": [_month(month, held) for month, held in said.months],
    }


@dataclass(frozen=True, slots=True)
class Checked:
    """What anybody may read of a certificate: what its paper says; pairs of a name and a value."""

    code: str
    withdrawn: bool
    facts: tuple[tuple[str, str], ...]


def checked(issued: Certificate, language: Language) -> Checked:
    """A certificate in the words of its page."""
    said = issued.facts
    facts = [
        (text("Code"), issued.code),
        (text("Name"), said.name),
        (text("School"), said.school),
        (text("Programme"), said.programme),
        (text("Days"), days_text(said.days)),
        (text("Lessons given"), spell(said.held.lessons, language)),
        (text("Time given"), length(said.held.minutes, language)),
        (text("Issued on"), wording.date_long(issued.issued_on, language)),
    ]
    named = tuple((translate(name, language), value) for name, value in facts)
    return Checked(issued.code, issued.withdrawn_at is not None, named)


def _place(programme: str) -> str:
    """Where the programme's office is, when it is named after two places."""
    place, between, _ = programme.partition(BETWEEN_PLACES)
    return place if between else BLANK


def _month(month: date, held: Amount) -> dict[str, object]:
    return {
        "name": f"{month:%m/%Y}",
        "lessons": held.lessons,
        "length": {each.value: length(held.minutes, each) for each in Language},
    }


def length(minutes: int, language: Language) -> str:
    """9 giờ 45 phút · 9 h 45 min"""
    hours, rest = divmod(minutes, 60)
    full, part = ("giờ", "phút") if language is Language.VI else ("h", "min")
    words = [f"{spell(hours, language)} {full}"] if hours else []
    return " ".join([*words, f"{rest} {part}"] if rest or not hours else words)


# -- records


def record(found: Record, languages: Iterable[Language] = Language) -> dict[str, object]:
    """What the paper of a record prints, in Vietnamese and then in English, or in one of them."""
    return {"halves": [_half(found, language) for language in languages]}


def _half(found: Record, language: Language) -> RecordPaper:
    whole, met = found.whole, found.meetings
    title = text("Record of service") if found.whose else text("Record of the programme")
    facts = [
        (text("Programme"), found.programme.name),
        (text("Teacher"), found.whose),
        (text("Days"), days_text(found.days)),
        (text("Lessons given"), spell(whole.given.lessons, language)),
        (text("Time given"), length(whole.given.minutes, language)),
        (_met_words(found), _met(found.met, language)),
    ]
    note = text(
        "Only lessons count as given of which both sides, or a coordinator, said that they took "
        "place. Where the teacher was there and the lesson was not held, the cause was not theirs."
    )
    return RecordPaper(
        language=language.value,
        title=translate(title, language),
        about=found.programme.name,
        facts=tuple((translate(name, language), value) for name, value in facts if value),
        note=" ".join(translate(each, language) for each in ([note, APART] if met else [note])),
        tables=tuple(_tables(found, language)),
    )


def _met_words(found: Record) -> Text:
    return text("Joint sessions attended") if found.whose else text("Joint sessions held")


def _met(met: Meetings, language: Language) -> str:
    """2 (3 giờ); empty where there were none."""
    if not met.sessions:
        return ""
    return f"{spell(met.sessions, language)} ({length(met.minutes, language)})"


def _tables(found: Record, language: Language) -> Iterator[Table]:
    for heading, parts in _divided(found):
        if not parts and found.lines:
            continue  # whoever wants a shorter paper took them out
        yield _table(translate(heading, language), parts, found.whole, language)
    if found.whole.causes:
        yield _causes(found.whole, language)
    if found.meetings:
        yield _meetings(found, language)


def _meetings(found: Record, language: Language) -> Table:
    """By partnership; in a teacher's own record nobody else is counted."""
    words = [text("Number of sessions"), text("Minutes")]
    words += [] if found.whose else [text("Who came to them, each time counted")]
    heading = translate(text("Joint sessions"), language)
    total = replace(found.met, units=translate(text("Sum"), language))
    rows = [(x.units, x.sessions, x.minutes, x.came) for x in (*found.meetings, total)]
    names = (heading, *(translate(each, language) for each in words))
    return Table(heading, names, tuple(row[: len(names)] for row in rows))


def _divided(found: Record) -> Iterator[tuple[Text, Sequence[Part]]]:
    """The ways to divide the record that say something about it."""
    yield text("Months"), [Part(f"{month:%m/%Y}", sums) for month, sums in found.months.items()]
    if not found.whose:
        yield text("Donor schools"), found.donor_schools
    yield text("Receiving schools"), found.schools
    yield text("Classes"), found.classes
    if not found.whose:
        yield text("Teachers"), found.teachers


def _table(heading: str, parts: Iterable[Part], whole: Sums, language: Language) -> Table:
    say = [translate(words, language) for words in OUTCOMES.values()]
    names = (heading, say[0], translate(text("Minutes given"), language), *say[1:])
    total = Part(translate(text("Sum"), language), whole)
    return Table(heading, names, tuple(_row(part) for part in (*parts, total)))


def _row(part: Part) -> Row:
    counts = [part.sums.of(outcome).lessons for outcome in OUTCOMES]
    return part.name, counts[0], part.sums.given.minutes, *counts[1:]


def _causes(whole: Sums, language: Language) -> Table:
    heading = translate(text("Not held, by cause"), language)
    found = [(CAUSES[cause], whole.causes[cause]) for cause in CAUSES if cause in whole.causes]
    rows: list[Row] = [
        (translate(words, language), lost.lessons, lost.minutes) for words, lost in found
    ]
    lost = sum((amount for _, amount in found), NOTHING)
    rows.append((translate(text("Sum"), language), lost.lessons, lost.minutes))
    words = (text("Number of lessons"), text("Minutes"))
    names = (heading, *(translate(each, language) for each in words))
    return Table(heading, names, tuple(rows))


def days_text(days: DaySpan) -> str:
    """02/10/2023 – 31/12/2023"""
    return f"{days.first_day:%d/%m/%Y} – {days.last_day:%d/%m/%Y}"


def sheets(found: Record, language: Language = Language.VI) -> tuple[Table, ...]:
    """The record as tables, one a sheet."""
    return tuple(_tables(found, language))


def long_table(lines: Iterable[Line], language: Language = Language.VI) -> Table:
    """The record's own lines, as somebody may divide them anew."""
    words = (
        *(text("Month"), text("Receiving school"), text("Class"), text("Teacher")),
        *(
            text("Donor school"),
            text("Outcome"),
            text("Cause"),
            text("Number of lessons"),
            text("Minutes"),
        ),
    )
    names = tuple(translate(each, language) for each in words)
    return Table("", names, tuple(_long_row(line, language) for line in lines))


def _long_row(line: Line, language: Language) -> Row:
    return (
        f"{line.month:%m/%Y}",
        line.school,
        line.class_name,
        line.teacher,
        line.donor_school,
        translate(OUTCOMES[line.outcome], language),
        translate(CAUSES[line.cause], language) if line.cause else "",
        line.amount.lessons,
        line.amount.minutes,
    )
