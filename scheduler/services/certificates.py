"""Certificates of service: issued with a code that anybody may check, printed, withdrawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import segno

from scheduler import security
from scheduler.delivery import papers
from scheduler.domain import access, certificates, records
from scheduler.domain.access import Action, Actor
from scheduler.domain.certificates import CODE_LENGTH, Certificate, Facts
from scheduler.domain.intervals import DaySpan
from scheduler.domain.people import Teacher, TeacherId
from scheduler.domain.records import Amount, Line
from scheduler.domain.terms import Programme, ProgrammeId
from scheduler.errors import Conflict, NotFound
from scheduler.services import paperwork, programmes
from scheduler.services import records as service_records
from scheduler.services.context import Context
from scheduler.store import audits, people, tables, terms
from scheduler.store import certificates as rows
from scheduler.store import records as record_rows
from scheduler.store.database import Session
from scheduler.store.visibility import sees


def issue(
    ctx: Context,
    actor: Actor,
    teacher_id: TeacherId,
    first_day: date | None = None,
    last_day: date | None = None,
) -> Certificate:
    """A certificate of the lessons that this teacher gave on these days, by default of the newest
    term: for a coordinator, and for the teacher themselves.

    The same figures give the same certificate again; other figures give a new one, and the old one
    stays true to its paper.  Raises NotFound, Conflict while no lesson counts as given.
    """
    with ctx.transaction() as db:
        teacher, programme_id = service_records.visible_teacher(db, actor, teacher_id)
        days = service_records.span(db, programme_id, first_day, last_day)
        issued = _issue(ctx, db, actor, programme_id, days, [teacher])
    if not issued:
        raise Conflict(
            "No lesson of these days counts as given yet. A lesson counts when both sides, or a "
            "coordinator, have said that it took place."
        )
    return issued[0]


def issue_own(
    ctx: Context, actor: Actor, first_day: date | None = None, last_day: date | None = None
) -> Certificate:
    """The certificate of whoever is signed in; raises NotFound for who is no teacher."""
    return issue(ctx, actor, service_records.own_teacher(actor), first_day, last_day)


def issue_all(
    ctx: Context, actor: Actor, first_day: date | None = None, last_day: date | None = None
) -> tuple[Certificate, ...]:
    """Certificates for all who gave a lesson on these days; who gave none gets none."""
    programme_id = programmes.own(actor)
    access.require(actor, Action.KEEP_RECORDS, programme_id)
    with ctx.transaction() as db:
        days = service_records.span(db, programme_id, first_day, last_day)
        return _issue(ctx, db, actor, programme_id, days, people.teachers(db, programme_id))


def withdraw(ctx: Context, actor: Actor, code: str) -> Certificate:
    """Take a certificate back, for a coordinator; once withdrawn it stays so.  Raises NotFound."""
    with ctx.transaction() as db:
        found = _visible(db, actor, code)
        access.require(actor, Action.KEEP_RECORDS, _programme_of(db, actor, found))
        if rows.withdraw(db, found.id, ctx.now()):
            audits.record(
                db,
                ctx.now(),
                actor.person_id,
                "withdraw_certificate",
                "certificate",
                found.id,
                before={"code": found.code},
                after={"withdrawn": True},
            )
        kept = rows.by_code(db, found.code)
    return kept or found


def visible(ctx: Context, actor: Actor, code: str) -> Certificate:
    """One certificate, for its teacher and their coordinators; raises NotFound for others."""
    with ctx.reading() as db:
        return _visible(db, actor, code)


def check(ctx: Context, code: str) -> Certificate | None:
    """What the paper with this code says, for anybody who holds it; None: there is no such."""
    with ctx.reading() as db:
        return _by_code(db, code)


def of_teacher(ctx: Context, actor: Actor, teacher_id: TeacherId) -> tuple[Certificate, ...]:
    """All certificates of a teacher, withdrawn ones too; raises NotFound for strangers."""
    with ctx.reading() as db:
        service_records.visible_teacher(db, actor, teacher_id)
        return rows.of_teacher(db, teacher_id)


@dataclass(frozen=True, slots=True)
class Service:
    """What a teacher gave in the newest term, and the certificates that still say it is so."""

    given: Amount
    certificates: tuple[Certificate, ...]


def service(ctx: Context, actor: Actor) -> Service:
    """The own lessons that both sides, or a coordinator, called held; raises NotFound for who
    gives none."""
    own = service_records.own_teacher(actor)
    with ctx.reading() as db:
        found = rows.of_teacher(db, own)
    given = service_records.own(ctx, actor).whole.given
    return Service(given, tuple(each for each in found if each.withdrawn_at is None))


def printed(ctx: Context, issued: Sequence[Certificate]) -> list[bytes]:
    """Each certificate as a PDF: one page in Vietnamese, one in English.  Raises NoPaper."""
    return papers.printed([_page(ctx, each) for each in issued])


def address(ctx: Context, certificate: Certificate) -> str:
    """Where anybody checks it."""
    return f"{ctx.settings.base_url}/verify/{certificate.code}"


def _page(ctx: Context, certificate: Certificate) -> str:
    url = address(ctx, certificate)
    drawn = segno.make(url, micro=False, error="m").svg_inline(border=0, omitsize=True)
    return papers.page("certificate", paperwork.certificate(certificate, url, drawn))


def _issue(
    ctx: Context,
    db: Session,
    actor: Actor,
    programme_id: ProgrammeId,
    days: DaySpan,
    teachers: Sequence[Teacher],
) -> tuple[Certificate, ...]:
    """Under a lock, so that two who issue at once give the same certificate."""
    ids = [teacher.id for teacher in teachers]
    rows.lock_teachers(db, ids)
    programme = terms.programme(db, programme_id)
    alone = ids[0] if len(ids) == 1 else None
    lines = record_rows.lines(db, programme.id, programme.zone, days, ctx.now(), teacher_id=alone)
    standing = rows.standing(db, ids, days)
    issued: list[Certificate] = []
    for teacher in teachers:
        said = _facts(teacher, programme, days, lines)
        if said.held.lessons:
            same = (each for each in standing[teacher.id] if each.facts == said)
            issued.append(next(same, None) or _new(ctx, db, actor, said))
    return tuple(issued)


def _facts(teacher: Teacher, programme: Programme, days: DaySpan, lines: Sequence[Line]) -> Facts:
    own = [line for line in lines if line.teacher_id == teacher.id]
    months = records.by(own, lambda line: line.month)
    return Facts(
        teacher_id=teacher.id,
        name=teacher.name,
        school=f"{teacher.school.name}, {teacher.school.district}",
        programme=programme.name,
        days=days,
        held=records.add_up(own).given,
        months=tuple(
            (month, sums.given) for month, sums in sorted(months.items()) if sums.given != Amount()
        ),
    )


def _new(ctx: Context, db: Session, actor: Actor, said: Facts) -> Certificate:
    code = certificates.grouped(security.new_code(CODE_LENGTH))
    made = rows.add(db, code, said, ctx.now(), actor.person_id)
    audits.record(
        db,
        ctx.now(),
        actor.person_id,
        "issue_certificate",
        "certificate",
        made.id,
        after={"code": code, "lessons": said.held.lessons, "minutes": said.held.minutes},
    )
    return made


def _visible(db: Session, actor: Actor, code: str) -> Certificate:
    found = _by_code(db, code)
    if found is None or not sees(db, actor, tables.certificates, found.id):
        raise NotFound("There is no such certificate here.")
    return found


def _by_code(db: Session, typed: str) -> Certificate | None:
    code = certificates.typed_code(typed)
    return rows.by_code(db, code) if code else None


def _programme_of(db: Session, actor: Actor, certificate: Certificate) -> ProgrammeId:
    _, programme_id = service_records.visible_teacher(db, actor, certificate.facts.teacher_id)
    return programme_id
