"""What mails say: a message, and the present state of its lessons, become words for its reader."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from scheduler import security
from scheduler.delivery import mail
from scheduler.delivery.mail import Envelope, Letter
from scheduler.delivery.notices import Notice
from scheduler.domain import reminders as rules
from scheduler.domain.lessons import Lesson, LessonId, LessonState
from scheduler.domain.messages import Claimed, MessageKind
from scheduler.domain.people import Person, PersonId
from scheduler.domain.plans import ChangeKind
from scheduler.domain.reminders import Side
from scheduler.errors import Text, text
from scheduler.locale import Language, translate, wording
from scheduler.services import calendars
from scheduler.services.context import Context
from scheduler.store import lessons, people
from scheduler.store.database import Session

MOST_LINES = 40
STOP_LIFE = timedelta(days=365)
_PAGES = {Side.TEACHER: "/teacher", Side.SCHOOL: "/school"}


@dataclass(frozen=True, slots=True)
class Reader:
    """Who opens the mail; `stop_url` only where a reminder can be stopped."""

    person_id: PersonId
    name: str
    language: Language
    side: Side
    base_url: str
    stop_url: str | None = None

    @property
    def page_url(self) -> str:
        return self.base_url + _PAGES[self.side]


class News(StrEnum):
    """What a change means to one reader; in the order in which a mail tells it."""

    NEW = "new"
    MOVED = "moved"
    OTHER_TEACHER = "other_teacher"
    GIVEN_AWAY = "given_away"
    CALLED_OFF = "called_off"


_HEADINGS = {
    News.NEW: text("New"),
    News.MOVED: text("Moved"),
    News.OTHER_TEACHER: text("With another teacher"),
    News.GIVEN_AWAY: text("No longer yours"),
    News.CALLED_OFF: text("Called off"),
}


@dataclass(frozen=True, slots=True)
class LessonWords:
    """A lesson as a mail prints it; `before` is the time it moved from."""

    title: str
    class_name: str
    district: str
    when: str
    time: str
    before: str
    teacher: str
    reason: str
    join_url: str
    to_be_covered: bool


@dataclass(frozen=True, slots=True)
class Section:
    """Lessons with the same news; `moved`: show from when, `off`: they are not to be given."""

    heading: str
    lessons: tuple[LessonWords, ...]
    moved: bool
    off: bool


class Outdated(Exception):
    """There is nothing left to tell: things changed since the message was planned."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a message is about, as it stands at this moment."""

    person: Person
    side: Side
    changes: tuple[tuple[ChangeKind, Lesson], ...] = ()
    lesson: Lesson | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What the payload of a message about a publication says, and to which side."""

    side: Side
    changes: Mapping[LessonId, ChangeKind]


def compose(ctx: Context, message: Claimed) -> tuple[Envelope, Letter]:
    """The mail as it should read now; raises Outdated."""
    told = _told(message)
    with ctx.reading() as db:
        facts = _facts(db, message, told)
    return _mail(ctx, message, facts)


def notice(ctx: Context, message: Claimed) -> Notice:
    """The message in a few words, as it should read now; raises Outdated."""
    envelope, letter = compose(ctx, message)
    return Notice(
        title=letter.subject,
        body="",
        url=ctx.settings.base_url,
        tag=message.key,
        template=message.kind.value,
        parameters={"name": envelope.name},
    )


def _told(message: Claimed) -> Told:
    told: Any = message.payload.get("lessons", ())
    side = Side(str(message.payload.get("side", Side.TEACHER)))
    return Told(side, {LessonId(int(lesson)): ChangeKind(kind) for lesson, kind in told})


def _facts(db: Session, message: Claimed, told: Told) -> Facts:
    person = people.person(db, message.person_id)
    if person is None or not person.active:
        raise Outdated("the account is off")
    if message.kind in (MessageKind.SIGN_IN, MessageKind.NOTE):
        return Facts(person, told.side)
    if message.kind is MessageKind.CHANGES:
        found = lessons.find(db, ids=list(told.changes))
        return Facts(person, told.side, tuple((told.changes[each.id], each) for each in found))
    lesson = lessons.get(db, message.lesson_id or 0)
    if lesson is None or not rules.still_true(message, lesson):
        raise Outdated("the lesson changed")
    if message.kind in rules.REMINDERS and not person.reminders:
        raise Outdated("reminders were stopped")
    return Facts(person, _side(db, person, lesson), lesson=lesson)


def _side(db: Session, person: Person, lesson: Lesson) -> Side:
    if person.id == lesson.teacher_person_id:
        return Side.TEACHER
    if person.id in {contact.id for contact in people.school_contacts(db, lesson.school_id)}:
        return Side.SCHOOL
    raise Outdated("no longer concerned")


def _mail(ctx: Context, message: Claimed, facts: Facts) -> tuple[Envelope, Letter]:
    reader = Reader(
        person_id=facts.person.id,
        name=facts.person.name,
        language=Language(facts.person.language),
        side=facts.side,
        base_url=ctx.settings.base_url,
        stop_url=stop_url(ctx, facts.person) if message.kind in rules.REMINDERS else None,
    )
    envelope = Envelope(
        message_id=message.message_id,
        sender=ctx.settings.mail_from,
        name=facts.person.name,
        address=facts.person.email,
        date=ctx.now(),
        stop_url=reader.stop_url,
    )
    return envelope, _words_for(ctx, message, facts, reader)


def stop_url(ctx: Context, person: Person) -> str:
    """Where one press ends the reminders of this person."""
    token = security.sign_link(
        ctx.key, security.Purpose.STOP_REMINDERS, str(person.id), ctx.now(), STOP_LIFE
    )
    return f"{ctx.settings.base_url}/stop/{token}"


def _words_for(ctx: Context, message: Claimed, facts: Facts, reader: Reader) -> Letter:
    if message.kind is MessageKind.SIGN_IN:
        zone = ZoneInfo(ctx.settings.timezone)
        asked, ends = (at.astimezone(zone) for at in (message.due_at, message.useless_after))
        url, code = (str(message.payload[name]) for name in ("url", "code"))
        return sign_in(url, code, asked, ends, reader)
    if message.kind is MessageKind.NOTE:
        return note(message.payload, reader)
    if message.kind is MessageKind.CHANGES:
        return timetable(facts.changes, reader)
    if facts.lesson is None:
        raise ValueError(message.kind)
    if message.kind is MessageKind.CALLED_OFF:
        return called_off(facts.lesson, reader)
    return reminder(message.kind, facts.lesson, reader)


# -- the words


def reminder(kind: MessageKind, lesson: Lesson, reader: Reader) -> Letter:
    """One step of the ladder before a lesson."""
    words = _words(lesson, reader)
    subject = text("{when}: {title}", when=words.when, title=words.title)
    if kind is MessageKind.SOON:
        subject = text("Starting at {time}: {title}", time=words.time, title=words.title)
    return _render("reminder", subject, reader, kind=kind.value, lesson=words)


def called_off(lesson: Lesson, reader: Reader) -> Letter:
    """The news that a lesson does not take place."""
    words = _words(lesson, reader)
    subject = text("Called off: {when}, {title}", when=words.when, title=words.title)
    return _render("called_off", subject, reader, lesson=words)


def timetable(changes: Iterable[tuple[ChangeKind, Lesson]], reader: Reader) -> Letter:
    """All that one publication changed for one reader, as things stand now."""
    told = sorted(changes, key=lambda change: change[1].starts_at)
    subject = text("Changes in your timetable: {count}", count=len(told))
    return _render(
        "timetable",
        subject,
        reader,
        sections=_sections(told[:MOST_LINES], reader),
        left_out=max(0, len(told) - MOST_LINES),
    )


def note(said: Mapping[str, object], reader: Reader) -> Letter:
    """A coordinator's own words, with her name and the address to answer to."""
    words, name, email = (str(said[each]) for each in ("words", "name", "email"))
    subject = text("A word from {name}, coordinator of Chung Tay", name=name)
    return _render("note", subject, reader, lines=words.split("\n"), name=name, email=email)


def sign_in(url: str, code: str, asked: datetime, expires: datetime, reader: Reader) -> Letter:
    """The link and the code that let somebody in; instants already in the reader's zone."""
    subject = text("Sign in to Chung Tay, asked for at {time}", time=wording.clock(asked))
    half = len(code) // 2
    return _render(
        "sign_in",
        subject,
        reader,
        url=url,
        code=f"{code[:half]}-{code[half:]}",
        until=wording.clock(expires),
    )


def _sections(told: Sequence[tuple[ChangeKind, Lesson]], reader: Reader) -> tuple[Section, ...]:
    by_news: dict[News, list[LessonWords]] = {news: [] for news in News}
    for kind, lesson in told:
        by_news[_news(kind, lesson, reader)].append(_words(lesson, reader))
    return tuple(
        Section(
            heading=translate(_HEADINGS[news], reader.language),
            lessons=tuple(lessons),
            moved=news is News.MOVED,
            off=news in (News.GIVEN_AWAY, News.CALLED_OFF),
        )
        for news, lessons in by_news.items()
        if lessons
    )


def _news(kind: ChangeKind, lesson: Lesson, reader: Reader) -> News:
    if lesson.state is LessonState.CANCELLED:
        return News.CALLED_OFF
    own = reader.side is Side.TEACHER
    if own and lesson.teacher_person_id != reader.person_id:
        return News.GIVEN_AWAY
    if kind is ChangeKind.RESTAFFED:
        return News.NEW if own else News.OTHER_TEACHER
    return News.MOVED if kind is ChangeKind.MOVED else News.NEW


def _words(lesson: Lesson, reader: Reader) -> LessonWords:
    zone, language = ZoneInfo(lesson.zone), reader.language
    start, end = lesson.starts_at.astimezone(zone), lesson.ends_at.astimezone(zone)
    before = lesson.moved_from.astimezone(zone) if lesson.moved_from else None
    return LessonWords(
        title=calendars.title(lesson, language),
        class_name=lesson.class_name,
        district=lesson.school_district,
        when=wording.when(start, end, language),
        time=wording.clock(start),
        before=wording.moment(before, language) if before else "",
        teacher=f"{lesson.teacher_name} ({lesson.donor_school})",
        reason=lesson.cancel_reason,
        join_url=f"{reader.base_url}/j/{lesson.join_token}",
        to_be_covered=lesson.state is LessonState.COVER,
    )


def _render(template: str, subject: Text | str, reader: Reader, **values: object) -> Letter:
    given = {"reader": reader, "own": reader.side is Side.TEACHER, **values}
    return mail.render(template, reader.language, translate(subject, reader.language), given)
