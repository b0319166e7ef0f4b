"""A teacher is asked to stand in, and accepts, declines, or answers later: the first one wins."""

from dataclasses import dataclass, replace
from datetime import datetime

from scheduler import failpoints
from scheduler.domain import access, remarks
from scheduler.domain import cover as rules
from scheduler.domain.access import Action, Actor
from scheduler.domain.candidates import obstacles
from scheduler.domain.cover import CallEnd, Offer, OfferEnd, OfferId, Reply, Standing
from scheduler.domain.lessons import Deed, Lesson, LessonId, placed
from scheduler.domain.people import Person, PersonId, TeacherId
from scheduler.domain.plans import Change, ChangeKind
from scheduler.errors import Conflict, Invalid, NotFound, text
from scheduler.services import links, news, timetable
from scheduler.services.context import Context
from scheduler.services.timetable import Cause
from scheduler.services.words import obstacle_words
from scheduler.store import audits, candidates, covers, gathered, lessons, people, tables
from scheduler.store import offers as rows
from scheduler.store.candidates import Need
from scheduler.store.database import Session
from scheduler.store.visibility import sees


@dataclass(frozen=True, slots=True)
class Question:
    """An offer, the lesson it is of, and how it stands for the teacher who was asked."""

    offer: Offer
    lesson: Lesson
    person: Person
    standing: Standing

    @property
    def open(self) -> bool:
        return self.standing is Standing.OPEN


@dataclass(frozen=True, slots=True)
class Teller:
    """Who tells the answer: the teacher, or a coordinator who was told it by telephone."""

    person_id: PersonId
    name: str


def of_link(ctx: Context, token: str) -> OfferId:
    """What the address in a mail asks about; raises NotFound."""
    return OfferId(links.offer_subject(ctx, token))


def of_actor(ctx: Context, actor: Actor, offer_id: OfferId) -> OfferId:
    """The actor's own offer; raises NotFound for anybody else's."""
    with ctx.reading() as db:
        offer = rows.get(db, offer_id)
    if offer is None or offer.person_id != actor.person_id:
        raise NotFound("There is no such offer here.")
    return offer.id


def waiting(ctx: Context, actor: Actor) -> tuple[tuple[Offer, Lesson], ...]:
    """What the actor is asked to give and may still answer for, the most urgent first."""
    with ctx.reading() as db:
        found = rows.waiting_for(db, actor.person_id, ctx.now())
        if not found:
            return ()
        known = {x.id: x for x in lessons.find(db, ids=[offer.lesson_id for offer in found])}
    return tuple((offer, known[offer.lesson_id]) for offer in found)


def question(ctx: Context, offer_id: OfferId) -> Question:
    """How it stands now; looking changes nothing.  Raises NotFound."""
    with ctx.reading() as db:
        return _question(ctx, db, offer_id)


def reply(ctx: Context, offer_id: OfferId, said: Reply, reason: str = "") -> Question:
    """Do what the teacher says, once, however often it is said; returns how it stands then.

    Whoever accepts too late changes nothing, and sees why.  Raises Conflict for a teacher who is
    no longer free.
    """
    reason = _worded(reason)
    with ctx.transaction() as db:
        person = _question(ctx, db, offer_id).person
        return _reply(ctx, db, offer_id, said, reason, Teller(person.id, person.name))


def reply_for(
    ctx: Context,
    actor: Actor,
    lesson_id: LessonId,
    teacher_id: TeacherId,
    said: Reply,
    reason: str = "",
) -> Question:
    """A coordinator notes what a teacher answered by telephone; raises NotFound for a teacher who
    was not asked."""
    reason = _worded(reason)
    with ctx.transaction() as db:
        if not sees(db, actor, tables.lessons, lesson_id):
            raise NotFound("There is no such lesson here.")
        asked = [x for x in rows.of_lesson(db, lesson_id) if x.teacher_id == teacher_id]
        if not asked:
            raise NotFound("This teacher was not asked to give this lesson.")
        lesson = _question(ctx, db, asked[-1].id).lesson
        access.require(actor, Action.FIND_COVER, lesson.programme_id)
        teller = Teller(actor.person_id, actor.name)
        return _reply(ctx, db, asked[-1].id, said, reason, teller)


def _worded(reason: str) -> str:
    """Why not, on one line, if anybody says why; raises Invalid."""
    reason = remarks.tidied(reason)
    if fault := remarks.fault(reason, needed=False):
        raise Invalid("Nothing was sent yet.", fields={"reason": fault})
    return reason


def _reply(
    ctx: Context, db: Session, offer_id: OfferId, said: Reply, reason: str, teller: Teller
) -> Question:
    covers.lock(db, _question(ctx, db, offer_id).lesson.id)
    before = _question(ctx, db, offer_id)  # as it stands now that nobody else may change it
    if not before.open:
        return before
    rows.see(db, offer_id, ctx.now())
    match said:
        case Reply.ACCEPT:
            _accept(ctx, db, before, teller)
        case Reply.DECLINE:
            _decline(ctx, db, before, reason, teller)
        case Reply.LATER:
            pass
    return _question(ctx, db, offer_id)


def _accept(ctx: Context, db: Session, before: Question, teller: Teller) -> None:
    offer, now = before.offer, ctx.now()
    need = candidates.need(db, before.lesson)
    rows.lock_teacher(db, offer.teacher_id)
    must_be_free(db, need, offer.teacher_id, now)
    rows.end(db, offer.id, OfferEnd.ACCEPTED, now)
    failpoints.at("after_offer_ended")
    cause = Cause(
        Deed.TAKEN_OVER,
        f"cover:{offer.call_id}",
        teller.person_id,
        teller.name,
        call_end=CallEnd.TAKEN,
    )
    hand_over(ctx, db, need, offer.teacher_id, cause)
    failpoints.at("after_hand_over")
    gathered.void_offer(db, offer.call_id, offer.person_id)
    news.thank(ctx, db, before.lesson.id, offer.person_id)
    failpoints.at("after_thanks")
    _record(ctx, db, before, "take_lesson_over", teller)


def must_be_free(db: Session, need: Need, teacher_id: TeacherId, now: datetime) -> None:
    """Raises Conflict, and says why, for a teacher who may not give the lesson as things stand."""
    found = candidates.find(db, need.term, need.want, now, among=[teacher_id])
    if not found:
        raise Conflict("This teacher gives no lessons this term.")
    hindering = obstacles(found[0], need.want)
    if hindering:
        raise Conflict(
            text("{name} can no longer give this lesson: {why}.",
                 name=found[0].name, why=obstacle_words(hindering[0]))
        )  # fmt: skip


def hand_over(ctx: Context, db: Session, need: Need, teacher_id: TeacherId, cause: Cause) -> None:
    """Give the lesson to another teacher, and tell whoever it concerns."""
    place = placed(need.lesson)
    change = Change(ChangeKind.RESTAFFED, place, replace(place, teacher_id=teacher_id))
    timetable.carry_out(ctx, db, need.term, [change], {place: need.lesson.id}, cause)


def _decline(ctx: Context, db: Session, before: Question, reason: str, teller: Teller) -> None:
    offer, now = before.offer, ctx.now()
    rows.end(db, offer.id, OfferEnd.DECLINED, now, reason)
    gathered.void_offer(db, offer.call_id, offer.person_id)
    covers.hasten(db, offer.call_id, now)
    _record(ctx, db, before, "decline_lesson", teller)


def _record(ctx: Context, db: Session, before: Question, action: str, teller: Teller) -> None:
    """Without the words of who declines: the record is for ever."""
    lesson, offer = before.lesson, before.offer
    after = offer.teacher_id if action == "take_lesson_over" else lesson.teacher_id
    audits.record(
        db,
        ctx.now(),
        teller.person_id,
        action,
        "lesson",
        lesson.id,
        before={"teacher": lesson.teacher_id},
        after={"teacher": after, "asked": offer.teacher_id},
    )


def _question(ctx: Context, db: Session, offer_id: OfferId) -> Question:
    offer = rows.get(db, offer_id)
    if offer is None:
        raise NotFound("There is no such offer here.")
    lesson, person = lessons.get(db, offer.lesson_id), people.person(db, offer.person_id)
    if lesson is None or person is None or not person.active:
        raise NotFound("There is no such offer here.")
    owns = lesson.teacher_id == offer.teacher_id
    found = rules.standing(offer.end, offer.deadline, ctx.now(), owns=owns)
    return Question(offer, lesson, person, found)
