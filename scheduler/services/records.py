"""Records of what was given and what was lost: of one teacher, and of the whole programme."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from scheduler.domain import access, records
from scheduler.domain.access import Action, Actor, Role
from scheduler.domain.intervals import DaySpan, end_of, midnight
from scheduler.domain.people import Teacher, TeacherId
from scheduler.domain.records import Line, Meetings, Sums
from scheduler.domain.terms import Programme, ProgrammeId
from scheduler.errors import NotFound, text
from scheduler.services import programmes
from scheduler.services.context import Context
from scheduler.store import joint_figures, people, tables, terms
from scheduler.store import records as rows
from scheduler.store.database import Session
from scheduler.store.visibility import sees


@dataclass(frozen=True, slots=True)
class Part:
    """One teacher, school, class or month, and what became of its lessons; `key`: its number."""

    name: str
    sums: Sums
    key: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """What became of the lessons of these days, as a whole and divided in five ways.

    `whose`: the teacher's name; empty: it is the whole programme's.  Months by their first days.
    `meetings`: joint sessions, by partnership; no figure of lessons holds them.  `short`: not
    divided by class and teacher.
    """

    programme: Programme
    days: DaySpan
    whose: str
    lines: tuple[Line, ...]
    whole: Sums
    months: Mapping[date, Sums]
    meetings: tuple[Meetings, ...] = ()
    short: bool = False

    @property
    def teachers(self) -> tuple[Part, ...]:
        """Divided anew each time it is asked for, as the others below: a page shows one of them."""
        if self.short:
            return ()
        return _parts(self.lines, lambda x: x.teacher_id, lambda x: x.teacher)

    @property
    def donor_schools(self) -> tuple[Part, ...]:
        return _parts(self.lines, lambda x: x.donor_school_id, lambda x: x.donor_school)

    @property
    def schools(self) -> tuple[Part, ...]:
        return _parts(self.lines, lambda x: x.school_id, lambda x: x.school)

    @property
    def classes(self) -> tuple[Part, ...]:
        if self.short:
            return ()
        return _parts(self.lines, lambda x: x.class_id, lambda x: f"{x.class_name} · {x.school}")

    @property
    def met(self) -> Meetings:
        return sum(self.meetings, Meetings())


def of_programme(
    ctx: Context, actor: Actor, first_day: date | None = None, last_day: date | None = None
) -> Record:
    """The record of the actor's programme, by default of its present term; raises NotFound for who
    coordinates none."""
    programme_id = programmes.own(actor)
    access.require(actor, Action.KEEP_RECORDS, programme_id)
    with ctx.reading() as db:
        days = span(db, programme_id, first_day, last_day, ctx.now())
        return _record(ctx, db, programme_id, days, None)


def of_teacher(
    ctx: Context,
    actor: Actor,
    teacher_id: TeacherId,
    first_day: date | None = None,
    last_day: date | None = None,
) -> Record:
    """One teacher's record, for themselves and their coordinators; raises NotFound for others."""
    with ctx.reading() as db:
        teacher, programme_id = visible_teacher(db, actor, teacher_id)
        days = span(db, programme_id, first_day, last_day, ctx.now())
        return _record(ctx, db, programme_id, days, teacher)


def own(
    ctx: Context, actor: Actor, first_day: date | None = None, last_day: date | None = None
) -> Record:
    """The record of whoever is signed in; raises NotFound for who is no teacher."""
    return of_teacher(ctx, actor, own_teacher(actor), first_day, last_day)


def own_teacher(actor: Actor) -> TeacherId:
    """As which teacher the actor gives lessons; raises NotFound for who gives none."""
    found = next((grant.teacher_id for grant in actor.with_role(Role.TEACHER)), None)
    if found is None:
        raise NotFound("This page is for volunteer teachers.")
    return found


def teacher_of(ctx: Context, actor: Actor, email: str) -> TeacherId:
    """The teacher of that address in the coordinator's programme; raises NotFound."""
    programme_id = programmes.own(actor)
    access.require(actor, Action.KEEP_RECORDS, programme_id)
    with ctx.reading() as db:
        for teacher in people.teachers(db, programme_id):
            if teacher.email == email.strip().lower():
                return teacher.id
    raise NotFound(text("There is no teacher with the address {email} here.", email=email))


def visible_teacher(
    db: Session, actor: Actor, teacher_id: TeacherId
) -> tuple[Teacher, ProgrammeId]:
    """The teacher and their programme, if the actor may see them; raises NotFound else."""
    if sees(db, actor, tables.teachers, teacher_id):
        for programme_id in {grant.programme_id for grant in actor.grants}:
            for teacher in people.teachers(db, programme_id):
                if teacher.id == teacher_id:
                    return teacher, programme_id
    raise NotFound("There is no such teacher here.")


def span(
    db: Session,
    programme_id: ProgrammeId,
    first_day: date | None,
    last_day: date | None,
    now: datetime,
) -> DaySpan:
    """These days; where one is missing, the present term's.  Raises Invalid."""
    term = programmes.running(db, programme_id, now)
    return records.span(first_day or term.first_day, last_day or term.last_day)


def _record(
    ctx: Context, db: Session, programme_id: ProgrammeId, days: DaySpan, teacher: Teacher | None
) -> Record:
    programme = terms.programme(db, programme_id)
    whose = teacher.id if teacher else None
    lines = rows.lines(db, programme.id, programme.zone, days, ctx.now(), teacher_id=whose)
    begins_ends = midnight(days.first_day, programme.zone), end_of(days.last_day, programme.zone)
    met = joint_figures.held(db, programme.id, *begins_ends, teacher_id=whose)
    return divided(programme, days, teacher.name if teacher else "", lines, met)


def divided(
    programme: Programme,
    days: DaySpan,
    whose: str,
    lines: tuple[Line, ...],
    meetings: tuple[Meetings, ...] = (),
) -> Record:
    """Lines as a record, joint sessions beside them."""
    return Record(
        programme=programme,
        days=days,
        whose=whose,
        lines=lines,
        whole=records.add_up(lines),
        months=dict(sorted(records.by(lines, lambda x: x.month).items())),
        meetings=meetings,
    )


def _parts(
    lines: tuple[Line, ...], key: Callable[[Line], int], name: Callable[[Line], str]
) -> tuple[Part, ...]:
    names = {key(line): name(line) for line in lines}
    parts = records.by(lines, key)
    found = (Part(names[each], sums, each) for each, sums in parts.items())
    return tuple(sorted(found, key=_by_name))


def _by_name(part: Part) -> str:
    return part.name
