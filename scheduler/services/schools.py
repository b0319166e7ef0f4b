"""The schools of both sides before a coordinator: what each asks, pledges, has and gives."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from scheduler.domain import access, names, records
from scheduler.domain.access import Action, Actor, Role
from scheduler.domain.intervals import DaySpan
from scheduler.domain.people import DonorSchool, DonorSchoolId, ReceivingSchool, SchoolId, Teacher
from scheduler.domain.records import OPEN, Outcome, Sums
from scheduler.domain.terms import ProgrammeId
from scheduler.errors import NotFound
from scheduler.services import fairness, hours, programmes, requests
from scheduler.services.context import Context
from scheduler.services.programmes import Wanted
from scheduler.services.requests import SchoolDesk
from scheduler.store import availability, directory, figures, people, school_pledges, tables, terms
from scheduler.store import records as rows
from scheduler.store.database import Session
from scheduler.store.directory import Entry
from scheduler.store.terms import ClosedDays
from scheduler.store.visibility import sees

COUNTED = (*OPEN, Outcome.GIVEN, Outcome.MERGED)  # what a class had or still has in its timetable


@dataclass(frozen=True, slots=True)
class Receiving:
    """A receiving school in the newest term: lessons it asked for and has in the timetable; its
    contacts, of whom `seen_at` tells the last visit of any."""

    school: ReceivingSchool
    classes: int
    requests: int
    asked: int
    planned: int
    contacts: tuple[Entry, ...]

    @property
    def seen_at(self) -> datetime | None:
        return max((x.seen_at for x in self.contacts if x.seen_at), default=None)


@dataclass(frozen=True, slots=True)
class Donor:
    """A donor school in the newest term.  `pledged`: lessons that the school itself pledged, None:
    it did not; `promised`: what its teachers' limits allow together."""

    school: DonorSchool
    teachers: tuple[Teacher, ...]
    pledged: int | None
    promised: int
    given: int
    planned: int


def receiving(ctx: Context, actor: Actor, words: str = "") -> tuple[Receiving, ...]:
    """The receiving schools whose name, code, district or contacts have all these words, by code;
    a constant number of queries."""
    programme_id = _own(actor)
    with ctx.reading() as db:
        term = programmes.running(db, programme_id, ctx.now())
        days = DaySpan(term.first_day, term.last_day)
        asked = fairness.asked_by_school(db, term, days)
        counts = {each.id: each for each in figures.by_school(db, term, ctx.now())}
        rooms = Counter(room.school_id for room in terms.classes_of(db, programme_id))
        contacts = _contacts(directory.of_actor(db, actor))
        found = [
            Receiving(
                school=school,
                classes=rooms[school.id],
                requests=counts[school.id].requests,
                asked=asked.get(school.id, 0),
                planned=counts[school.id].lessons,
                contacts=contacts.get(school.id, ()),
            )
            for school in terms.schools(db, programme_id)
        ]
    return tuple(each for each in found if _has(words, _words_of(each)))


def _contacts(entries: Iterable[Entry]) -> dict[SchoolId, tuple[Entry, ...]]:
    found: dict[SchoolId, tuple[Entry, ...]] = {}
    for entry in entries:
        for held in entry.roles:
            school = held.grant.school_id
            if held.grant.role is Role.SCHOOL and school is not None:
                found[school] = (*found.get(school, ()), entry)
    return found


def _words_of(each: Receiving) -> Sequence[str]:
    school = each.school
    told = [f"{contact.name} {contact.email}" for contact in each.contacts]
    return (school.name, school.code, school.district, *told)


def _has(words: str, told: Iterable[str]) -> bool:
    """As in the list of people: marks and capitals make no difference."""
    said = names.fold(" ".join(told))
    return all(word in said for word in names.fold(words).split())


def donors(ctx: Context, actor: Actor, words: str = "") -> tuple[Donor, ...]:
    """The donor schools whose name, district or teachers have all these words, by name; a constant
    number of queries."""
    programme_id = _own(actor)
    with ctx.reading() as db:
        found = _donors(ctx, db, programme_id)
    return tuple(
        each
        for each in found
        if _has(words, (each.school.label, *(teacher.name for teacher in each.teachers)))
    )


def _donors(ctx: Context, db: Session, programme_id: ProgrammeId) -> list[Donor]:
    term = programmes.running(db, programme_id, ctx.now())
    days = DaySpan(term.first_day, term.last_day)
    lines = rows.lines(db, programme_id, term.zone, days, ctx.now(), term_id=term.id)
    had = records.by(lines, lambda line: line.donor_school_id)
    pledged = school_pledges.of_term(db, term.id)
    promised = availability.promises(db, term)
    theirs: dict[DonorSchoolId, tuple[Teacher, ...]] = {}
    for teacher in people.teachers(db, programme_id):
        theirs[teacher.school.id] = (*theirs.get(teacher.school.id, ()), teacher)
    return [
        Donor(
            school=school,
            teachers=theirs.get(school.id, ()),
            pledged=pledged.get(school.id),
            promised=sum(
                promised[x.id].most for x in theirs.get(school.id, ()) if x.id in promised
            ),
            given=had.get(school.id, Sums()).given.lessons,
            planned=had.get(school.id, Sums()).of(*COUNTED).lessons,
        )
        for school in people.donor_schools(db, programme_id)
    ]


# -- one school


@dataclass(frozen=True, slots=True)
class File:
    """All about one receiving school: what it asked for and has, when its bells ring, when it is
    closed, who speaks for it."""

    desk: SchoolDesk
    closed: tuple[ClosedDays, ...]
    contacts: tuple[Entry, ...]
    phones: Mapping[int, str]


def file_of(ctx: Context, actor: Actor, school_id: SchoolId, wanted: Wanted = None) -> File:
    """One receiving school; raises NotFound for a stranger's."""
    _own(actor)
    asked = requests.desk(ctx, actor, school_id, wanted)
    closed = hours.desk(ctx, actor, school_id).closed
    with ctx.reading() as db:
        contacts = _contacts(directory.of_actor(db, actor)).get(school_id, ())
        phones = directory.phones(db, [each.id for each in contacts])
    return File(asked, closed, contacts, phones)


def donor(ctx: Context, actor: Actor, school_id: DonorSchoolId) -> Donor:
    """One donor school; raises NotFound for a stranger's."""
    programme_id = _own(actor)
    with ctx.reading() as db:
        if not sees(db, actor, tables.donor_schools, school_id):
            raise NotFound("There is no such school here.")
        found = _donors(ctx, db, programme_id)
    mine = next((each for each in found if each.school.id == school_id), None)
    if mine is None:  # of another programme that the actor coordinates
        raise NotFound("There is no such school here.")
    return mine


def pledge(
    ctx: Context, actor: Actor, school_id: DonorSchoolId, lessons: int, seen: int | None = None
) -> DonorSchool:
    """Note how many lessons a donor school pledges for the running term; see `fairness.pledge`."""
    return fairness.pledge(ctx, actor, donor(ctx, actor, school_id).school.label, lessons, seen)


def _own(actor: Actor) -> ProgrammeId:
    programme_id = programmes.own(actor)
    access.require(actor, Action.MANAGE_PEOPLE, programme_id)
    return programme_id
