"""What the files say set against what is held: unknown names, days outside the term, periods."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from scheduler.domain import requests
from scheduler.domain.imports import (
    ClassEntry,
    RequestEntry,
    Roster,
    SchoolEntry,
    TeacherEntry,
    TermEntry,
)
from scheduler.domain.intervals import DaySpan
from scheduler.domain.people import BellPeriod, level_of_class
from scheduler.domain.requests import NewRequest, Slot
from scheduler.domain.terms import ProgrammeId, Term, TermId
from scheduler.errors import Text, text
from scheduler.exchange import checks, instance_sheets, layout, readers, references
from scheduler.exchange.cells import HALF_DAY_WORDS
from scheduler.exchange.faults import Row
from scheduler.exchange.layout import Noun
from scheduler.exchange.readers import NO_DAY, Ask, Bell
from scheduler.exchange.references import Schools
from scheduler.exchange.weekly import TimedSlot, WishedSlot, write_slots
from scheduler.exchange.workbooks import Batch, Found, refuse


@dataclass(frozen=True, slots=True)
class _Known:
    """What references may point to; `schools` have their bell times."""

    term: TermEntry | None
    schools: Mapping[str, SchoolEntry]
    called: Schools
    all_schools: bool
    all_periods: bool


def request(row: Row, term: TermEntry, school: SchoolEntry) -> RequestEntry:
    """One row of requests of a school set against its bell times and term; faults in the row."""
    called = Schools([school])
    known = _Known(term, {school.code: school}, called, all_schools=True, all_periods=True)
    asked = references.settled(row, readers.ask(row), called)
    return _request(Found(row, asked), known)


def term_code(batch: Batch, wanted: str | None, newest_held: str | None) -> str | None:
    """Which term pledges and requests belong to: the one wanted, in the files, or held."""
    if wanted is not None:
        return wanted
    return batch.newest_term.code if batch.newest_term else newest_held


def resolve(batch: Batch, held: Roster, code: str | None) -> Roster:
    """The roster that the files tell; raises Invalid with every problem there is.

    `held` is what the database tells of the term `code`.
    """
    called = Schools((*held.schools, *(found.entry for found in batch.schools)))
    references.settle(batch, held, called)
    instance_sheets.complete(batch, held)
    checks.doubles(batch)
    checks.zones(batch)
    checks.people(batch)
    schools = _schools(batch, called)
    by_code = {school.code: school for school in (*held.schools, *schools)}
    known = _Known(
        term=_term(batch, held, code),
        schools=by_code,
        called=called,
        all_schools=_all_schools_known(batch, by_code),
        all_periods=Noun.PERIODS not in batch.unsure,
    )
    terms = _terms(batch, known.term)
    for found in batch.teachers:
        _check_teacher(found, known)
    asks = [(found, _request(found, known)) for found in batch.asks]
    refuse(batch.faults)
    return Roster(
        terms=terms,
        schools=schools,
        teachers=tuple(found.entry for found in batch.teachers),
        classes=_classes(batch),
        requests=tuple(request for _, request in asks),
    )


def _term(batch: Batch, held: Roster, code: str | None) -> TermEntry | None:
    """The term that pledges and requests are set against, or None after noting that there is none.

    A sheet of terms that could not be read was told already.
    """
    named = [found.entry for found in batch.terms] + list(held.terms)
    term = next((term for term in named if term.code == code), None)
    if term or Noun.TERMS in batch.unsure:
        return term
    if code is None or not named:
        batch.note(text("There is no term yet. Import the workbook with the sheet Học kỳ, too."))
    else:
        codes = tuple(dict.fromkeys(term.code for term in named))
        batch.note(
            text("There is no term with the code {code}. Known: {codes}.", code=code, codes=codes)
        )
    return None


def _terms(batch: Batch, meant: TermEntry | None) -> tuple[TermEntry, ...]:
    """The terms of the files; the one meant also with the closed days that lie in it.

    A calendar of closed days runs on beyond a term, but one of which no day lies in it is wrong.
    """
    told = tuple(found.entry for found in batch.terms)
    if meant is None or not batch.closed:
        return told
    days = {day for found in batch.closed if found.row.sound for day in _within(found.entry, meant)}
    if not days and all(found.row.sound for found in batch.closed):
        _note_outside(batch.closed[0].row, layout.FIRST_DAY, batch.closed[0].entry.first_day, meant)
    more = replace(meant, holidays=tuple(sorted(days.union(meant.holidays))))
    others = tuple(term for term in told if term.code != meant.code)
    return (*others, more)


def _within(span: DaySpan, term: TermEntry) -> Iterable[date]:
    if span.last_day < term.first_day or term.last_day < span.first_day:
        return ()
    first, last = max(span.first_day, term.first_day), min(span.last_day, term.last_day)
    return DaySpan(first, last).days()


def _note_outside(row: Row, column: str, day: date, term: TermEntry) -> None:
    what = text(
        "{day} lies outside the term, {first} to {last}. Correct the day.",
        day=day,
        first=term.first_day,
        last=term.last_day,
    )
    row.fault(column, what)


def _all_schools_known(batch: Batch, schools: Mapping[str, SchoolEntry]) -> bool:
    """True when a school that is not known is a mistake; where none is, that is told once."""
    if Noun.SCHOOLS in batch.unsure:
        return False
    if not schools:
        batch.note(text("There is no school yet. Import the workbook with the sheet Trường, too."))
    return bool(schools)


def _schools(batch: Batch, called: Schools) -> tuple[SchoolEntry, ...]:
    """The schools of the files with their bell times."""
    if any(not found.entry.code for found in batch.schools):
        batch.unsure.add(Noun.SCHOOLS)
    if any(not found.row.sound for found in batch.bells):
        batch.unsure.add(Noun.PERIODS)
    codes = {found.entry.code for found in batch.schools}
    bells: dict[str, list[BellPeriod]] = defaultdict(list)
    for found in batch.bells:
        bells[found.entry.school_code].append(found.entry.period)
        if found.row.sound and found.entry.school_code not in codes:
            _note_unknown_school(batch, found, called)
    checks.overlaps(batch)
    if Noun.PERIODS not in batch.unsure:
        checks.bells_there(batch, bells)
    return tuple(
        replace(found.entry, periods=tuple(sorted(bells[found.entry.code], key=_in_day)))
        for found in batch.schools
    )


def _in_day(bell: BellPeriod) -> tuple[int, int]:
    return list(HALF_DAY_WORDS).index(bell.half_day), bell.number


def _note_unknown_school(batch: Batch, found: Found[Bell], called: Schools) -> None:
    if Noun.SCHOOLS not in batch.unsure:
        found.row.fault(layout.CODE, references.unknown(found.entry.school_code, called))


def _check_teacher(found: Found[TeacherEntry], known: _Known) -> None:
    pledge = found.entry.pledge
    if pledge is None:
        return
    unknown = [code for code in pledge.wishes if code not in known.schools]
    if unknown and known.all_schools:
        found.row.fault(layout.WISHES, _no_such_schools(unknown, known.called))
    term = known.term
    if term is None:
        return
    for span in pledge.absences:
        if span.last_day < term.first_day or term.last_day < span.first_day:
            _note_outside(found.row, layout.AWAY, span.first_day, term)


def _no_such_schools(said: list[str], called: Schools) -> Text:
    """Several codes in one sentence; a name that is wrong has one of its own."""
    name = next((one for one in said if " " in one), None)
    return references.unknown(name or ",".join(said), called)


def _request(found: Found[Ask], known: _Known) -> RequestEntry:
    ask = found.entry
    school = known.schools.get(ask.school_code)
    if school is None and ask.school_code and known.all_schools:
        found.row.fault(layout.CODE, references.unknown(ask.school_code, known.called))
    new = NewRequest(
        class_name=ask.class_name,
        lessons_per_week=ask.lessons_per_week,
        first_day=ask.first_day,
        last_day=ask.last_day,
        priority=ask.priority,
        slots=_slots(found, school, known) if school else (),
    )
    if known.term:
        _check_days(found, known.term)
    if school and known.term and known.all_periods and found.row.sound:
        _check_rules(found.row, new, known.term, school)
    return RequestEntry(ask.school_code, ask.number, new)


def _slots(found: Found[Ask], school: SchoolEntry, known: _Known) -> tuple[Slot, ...]:
    """The slots on the clock; each weekday and time once, or it is a fault."""
    slots: dict[tuple[int, int], Slot] = {}
    for rank, (column, wished) in enumerate(zip(layout.SLOTS, found.entry.slots, strict=True)):
        for wish in wished:
            slot = _slot(wish, rank, school)
            if slot is None:
                if known.all_periods:
                    found.row.fault(column, _no_such_period(wish, school))
            elif slots.setdefault((slot.weekday, slot.start), slot) is not slot:
                what = text(
                    "“{slot}” is there twice. Delete one of them.", slot=write_slots([wish])
                )
                found.row.fault(column, what)
    return tuple(slots.values())


def _slot(wish: WishedSlot | TimedSlot, rank: int, school: SchoolEntry) -> Slot | None:
    """The slot that a wish means at a school; None when its bells ring otherwise."""
    for bell in school.periods:
        if isinstance(wish, TimedSlot):
            meant = (bell.start, bell.end) == (wish.start, wish.end)
        else:
            meant = (bell.half_day, bell.number) == (wish.half_day, wish.number)
        if meant:
            return Slot(wish.weekday, bell.start, bell.end, rank)
    return None


def _no_such_period(wish: WishedSlot | TimedSlot, school: SchoolEntry) -> Text:
    bells = (f"{HALF_DAY_WORDS[bell.half_day].lower()} {bell.number}" for bell in school.periods)
    return text(
        "“{slot}” is not among the bell times of school {school}: {periods}. Choose one of them.",
        slot=write_slots([wish]),
        school=school.code,
        periods=tuple(bells),
    )


def _check_days(found: Found[Ask], term: TermEntry) -> None:
    if found.entry.last_day < found.entry.first_day:
        return  # told already, and one of the two days is wrong anyway
    days = ((layout.FIRST_DAY, found.entry.first_day), (layout.LAST_DAY, found.entry.last_day))
    for column, day in days:
        # A cell that could not be read was told already; it stands as the first day of all.
        if day != NO_DAY and not term.first_day <= day <= term.last_day:
            _note_outside(found.row, column, day, term)


def _check_rules(row: Row, new: NewRequest, entry: TermEntry, school: SchoolEntry) -> None:
    """The rules of every request, wherever it comes from."""
    term = Term(
        id=TermId(0),
        programme_id=ProgrammeId(0),
        code=entry.code,
        name=entry.name,
        first_day=entry.first_day,
        last_day=entry.last_day,
        gap_minutes=entry.gap_minutes,
        zone=entry.zone,
    )
    columns = {
        "lessons_per_week": layout.PER_WEEK,
        "priority": layout.PRIORITY,
        "first_day": layout.FIRST_DAY,
        "last_day": layout.LAST_DAY,
        "slots": layout.SLOTS[0],
    }
    for name, what in requests.faults(new, term, school.periods).items():
        row.fault(columns[name], what)


def _classes(batch: Batch) -> tuple[ClassEntry, ...]:
    """The classes that the requests name, each once."""
    found: dict[tuple[str, str], ClassEntry] = {}
    for ask in (found.entry for found in batch.asks):
        level = level_of_class(ask.class_name)
        if level is not None:
            entry = ClassEntry(ask.school_code, ask.class_name, level, ask.pupils)
            found.setdefault((ask.school_code, ask.class_name), entry)
    return tuple(found.values())
