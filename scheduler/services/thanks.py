"""Thanks to all who gave lessons on some days, each by name, with their figures and certificate."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from scheduler.delivery.mail import Letter
from scheduler.domain import access
from scheduler.domain import mailroom as mail
from scheduler.domain.access import Action, Actor
from scheduler.domain.certificates import Certificate
from scheduler.domain.intervals import DaySpan
from scheduler.domain.messages import Channel, MessageKind, NewMessage
from scheduler.domain.people import Person, PersonId, Teacher, TeacherId
from scheduler.domain.plans import Fingerprint
from scheduler.domain.reminders import Side
from scheduler.domain.terms import ProgrammeId
from scheduler.errors import Conflict, Stale
from scheduler.locale import Language
from scheduler.services import certificates, letters, outbox, programmes
from scheduler.services import records as service_records
from scheduler.services.certificates import Due
from scheduler.services.context import Context
from scheduler.services.readers import Reader
from scheduler.services.words import Wall
from scheduler.store import addresses, audits, people, recipients
from scheduler.store import mailroom as posts
from scheduler.store.database import Session

_THANK = "thank"
_SAMPLE_CODE = "XXXX-XXXX-XXXX"  # of a certificate that is not issued yet


@dataclass(frozen=True, slots=True)
class Thanked:
    """A teacher who is thanked: for what, and under which language and address."""

    due: Due
    person: Person


@dataclass(frozen=True, slots=True)
class Thanks:
    """The mails before they are sent.  `to` gets one; `had` was thanked for these days already;
    `off` has no account that is on, `lost` an address that takes no mail: neither can be reached.

    `new` certificates would be issued with it; `sample` is the first mail as it reads.
    """

    days: DaySpan
    to: tuple[Thanked, ...]
    had: tuple[Thanked, ...]
    off: tuple[Due, ...]
    lost: tuple[Thanked, ...]
    new: int
    sample: Letter | None
    seen: Fingerprint


@dataclass(frozen=True, slots=True)
class Sent:
    issued: int
    mails: int


def look(
    ctx: Context, actor: Actor, first_day: date | None = None, last_day: date | None = None
) -> Thanks:
    """Who would be thanked for these days, by default of the newest term; nothing is sent."""
    programme_id = _own(actor)
    with ctx.reading() as db:
        days = service_records.span(db, programme_id, first_day, last_day, ctx.now())
        return _thanks(ctx, db, actor, programme_id, days)


def send(
    ctx: Context,
    actor: Actor,
    seen: Fingerprint,
    first_day: date | None = None,
    last_day: date | None = None,
) -> Sent:
    """Issue what is not issued yet, and thank each teacher once for these days, however often
    pressed.  Raises Stale when the figures are others than were seen."""
    programme_id = _own(actor)
    now = ctx.now()
    with ctx.transaction() as db:
        posts.take_turn(db, actor.person_id)
        days = service_records.span(db, programme_id, first_day, last_day, ctx.now())
        found = _thanks(ctx, db, actor, programme_id, days)
        if found.seen != seen:
            raise Stale("The figures have changed while you were looking. See the new list.")
        if not found.to:
            raise Conflict("Everybody who can be reached was thanked for these days already.")
        teachers = people.teachers(db, programme_id)
        made = certificates.issue_for(ctx, db, actor, programme_id, days, teachers)
        planned = outbox.plan(ctx, db, _messages(ctx, actor, programme_id, found, made))
        after = {
            "people": planned,
            "first_day": days.first_day.isoformat(),
            "last_day": days.last_day.isoformat(),
        }
        audits.record(db, now, actor.person_id, _THANK, "programme", programme_id, after=after)
    return Sent(found.new, planned)


def _own(actor: Actor) -> ProgrammeId:
    programme_id = programmes.own(actor)
    access.require(actor, Action.KEEP_RECORDS, programme_id)
    access.require(actor, Action.MANAGE_MESSAGES, programme_id)
    return programme_id


def _thanks(
    ctx: Context, db: Session, actor: Actor, programme_id: ProgrammeId, days: DaySpan
) -> Thanks:
    found = certificates.round_of(ctx, db, programme_id, days)
    teachers = {each.id: each for each in people.teachers(db, programme_id)}
    on = recipients.people(db, {_person(teachers, due) for due in found.due})
    faulty = addresses.faults(db, on.keys())
    keys = {_key(programme_id, days, person): person for person in on}
    had = {keys[key] for key in posts.by_keys(db, actor, keys)}
    known = [(due, on.get(_person(teachers, due))) for due in found.due]
    reached = [Thanked(due, who) for due, who in known if who is not None]
    to = tuple(x for x in reached if x.person.id not in had and x.person.id not in faulty)
    return Thanks(
        days=days,
        to=to,
        had=tuple(x for x in reached if x.person.id in had),
        off=tuple(due for due, who in known if who is None),
        lost=tuple(x for x in reached if x.person.id in faulty and x.person.id not in had),
        new=len(found.due) - len(found.issued),
        sample=_sample(ctx, actor, to[0]) if to else None,
        seen=found.seen,
    )


def _person(teachers: dict[TeacherId, Teacher], due: Due) -> PersonId:
    return teachers[due.facts.teacher_id].person_id


def _key(programme_id: ProgrammeId, days: DaySpan, person: PersonId) -> str:
    return f"thanks:{programme_id}:{days.first_day}:{days.last_day}:{person}"


def _messages(
    ctx: Context,
    actor: Actor,
    programme_id: ProgrammeId,
    found: Thanks,
    made: Sequence[Certificate],
) -> list[NewMessage]:
    codes = {each.facts.teacher_id: each.code for each in made}
    now = ctx.now()
    return [
        NewMessage(
            key=_key(programme_id, found.days, each.person.id),
            kind=MessageKind.NOTE,
            person_id=each.person.id,
            due_at=now,
            useless_after=now + mail.NOTE_LIFE,
            programme_id=programme_id,
            payload=_payload(actor, each, codes[each.due.facts.teacher_id]),
            channel=Channel.MAIL,
        )
        for each in found.to
    ]


def _payload(actor: Actor, to: Thanked, code: str) -> dict[str, object]:
    said = to.due.facts
    return {
        "name": actor.name,
        "email": actor.email,
        "thanks": {
            "programme": said.programme,
            "first": f"{said.days.first_day:%d/%m/%Y}",
            "last": f"{said.days.last_day:%d/%m/%Y}",
            "lessons": said.held.lessons,
            "minutes": said.held.minutes,
            "classes": to.due.classes,
            "code": code,
        },
    }


def _sample(ctx: Context, actor: Actor, to: Thanked) -> Letter:
    """As its reader would find it, in their language."""
    base = ctx.settings.base_url
    code = to.due.standing.code if to.due.standing else _SAMPLE_CODE
    reader = Reader(
        person_id=to.person.id,
        name=to.person.name,
        wall=Wall(Language(to.person.language), None),
        side=Side.TEACHER,
        base_url=base,
        page_url=f"{base}/teacher",
    )
    return letters.thanks(_payload(actor, to, code), reader)
