"""What messages are about, as it stands at this moment: read for a whole batch at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from scheduler.domain import joint_sessions as session_rules
from scheduler.domain import news as news_rules
from scheduler.domain import reminders as rules
from scheduler.domain.choices import Choices
from scheduler.domain.cover import Offer
from scheduler.domain.joint_sessions import Answer, Attendee, JointSession, JointSessionId, Told
from scheduler.domain.lessons import Handover, Lesson, LessonId, LessonState
from scheduler.domain.messages import OF_SESSIONS, PRIVATE, Claimed, MessageKind
from scheduler.domain.news import Entry, News
from scheduler.domain.people import Person, PersonId, SchoolId
from scheduler.domain.quiet import news_wait, reminder_wait
from scheduler.domain.reminders import Side
from scheduler.domain.swaps import Swap, SwapId
from scheduler.services.context import Context
from scheduler.store import (
    choices,
    confirmations,
    covers,
    joint_sessions,
    lessons,
    offers,
    recipients,
    swaps,
)
from scheduler.store.covers import CoverCall
from scheduler.store.database import Session


class Outdated(Exception):
    """There is nothing left to tell: things changed since the message was planned."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a batch of messages needs; people whose account is off are not among them."""

    now: datetime
    people: Mapping[PersonId, Person]
    choices: Mapping[PersonId, Choices]
    schools: Mapping[PersonId, frozenset[SchoolId]]
    lessons: Mapping[LessonId, Lesson]
    by_day: tuple[Lesson, ...]
    confirmed: frozenset[tuple[LessonId, PersonId]]
    calls: Mapping[LessonId, CoverCall]
    handed_over: Mapping[tuple[LessonId, PersonId], Handover]
    offers: Mapping[tuple[LessonId, PersonId], Offer]
    swaps: Mapping[SwapId, Swap]
    sessions: Mapping[JointSessionId, JointSession]
    by_week: Mapping[PersonId, tuple[JointSession, ...]]
    seats: Mapping[tuple[JointSessionId, PersonId], Attendee]


@dataclass(frozen=True, slots=True)
class OneLesson:
    """A lesson as it concerns the reader."""

    lesson: Lesson
    side: Side
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A piece of news: what it means to the reader now, and what the reader knew before.

    `given_away`: what the reader's calendar keeps of a lesson that somebody else took over;
    `offer`: the open one, where the reader is asked to stand in.  `swap`: the proposal it is
    about, and `instead`, the lesson that is given for it.
    """

    news: News
    entry: Entry
    lesson: Lesson
    given_away: Handover | None = None
    offer: Offer | None = None
    swap: Swap | None = None
    instead: Lesson | None = None


@dataclass(frozen=True, slots=True)
class OneSession:
    """A joint session as it concerns the reader; `news`: what is told of it, and `told`: what the
    reader knew before."""

    session: JointSession
    news: session_rules.News | None = None
    told: Told | None = None


@dataclass(frozen=True, slots=True)
class About:
    """What one message is about.  `reason`: why a teacher cannot come; `also`: the joint sessions
    of a week."""

    person: Person
    side: Side = Side.TEACHER
    lessons: tuple[OneLesson, ...] = ()
    changes: tuple[Change, ...] = ()
    reason: str = ""
    meeting: OneSession | None = None
    also: tuple[OneSession, ...] = ()


# -- reading


def gather(ctx: Context, messages: Sequence[Claimed]) -> Facts:
    """Everything these messages are about: a constant number of queries, however many they are."""
    with ctx.reading() as db:
        return _read(ctx, db, messages)


def _read(ctx: Context, db: Session, messages: Sequence[Claimed]) -> Facts:
    readers = {message.person_id for message in messages}
    days = [
        rules.day_of(message.payload)[:2] for message in messages if message.kind in rules.BY_DAY
    ]
    daily = {message.person_id for message in messages if message.kind in rules.BY_DAY}
    named = {lesson for message in messages for lesson in _named(message)}
    proposed = swaps.by_ids(db, _swaps_of(messages))
    named |= {lesson for swap in proposed.values() for lesson in swap.lessons}
    by_day = lessons.find(
        db,
        of_people=daily,
        since=min((begins for begins, _ in days), default=ctx.now()),
        until=max((ends for _, ends in days), default=ctx.now()),
    )
    known = {lesson.id: lesson for lesson in lessons.find(db, ids=named)}
    meetings = {
        session_rules.session_of(each.payload) for each in messages if each.kind in OF_SESSIONS
    }
    return Facts(
        now=ctx.now(),
        people=recipients.people(db, readers),
        choices=choices.of(db, readers),
        schools=recipients.schools_of(db, readers),
        lessons=known,
        by_day=by_day,
        confirmed=confirmations.of_people(db, readers),
        calls=covers.of_lessons(db, named),
        handed_over=lessons.handed_over(db, known),
        offers=offers.open_of(db, named, readers),
        swaps=proposed,
        sessions=joint_sessions.by_ids(db, meetings) if meetings else {},
        by_week=_of_weeks(db, ctx.now(), messages),
        seats=_seats(db, meetings) if meetings else {},
    )


def _of_weeks(
    db: Session, now: datetime, messages: Sequence[Claimed]
) -> Mapping[PersonId, tuple[JointSession, ...]]:
    """The joint sessions that the readers of a week are expected at."""
    weekly = [each for each in messages if each.kind is MessageKind.DIGEST]
    if not weekly:
        return {}
    until = max(rules.day_of(each.payload)[1] for each in weekly)
    return joint_sessions.ahead_of(db, {each.person_id for each in weekly}, now, until)


def _seats(
    db: Session, ids: set[JointSessionId]
) -> dict[tuple[JointSessionId, PersonId], Attendee]:
    seats = joint_sessions.attendees(db, ids)
    return {(x.session_id, x.person_id): x for those in seats.values() for x in those}


def _swaps_of(messages: Sequence[Claimed]) -> set[SwapId]:
    return {
        entry.swap
        for message in messages
        if message.kind is MessageKind.CHANGES
        for entry in news_rules.read(message.payload).entries
        if entry.swap is not None
    }


def _named(message: Claimed) -> Iterable[LessonId]:
    if message.kind is MessageKind.CHANGES:
        return [entry.lesson_id for entry in news_rules.read(message.payload).entries]
    return [message.lesson_id] if message.lesson_id else []


# -- what one message is about


def about(facts: Facts, message: Claimed) -> About:
    """The message's part of the facts; raises Outdated."""
    person = facts.people.get(message.person_id)
    if person is None:
        raise Outdated("the account is off")
    if message.kind in rules.REMINDERS:
        _wanted(facts, person, message.kind)
    if message.kind in PRIVATE:
        return About(_addressed(person, message))
    if message.kind is MessageKind.NOTE:
        return About(person)
    if message.kind in rules.BY_DAY:
        return _of_day(facts, message, person)
    if message.kind is MessageKind.CHANGES:
        return _of_changes(facts, message, person)
    if message.kind in OF_SESSIONS:
        return _of_session(facts, message, person)
    return _of_lesson(facts, message, person)


def _addressed(person: Person, message: Claimed) -> Person:
    """Whoever the message itself names: at another address, or nobody that we know yet."""
    said = message.payload
    return replace(
        person,
        email=str(said.get("email", person.email)),
        name=str(said.get("name", person.name)),
        language=str(said.get("language", person.language)),
    )


def _wanted(facts: Facts, person: Person, kind: MessageKind) -> None:
    if not person.reminders:
        raise Outdated("reminders were stopped")
    if not facts.choices[person.id].wants(kind):
        raise Outdated("this reminder was not chosen")


def _of_day(facts: Facts, message: Claimed, person: Person) -> About:
    begins, ends, _ = rules.day_of(message.payload)
    mine = rules.sides(person.id, facts.by_day, facts.schools)
    found = tuple(
        OneLesson(lesson, side, (lesson.id, person.id) in facts.confirmed)
        for lesson, side in mine
        if rules.comes(lesson) and max(begins, facts.now) <= lesson.starts_at < ends
    )
    if not found:
        raise Outdated("no lesson is left")
    if message.kind is MessageKind.DAY_BEFORE and all(each.confirmed for each in found):
        raise Outdated("the lessons were confirmed")
    return About(
        person,
        _side(each.side for each in found),
        found,
        also=tuple(
            OneSession(each)
            for each in facts.by_week.get(person.id, ())
            if message.kind is MessageKind.DIGEST and begins <= each.starts_at < ends
        ),
    )


def _of_changes(facts: Facts, message: Claimed, person: Person) -> About:
    gathering = news_rules.read(message.payload)
    found = []
    for entry in gathering.entries:
        lesson = facts.lessons.get(entry.lesson_id)
        if lesson is None or (lesson.ends_at <= facts.now and entry.was is not None):
            continue
        if entry.side is Side.SCHOOL and lesson.school_id not in facts.schools[person.id]:
            continue  # who spoke for the school when it was planned does so no more
        key = (lesson.id, person.id)
        swap = facts.swaps.get(entry.swap) if entry.swap else None
        news = news_rules.told(entry, lesson, person.id, swap)
        if news is None or (news is News.OFFERED and not _is_asked(facts, key)):
            continue
        found.append(
            Change(
                news,
                entry,
                lesson,
                facts.handed_over.get(key),
                offer=facts.offers.get(key) if news is News.OFFERED else None,
                swap=swap,
                instead=facts.lessons.get(swap.wanted_id) if swap else None,
            )
        )
    if not found:
        raise Outdated("the changes are no news any more")
    found.sort(key=lambda change: (change.lesson.starts_at, change.lesson.id))
    return About(person, gathering.side, changes=tuple(found))


def _of_session(facts: Facts, message: Claimed, person: Person) -> About:
    session = facts.sessions.get(session_rules.session_of(message.payload))
    seat = facts.seats.get((session.id, person.id)) if session else None
    if session is None or seat is None or session.ends_at <= facts.now:
        raise Outdated("the session is gone")
    side = Side.TEACHER if seat.teacher_id is not None else Side.SCHOOL
    if message.kind is MessageKind.JOINT_NEWS:
        told = session_rules.told_of(message.payload)
        news = session_rules.news(told, session, invited=seat.invited)
        if news is None:
            raise Outdated("the changes are no news any more")
        return About(person, side, meeting=OneSession(session, news, told))
    stands = message.payload["starts"] == session.starts_at.isoformat()
    if not stands or not seat.invited or session.state is not LessonState.SCHEDULED:
        raise Outdated("the session changed")
    if seat.answer is Answer.CANNOT:
        raise Outdated("the reader does not come")
    return About(person, side, meeting=OneSession(session))


def _is_asked(facts: Facts, key: tuple[LessonId, PersonId]) -> bool:
    """Whether an answer of this reader still counts."""
    offer = facts.offers.get(key)
    return offer is not None and facts.now < offer.deadline


def _of_lesson(facts: Facts, message: Claimed, person: Person) -> About:
    lesson = facts.lessons.get(message.lesson_id or LessonId(0))
    if lesson is None:
        raise Outdated("the lesson is gone")
    if message.kind is MessageKind.COVER_WANTED:
        call = facts.calls.get(lesson.id)
        if call is None or lesson.state is not LessonState.COVER:
            raise Outdated("cover is no longer wanted")
        return About(person, Side.SCHOOL, (OneLesson(lesson, Side.SCHOOL),), reason=call.reason)
    if message.kind is MessageKind.CALLED_OFF:
        current = lesson.state is LessonState.CANCELLED
    else:
        current = rules.comes(lesson) and lesson.sequence == message.sequence
    if not current:
        raise Outdated("the lesson changed")
    mine = rules.sides(person.id, [lesson], facts.schools)
    if not mine:
        raise Outdated("no longer concerned")
    return _unconfirmed(facts, message, person, OneLesson(lesson, mine[0][1]))


def _unconfirmed(facts: Facts, message: Claimed, person: Person, one: OneLesson) -> About:
    confirmed = (one.lesson.id, person.id) in facts.confirmed
    stops = message.kind in rules.REMINDERS
    if confirmed and stops and not facts.choices[person.id].wants_confirmed(message.kind):
        raise Outdated("the lesson was confirmed")
    return About(person, one.side, (OneLesson(one.lesson, one.side, confirmed),))


def _side(sides: Iterable[Side]) -> Side:
    return Side.TEACHER if Side.TEACHER in tuple(sides) else Side.SCHOOL


# -- when


def wait(facts: Facts, message: Claimed, what: About, zone: str) -> datetime | None:
    """Until when the message waits for its reader's quiet to end; `facts.now` when it does not.

    None: the reader wants quiet for as long as it would be of use.  `zone` is the wall of a reader
    without lessons.
    """
    concerned: list[Lesson | JointSession] = [each.lesson for each in what.lessons]
    concerned += [change.lesson for change in what.changes]
    concerned += [what.meeting.session] if what.meeting else []
    wall = what.person.zone or next((lesson.zone for lesson in concerned), zone)
    quiet = facts.choices[what.person.id].quiet(wall)
    if message.kind in PRIVATE:
        return facts.now
    if message.kind in rules.REMINDERS:
        use = rules.USE[message.kind]
        return reminder_wait(facts.now, message.useless_after, use, quiet)
    instants = [lesson.starts_at for lesson in concerned]
    instants += [change.entry.was for change in what.changes if change.entry.was]
    instants += [what.meeting.told.starts_at] if what.meeting and what.meeting.told else []
    ahead = (at for at in instants if at > facts.now)
    return news_wait(facts.now, min((message.useless_after, *ahead)), quiet)
