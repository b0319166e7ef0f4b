"""Certificates of service: issued with a code that anybody may check, printed, withdrawn."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import segno

from scheduler import security
from scheduler.delivery import papers
from scheduler.domain import access, certificates, records
from scheduler.domain.access import Action, Actor
from scheduler.domain.calendars import slug
from scheduler.domain.certificates import CODE_LENGTH, Certificate, Facts
from scheduler.domain.intervals import DaySpan
from scheduler.domain.limits import PAPERS_BY_PERSON
from scheduler.domain.people import Teacher, TeacherId
from scheduler.domain.plans import Fingerprint
from scheduler.domain.records import Amount, Line, Meetings, Outcome
from scheduler.domain.terms import Programme, ProgrammeId
from scheduler.errors import Conflict, NotFound, Stale
from scheduler.services import limits, paperwork, programmes
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
        days = service_records.span(db, programme_id, first_day, last_day, ctx.now())
        issued = issue_for(ctx, db, actor, programme_id, days, [teacher])
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
    programme_id = _keeper(actor)
    with ctx.transaction() as db:
        days = service_records.span(db, programme_id, first_day, last_day, ctx.now())
        return issue_for(ctx, db, actor, programme_id, days, people.teachers(db, programme_id))


@dataclass(frozen=True, slots=True)
class Due:
    """Who would get a certificate, and what it would say; `standing`: the one that says so already,
    which would be given again.  `classes`: how many were taught."""

    facts: Facts
    standing: Certificate | None
    classes: int


@dataclass(frozen=True, slots=True)
class Round:
    """The certificates of these days for all who gave a lesson, by name; `seen` names them."""

    days: DaySpan
    due: tuple[Due, ...]
    seen: Fingerprint

    @property
    def issued(self) -> tuple[Certificate, ...]:
        return tuple(each.standing for each in self.due if each.standing)


def look_at_all(
    ctx: Context, actor: Actor, first_day: date | None = None, last_day: date | None = None
) -> Round:
    """What `issue_all` would give to whom; nothing is issued."""
    programme_id = _keeper(actor)
    with ctx.reading() as db:
        days = service_records.span(db, programme_id, first_day, last_day, ctx.now())
        return round_of(ctx, db, programme_id, days)


def issue_seen(
    ctx: Context,
    actor: Actor,
    seen: Fingerprint,
    first_day: date | None = None,
    last_day: date | None = None,
) -> tuple[Certificate, ...]:
    """As `issue_all`, exactly what was seen; raises Stale when the figures are others by now."""
    programme_id = _keeper(actor)
    with ctx.transaction() as db:
        days = service_records.span(db, programme_id, first_day, last_day, ctx.now())
        found = round_of(ctx, db, programme_id, days)
        if found.seen != seen:
            raise Stale("The figures have changed while you were looking. See the new list.")
        return issue_for(ctx, db, actor, programme_id, days, people.teachers(db, programme_id))


PAPERS_AT_ONCE = 40  # what one printing process does in a breath


def papers_of_part(
    ctx: Context, actor: Actor, number: int, first_day: date | None, last_day: date | None
) -> dict[str, bytes]:
    """The papers of the so many-eth forty of those issued for these days, by file name.

    Raises NotFound for a part that is not there, NoPaper, TooMany.
    """
    issued = look_at_all(ctx, actor, first_day, last_day).issued
    part = issued[(number - 1) * PAPERS_AT_ONCE : number * PAPERS_AT_ONCE]
    if not part:
        raise NotFound("There are no such certificates here.")
    limits.take(ctx, PAPERS_BY_PERSON, str(actor.person_id))
    made = printed(ctx, part)
    return {_file_name(each): paper for each, paper in zip(part, made, strict=True)}


def _file_name(issued: Certificate) -> str:
    return f"{slug(issued.facts.name)}-{issued.code}.pdf"


def _keeper(actor: Actor) -> ProgrammeId:
    programme_id = programmes.own(actor)
    access.require(actor, Action.KEEP_RECORDS, programme_id)
    return programme_id


def round_of(ctx: Context, db: Session, programme_id: ProgrammeId, days: DaySpan) -> Round:
    """`look_at_all` for who may, in the caller's transaction."""
    teachers = people.teachers(db, programme_id)
    programme = terms.programme(db, programme_id)
    lines = record_rows.lines(db, programme.id, programme.zone, days, ctx.now())
    standing = rows.standing(db, [teacher.id for teacher in teachers], days)
    own = records.apart(lines, lambda line: line.teacher_id)
    facts = (_facts(teacher, programme, days, own.get(teacher.id, [])) for teacher in teachers)
    given = {(x.teacher_id, x.class_id) for x in lines if x.outcome is Outcome.GIVEN}
    classes = Counter(teacher for teacher, _ in given)
    due = tuple(
        Due(
            said,
            next((each for each in standing[said.teacher_id] if each.facts == said), None),
            classes[said.teacher_id],
        )
        for said in sorted(facts, key=lambda each: each.name)
        if said.held.lessons
    )
    digest = hashlib.sha256(repr([each.facts for each in due]).encode())
    return Round(days, due, Fingerprint(digest.hexdigest()[:32]))


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
    """What a teacher gave in the newest term, and the certificates that still say it is so; `met`:
    the joint sessions they were at."""

    given: Amount
    met: Meetings
    certificates: tuple[Certificate, ...]


def service(ctx: Context, actor: Actor) -> Service:
    """The own lessons that both sides, or a coordinator, called held; raises NotFound for who
    gives none."""
    own = service_records.own_teacher(actor)
    with ctx.reading() as db:
        found = rows.of_teacher(db, own)
    record = service_records.own(ctx, actor)
    return Service(
        record.whole.given, record.met, tuple(each for each in found if each.withdrawn_at is None)
    )


def printed(ctx: Context, issued: Sequence[Certificate]) -> list[bytes]:
    """Each certificate as a PDF: one page in Vietnamese, one in English.  Raises NoPaper."""
    return papers.printed([_page(ctx, [each]) for each in issued])


def address(ctx: Context, certificate: Certificate) -> str:
    """Where anybody checks it."""
    return f"{ctx.settings.base_url}/verify/{certificate.code}"


def sheets(ctx: Context, issued: Sequence[Certificate], at_once: int) -> list[str]:
    """All of them as HTML to print, so many in each piece."""
    return [_page(ctx, issued[n : n + at_once]) for n in range(0, len(issued), at_once)]


def _page(ctx: Context, issued: Sequence[Certificate]) -> str:
    return papers.page("certificate", {"all": [_told(ctx, each) for each in issued]})


def _told(ctx: Context, certificate: Certificate) -> dict[str, object]:
    url = address(ctx, certificate)
    drawn = segno.make(url, micro=False, error="m").svg_inline(border=0, omitsize=True)
    return paperwork.certificate(certificate, url, drawn)


def issue_for(
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
    own = records.apart(lines, lambda line: line.teacher_id)
    standing = rows.standing(db, ids, days)
    issued: list[Certificate] = []
    for teacher in teachers:
        said = _facts(teacher, programme, days, own.get(teacher.id, []))
        if said.held.lessons:
            same = (each for each in standing[teacher.id] if each.facts == said)
            issued.append(next(same, None) or _new(ctx, db, actor, said))
    return tuple(issued)


def _facts(teacher: Teacher, programme: Programme, days: DaySpan, own: Sequence[Line]) -> Facts:
    """`own`: the lines of that teacher."""
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
