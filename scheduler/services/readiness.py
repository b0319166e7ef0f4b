"""Who is ready for the next search, and a reminder to exactly those who are not."""

from collections.abc import Collection
from dataclasses import dataclass

from scheduler.domain import access
from scheduler.domain import mailroom as mail
from scheduler.domain import readiness as rules
from scheduler.domain.access import Action, Actor
from scheduler.domain.messages import Channel, MessageKind, NewMessage
from scheduler.domain.people import PersonId
from scheduler.domain.plans import Fingerprint
from scheduler.domain.readiness import Answer, School, Stand
from scheduler.domain.terms import Choice, ProgrammeId, Term
from scheduler.errors import Conflict, Stale, Text, text
from scheduler.locale import Language, translate
from scheduler.services import outbox, programmes, ways
from scheduler.services.context import Context
from scheduler.services.programmes import Wanted
from scheduler.store import audits
from scheduler.store import mailroom as posts
from scheduler.store import readiness as rows
from scheduler.store.database import Session

_PAGE = "/teacher/availability"
_NUDGE = "nudge"
_WORDS = {
    Stand.SILENT: text(
        "We are planning {term}, and we do not know yet when you could teach.\n\n"
        "Open this page and choose your half-days; it takes two minutes, on a phone too:\n{url}\n\n"
        "If you cannot take part this time, write to the address below: that helps too. Thank you."
    ),
    Stand.UNCONFIRMED: text(
        "Thank you for taking part. We are about to plan {term} and would like to be sure that "
        "what we know of your time still holds.\n\n"
        "Open this page, change what has changed, and save it once:\n{url}\n\n"
        "If you cannot take part this time, write to the address below: that helps too."
    ),
}


@dataclass(frozen=True, slots=True)
class Readiness:
    """The answers of all teachers to a term, and the schools where some are waited for."""

    choice: Choice
    answers: tuple[Answer, ...]
    schools: tuple[School, ...]

    @property
    def term(self) -> Term:
        return self.choice.term

    def those(self, stand: Stand) -> tuple[Answer, ...]:
        return tuple(each for each in self.answers if each.stand is stand)

    def count(self, stand: Stand) -> int:
        return len(self.those(stand))


@dataclass(frozen=True, slots=True)
class Nudge:
    """A reminder before it is sent: its words, to whom it goes, and who had one today already."""

    stand: Stand
    choice: Choice
    words: Text
    to: tuple[Answer, ...]
    had: tuple[Answer, ...]
    seen: Fingerprint

    @property
    def term(self) -> Term:
        return self.choice.term


def look(ctx: Context, actor: Actor, wanted: Wanted = None) -> Readiness:
    """Raises NotFound for who coordinates no programme."""
    programme_id = _own(actor, Action.SEE_PROGRAMME)
    with ctx.reading() as db:
        choice = programmes.choose(db, programme_id, wanted, ctx.now())
        answers = rows.of_term(db, choice.term)
    return Readiness(choice, answers, rules.by_school(answers))


def preview(ctx: Context, actor: Actor, stand: Stand, wanted: Wanted = None) -> Nudge:
    """What would be sent to those who stand so; raises Conflict when there is nobody, and for a
    term that is over."""
    programme_id = _own(actor, Action.MANAGE_MESSAGES)
    with ctx.reading() as db:
        choice = programmes.choose(db, programme_id, wanted, ctx.now())
        return _nudge(ctx, db, actor, choice, stand)


def send(ctx: Context, actor: Actor, stand: Stand, seen: Fingerprint, wanted: Wanted = None) -> int:
    """Plan the reminder for exactly those who were seen; returns how many are on their way now.

    Nobody gets two on one day, whoever presses how often.  Raises Stale when somebody has answered,
    or joined, since the look.
    """
    programme_id = _own(actor, Action.MANAGE_MESSAGES)
    now = ctx.now()
    with ctx.transaction() as db:
        choice = programmes.choose(db, programme_id, wanted, now)
        found = _nudge(ctx, db, actor, choice, stand)
        if found.seen != seen:
            raise Stale("Somebody has answered while you were looking. Nothing was sent.")
        channels = ways.first(ctx, db, [who.person_id for who in found.to])
        today = found.term.today(now)
        messages = [
            NewMessage(
                key=rules.key(found.term.id, today, who.person_id, channels[who.person_id]),
                kind=MessageKind.NOTE,
                person_id=who.person_id,
                due_at=now,
                useless_after=now + mail.NOTE_LIFE,
                programme_id=programme_id,
                payload={
                    "words": translate(found.words, Language(who.language)),
                    "name": actor.name,
                    "email": actor.email,
                },
                channel=channels[who.person_id],
            )
            for who in found.to
        ]
        planned = outbox.plan(ctx, db, messages)
        if planned:
            after = {"stand": stand.value, "people": planned}
            audits.record(db, now, actor.person_id, _NUDGE, "term", found.term.id, after=after)
    return planned


def _nudge(ctx: Context, db: Session, actor: Actor, choice: Choice, stand: Stand) -> Nudge:
    programmes.require_open(choice)
    term = choice.term
    there = [each for each in rows.of_term(db, term) if each.stand is stand]
    if stand not in _WORDS or not there:
        raise Conflict("Everybody has answered by now: there is nobody to remind.")
    had = _had(ctx, db, actor, term, [each.person_id for each in there])
    return Nudge(
        stand=stand,
        choice=choice,
        words=Text(_WORDS[stand].msgid, {"term": term.name, "url": _page(ctx, term)}),
        to=tuple(each for each in there if each.person_id not in had),
        had=tuple(each for each in there if each.person_id in had),
        seen=rules.fingerprint(each.person_id for each in there),
    )


def _page(ctx: Context, term: Term) -> str:
    return f"{ctx.settings.base_url}{_PAGE}?term={term.id}"


def _had(
    ctx: Context, db: Session, actor: Actor, term: Term, people: Collection[PersonId]
) -> frozenset[PersonId]:
    today = term.today(ctx.now())
    keys = {
        rules.key(term.id, today, person, channel): person
        for person in people
        for channel in Channel
    }
    return frozenset(keys[key] for key in posts.by_keys(db, actor, keys))


def _own(actor: Actor, action: Action) -> ProgrammeId:
    programme_id = programmes.own(actor)
    access.require(actor, action, programme_id)
    return programme_id
