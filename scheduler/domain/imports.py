"""The roster that workbooks and the database both tell, and the difference between two tellings.

Pure: no clock, no database.  Everything is named as offices name it: codes, mail addresses,
names of classes; never by the database's numbers.
"""

import hashlib
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Generic, NamedTuple, NewType, TypeVar

from scheduler.domain.availability import Pledge
from scheduler.domain.people import BellPeriod, HalfDay, Level
from scheduler.domain.plans import Fingerprint
from scheduler.domain.requests import NewRequest, Slot

T = TypeVar("T")
UploadId = NewType("UploadId", int)

MOST_FILES = 5  # the lists of a programme, each as CSV
UPLOAD_LIFE = timedelta(days=1)  # from the look at lists to their taking over
FIRST_PROGRAMME_CODE = "ha-noi-yen-bai"


@dataclass(frozen=True, slots=True)
class TermEntry:
    code: str
    name: str
    first_day: date
    last_day: date
    gap_minutes: int
    zone: str
    holidays: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class Contact:
    """Who speaks for a school."""

    email: str
    name: str
    phone: str


@dataclass(frozen=True, slots=True)
class SchoolEntry:
    """A receiving school; a workbook names one contact or none, the database may hold several."""

    code: str
    name: str
    district: str
    level: Level
    rooms: int
    contacts: tuple[Contact, ...] = ()
    periods: tuple[BellPeriod, ...] = ()


@dataclass(frozen=True, slots=True)
class TeacherEntry:
    """A volunteer; `pledge` is None when nothing is promised for the term in question."""

    email: str
    name: str
    phone: str
    school: str
    district: str
    pledge: Pledge | None = None


@dataclass(frozen=True, slots=True)
class ClassEntry:
    school_code: str
    name: str
    level: Level
    pupils: int


class RequestKey(NamedTuple):
    school_code: str
    class_name: str
    number: int


@dataclass(frozen=True, slots=True)
class RequestEntry:
    """What a class asks for; `number` counts the requests of one class in a term, from 1."""

    school_code: str
    number: int
    ask: NewRequest
    withdrawn: bool = False

    @property
    def key(self) -> RequestKey:
        return RequestKey(self.school_code, self.ask.class_name, self.number)


@dataclass(frozen=True, slots=True)
class Roster:
    """One programme as far as one telling goes; pledges and requests are those of one term."""

    terms: tuple[TermEntry, ...] = ()
    schools: tuple[SchoolEntry, ...] = ()
    teachers: tuple[TeacherEntry, ...] = ()
    classes: tuple[ClassEntry, ...] = ()
    requests: tuple[RequestEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Split(Generic[T]):
    """Entries of one noun by what they would do to what is held; `before` are the changed ones
    as they are held now.
    """

    new: tuple[T, ...] = ()
    changed: tuple[T, ...] = ()
    before: tuple[T, ...] = ()
    unchanged: int = 0

    @property
    def count(self) -> "Count":
        return Count(len(self.new), len(self.changed), self.unchanged)

    @property
    def both(self) -> tuple[T, ...]:
        return self.new + self.changed


@dataclass(frozen=True, slots=True)
class Count:
    new: int = 0
    changed: int = 0
    unchanged: int = 0


class PeriodEntry(NamedTuple):
    """One bell period of a school; start and end are None for one that the school gives up."""

    school_code: str
    half_day: HalfDay
    number: int
    start: int | None
    end: int | None


class DonorSchoolEntry(NamedTuple):
    name: str
    district: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What taking over a roster would do, noun by noun."""

    terms: Split[TermEntry]
    schools: Split[SchoolEntry]
    periods: Split[PeriodEntry]
    donor_schools: Split[DonorSchoolEntry]
    teachers: Split[TeacherEntry]
    classes: Split[ClassEntry]
    requests: Split[RequestEntry]

    @property
    def by_noun(self) -> dict[str, Split[Any]]:
        """The splits by noun, in the order in which people read them."""
        return {
            "terms": self.terms,
            "schools": self.schools,
            "periods": self.periods,
            "donor_schools": self.donor_schools,
            "teachers": self.teachers,
            "classes": self.classes,
            "requests": self.requests,
        }


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import did, or with `dry_run` would have done, to which programme and term."""

    programme: str
    term: str
    dry_run: bool
    terms: Count
    schools: Count
    periods: Count
    donor_schools: Count
    teachers: Count
    classes: Count
    requests: Count

    @property
    def counts(self) -> dict[str, Count]:
        """The counts by noun, in the order in which people read them."""
        return {
            "terms": self.terms,
            "schools": self.schools,
            "periods": self.periods,
            "donor_schools": self.donor_schools,
            "teachers": self.teachers,
            "classes": self.classes,
            "requests": self.requests,
        }

    @property
    def changes_nothing(self) -> bool:
        return all(count.new == count.changed == 0 for count in self.counts.values())


def compare(held: Roster, wanted: Roster) -> Changes:
    """What taking over `wanted` would do to `held`.  What `wanted` does not name stays as it is,
    but for bell times: those of a named school are replaced as a whole.
    """
    return Changes(
        terms=_split(held.terms, wanted.terms, lambda term: term.code),
        schools=_split(held.schools, wanted.schools, lambda school: school.code, _same_school),
        periods=_split(
            _periods(held.schools), _periods_wanted(held, wanted), lambda bell: bell[:3]
        ),
        donor_schools=_split(_donors(held), _donors(wanted), lambda donor: donor),
        teachers=_split(held.teachers, wanted.teachers, lambda teacher: teacher.email),
        classes=_split(held.classes, wanted.classes, lambda room: (room.school_code, room.name)),
        requests=_split(held.requests, wanted.requests, lambda ask: ask.key, _same_request),
    )


def fingerprint(changes: Changes) -> Fingerprint:
    """Names a preview: equal only while the same files do the same to the same things held."""
    digest = hashlib.sha256()
    for split in changes.by_noun.values():
        digest.update(f"{split.new!r}{split.changed!r}{split.before!r};".encode())
    return Fingerprint(digest.hexdigest()[:32])


def unnamed(held: Roster, wanted: Roster) -> Roster:
    """What is held of the nouns that `wanted` tells of, and not named there; it stays."""
    schools = {school.code for school in wanted.schools}
    teachers = {teacher.email for teacher in wanted.teachers}
    requests = {request.key for request in wanted.requests}
    return Roster(
        schools=tuple(x for x in held.schools if schools and x.code not in schools),
        teachers=tuple(
            x for x in held.teachers if teachers and x.pledge and x.email not in teachers
        ),
        requests=tuple(
            x for x in held.requests if requests and not x.withdrawn and x.key not in requests
        ),
    )


def follow_bells(held: Roster, wanted: Roster) -> Roster:
    """`wanted`, with the requests whose slots must move because their school's bell times do.

    A slot means a period; when its school rings that period at another time, the slot follows.
    """
    moves = {
        school.code: _moved(old, school)
        for old, school in _pairs(held.schools, wanted.schools)
        if old.periods != school.periods
    }
    named = {request.key for request in wanted.requests}
    followers = tuple(
        moved
        for request in held.requests
        if request.school_code in moves and request.key not in named and not request.withdrawn
        if (moved := _follow(request, moves[request.school_code])) != request
    )
    return replace(wanted, requests=wanted.requests + followers)


def _split(
    held: Iterable[T],
    wanted: Iterable[T],
    key: Callable[[T], Hashable],
    same: Callable[[T, T], bool] = lambda old, new: old == new,
) -> Split[T]:
    known = {key(entry): entry for entry in held}
    new: list[T] = []
    changed: list[T] = []
    before: list[T] = []
    unchanged = 0
    for entry in wanted:
        old = known.get(key(entry))
        if old is None:
            new.append(entry)
        elif same(old, entry):
            unchanged += 1
        else:
            changed.append(entry)
            before.append(old)
    return Split(tuple(new), tuple(changed), tuple(before), unchanged)


def _same_school(old: SchoolEntry, new: SchoolEntry) -> bool:
    """Bell times are counted apart; contacts whom a coordinator added besides may stay."""
    known = all(contact in old.contacts for contact in new.contacts)
    return known and replace(old, contacts=(), periods=()) == replace(new, contacts=(), periods=())


def _same_request(old: RequestEntry, new: RequestEntry) -> bool:
    """A withdrawn request stays withdrawn, also when an old workbook still asks for it."""
    return old.withdrawn or old == new


def _periods(schools: Iterable[SchoolEntry]) -> tuple[PeriodEntry, ...]:
    return tuple(
        PeriodEntry(school.code, bell.half_day, bell.number, bell.start, bell.end)
        for school in schools
        for bell in school.periods
    )


def _periods_wanted(held: Roster, wanted: Roster) -> tuple[PeriodEntry, ...]:
    given = _periods(wanted.schools)
    named = {school.code for school in wanted.schools}
    kept = {bell[:3] for bell in given}
    gone = tuple(
        bell._replace(start=None, end=None)
        for bell in _periods(held.schools)
        if bell.school_code in named and bell[:3] not in kept
    )
    return given + gone


def _donors(roster: Roster) -> tuple[DonorSchoolEntry, ...]:
    found = (DonorSchoolEntry(teacher.school, teacher.district) for teacher in roster.teachers)
    return tuple(dict.fromkeys(found))


def _pairs(
    held: Iterable[SchoolEntry], wanted: Iterable[SchoolEntry]
) -> Iterable[tuple[SchoolEntry, SchoolEntry]]:
    known = {school.code: school for school in held}
    return ((known[school.code], school) for school in wanted if school.code in known)


_Moves = Mapping[tuple[int, int], BellPeriod]


def _moved(old: SchoolEntry, new: SchoolEntry) -> _Moves:
    later = {(bell.half_day, bell.number): bell for bell in new.periods}
    return {
        (bell.start, bell.end): later[bell.half_day, bell.number]
        for bell in old.periods
        if (bell.half_day, bell.number) in later
    }


def _follow(request: RequestEntry, moves: _Moves) -> RequestEntry:
    slots: dict[tuple[int, int], Slot] = {}
    for slot in request.ask.slots:
        bell = moves.get((slot.start, slot.end))
        moved = replace(slot, start=bell.start, end=bell.end) if bell else slot
        slots.setdefault((moved.weekday, moved.start), moved)
    return replace(request, ask=replace(request.ask, slots=tuple(slots.values())))
