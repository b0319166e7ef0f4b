"""What messages say: a message, and the present state of its lessons, become words for its reader.

Nothing is read here: see `services.facts`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from scheduler.delivery.mail import Envelope, Letter
from scheduler.delivery.notices import Notice
from scheduler.domain import reminders as rules
from scheduler.domain.lessons import Lesson
from scheduler.domain.messages import OF_SESSIONS, PRIVATE, Claimed, MessageKind
from scheduler.domain.news import LONG_AGO, News
from scheduler.domain.reminders import Side
from scheduler.errors import Text, text
from scheduler.locale import Language, spell, translate, wording
from scheduler.services import facts as known
from scheduler.services import joint_letters, links, outbox, paperwork, private_letters
from scheduler.services.context import Context
from scheduler.services.facts import About, Change, OneLesson
from scheduler.services.readers import Reader, render
from scheduler.services.words import NEWS, LessonWords, Wall, excuse_words, lesson_words

MOST_LINES = 40
LONGEST_TITLE = 50
_PAGES = {Side.TEACHER: "/teacher", Side.SCHOOL: "/school"}


@dataclass(frozen=True, slots=True)
class Section:
    """Lessons with the same news; `moved`: show from when, `off`: they are not to be given.  `by`:
    who changed them, where one person did."""

    heading: str
    lessons: tuple[LessonWords, ...]
    moved: bool
    off: bool
    by: str


def compose(ctx: Context, message: Claimed) -> tuple[Envelope, Letter]:
    """The mail as it should read now; raises Outdated."""
    return letter(ctx, message, known.about(known.gather(ctx, [message]), message))


def letter(ctx: Context, message: Claimed, what: About) -> tuple[Envelope, Letter]:
    """The mail that tells this."""
    reader = _reader(ctx, message, what)
    envelope = Envelope(
        message_id=message.message_id,
        sender=ctx.settings.mail_from,
        name=what.person.name,
        address=what.person.email,
        date=ctx.now(),
        stop_url=reader.stop_url,
    )
    return envelope, _words_for(ctx, message, what, reader)


def _reader(ctx: Context, message: Claimed, what: About) -> Reader:
    base_url = ctx.settings.base_url
    page = _PAGES[what.side]
    if message.kind is MessageKind.COVER_WANTED:
        page = "/coordinator"
    reminder = message.kind in rules.REMINDERS
    return Reader(
        person_id=what.person.id,
        name=what.person.name,
        wall=Wall(Language(what.person.language), what.person.zone),
        side=what.side,
        base_url=base_url,
        page_url=base_url + page,
        stop_url=links.stop_url(ctx, what.person.id) if reminder else None,
        choices_url=f"{base_url}{page}/reminders" if reminder else None,
    )


def _words_for(ctx: Context, message: Claimed, what: About, reader: Reader) -> Letter:
    match message.kind:
        case kind if kind in PRIVATE:
            return private_letters.letter(ctx, message, reader)
        case MessageKind.NOTE if "thanks" in message.payload:
            return thanks(message.payload, reader)
        case MessageKind.NOTE:
            return _note(message, reader)
        case kind if kind in OF_SESSIONS:
            return joint_letters.letter(message.kind, what, reader)
        case MessageKind.CHANGES:
            return _changes(ctx, what.changes, reader)
        case MessageKind.DAY_BEFORE:
            return _day(ctx, what.lessons, reader)
        case MessageKind.DIGEST:
            return _week(ctx, message, what, reader)
        case MessageKind.COVER_WANTED:
            return _cover_wanted(ctx, message, what, reader)
        case MessageKind.CALLED_OFF:
            return _called_off(_one(ctx, what.lessons[0], reader), reader)
        case _:
            return _step(ctx, message.kind, what.lessons[0], reader)


# -- mails


def _step(ctx: Context, kind: MessageKind, one: OneLesson, reader: Reader) -> Letter:
    """One step of the ladder before a lesson; the last one lets its reader check in."""
    words, here = _one(ctx, one, reader), ""
    subject = text("{when}: {title}", when=words.when, title=words.title)
    if kind is MessageKind.SOON:
        subject = text("Starting at {time}: {title}", time=words.time, title=words.title)
        here = links.check_in_url(ctx, one.lesson, one.side, reader.person_id)
    return render("reminder", subject, reader, kind=kind.value, lesson=words, check_in_url=here)


def _day(ctx: Context, lessons: tuple[OneLesson, ...], reader: Reader) -> Letter:
    """All lessons of tomorrow, and what the teacher is asked about each."""
    words = [_one(ctx, each, reader, ask=True) for each in lessons]
    subject = text("{when}: {title}", when=words[0].when, title=words[0].title)
    if len(words) > 1:
        first = lessons[0].lesson
        subject = text(
            "{day}: {count} lessons, the first at {time}",
            day=reader.wall.day(first.starts_at, first.zone),
            count=len(words),
            time=words[0].time,
        )
    return render("day", subject, reader, lessons=words)


def _week(ctx: Context, message: Claimed, what: About, reader: Reader) -> Letter:
    """The week to come, day by day, and the joint sessions in it."""
    lessons = what.lessons
    begins, _, zone = rules.day_of(message.payload)
    monday = wording.date_short(begins.astimezone(ZoneInfo(zone)), reader.language)
    subject = text("Lessons in the week from {day}: {count}", day=monday, count=len(lessons))
    shown = [_one(ctx, each, reader) for each in lessons[:MOST_LINES]]
    left_out = max(0, len(lessons) - MOST_LINES)
    also = [joint_letters.in_words(each, reader) for each in what.also]
    return render("week", subject, reader, lessons=shown, left_out=left_out, also=also)


def _called_off(words: LessonWords, reader: Reader) -> Letter:
    """The news that a lesson does not take place."""
    subject = text("Called off: {when}, {title}", when=words.when, title=words.title)
    return render("called_off", subject, reader, lesson=words)


def _changes(ctx: Context, changes: tuple[Change, ...], reader: Reader) -> Letter:
    """All that changed for one reader, as things stand now."""
    subject = text("Changes in your timetable: {count}", count=len(changes))
    if len(changes) == 1:
        only = _changed(ctx, changes[0], reader)
        heading = translate(NEWS[changes[0].news], reader.language)
        subject = text("{news}: {when}, {title}", news=heading, when=only.when, title=only.title)
    return render(
        "changes",
        subject,
        reader,
        sections=_sections(ctx, changes[:MOST_LINES], reader),
        left_out=max(0, len(changes) - MOST_LINES),
        asked=any(change.news is News.OFFERED for change in changes),
        swap=any(change.news is News.SWAP_ASKED for change in changes),
    )


def _cover_wanted(ctx: Context, message: Claimed, what: About, reader: Reader) -> Letter:
    """A coordinator hears that a teacher cannot come, or that nobody is left to ask."""
    words, asked = _one(ctx, what.lessons[0], reader), message.payload.get("asked")
    subject = text("Cover wanted: {when}, {title}", when=words.when, title=words.title)
    if asked is not None:
        subject = text("Nobody left to ask: {when}, {title}", when=words.when, title=words.title)
    why = _why(what, reader)
    return render("cover_wanted", subject, reader, lesson=words, reason=why, asked=asked)


def _why(what: About, reader: Reader) -> str:
    return excuse_words(what.reason, reader.language)


def _note(message: Claimed, reader: Reader) -> Letter:
    """A coordinator's own words, with her name and the address to answer to."""
    words, name, email = (str(message.payload[each]) for each in ("words", "name", "email"))
    subject = text("A word from {name}, coordinator of Chung Tay", name=name)
    return render("note", subject, reader, lines=words.split("\n"), name=name, email=email)


def thanks(payload: Mapping[str, Any], reader: Reader) -> Letter:
    """Thanks to a teacher, with what they gave and where their certificate is."""
    told = payload["thanks"]
    lessons, language = int(told["lessons"]), reader.language
    subject = text("Thank you for {count} lessons", count=spell(lessons, language))
    if lessons == 1:
        subject = text("Thank you for your lesson")
    return render(
        "thanks",
        subject,
        reader,
        programme=str(told["programme"]),
        first=str(told["first"]),
        last=str(told["last"]),
        lessons=lessons,
        length=paperwork.length(int(told["minutes"]), language),
        classes=int(told["classes"]),
        certificate_url=f"{reader.base_url}/verify/{told['code']}",
        paper_url=f"{reader.base_url}/teacher/lessons",
        name=str(payload["name"]),
        email=str(payload["email"]),
    )


def _sections(ctx: Context, changes: Iterable[Change], reader: Reader) -> tuple[Section, ...]:
    by_news: dict[News, list[Change]] = {news: [] for news in News}
    for change in changes:
        by_news[change.news].append(change)
    return tuple(
        Section(
            heading=translate(NEWS[news], reader.language),
            lessons=tuple(_changed(ctx, each, reader) for each in those),
            moved=news is News.MOVED,
            off=news in (News.GIVEN_AWAY, News.CALLED_OFF),
            by=_by(those),
        )
        for news, those in by_news.items()
        if those
    )


def _by(changes: Iterable[Change]) -> str:
    names = {change.entry.by or change.lesson.cancelled_by for change in changes}
    return names.pop() if len(names) == 1 else ""


def _changed(ctx: Context, change: Change, reader: Reader) -> LessonWords:
    was = change.entry.was
    if was == LONG_AGO:
        was = change.lesson.moved_from
    own = change.entry.side is Side.TEACHER
    offer = change.offer
    words = lesson_words(
        _as_known(change),
        reader.wall,
        ctx.settings.base_url,
        own=own,
        was=was,
        answer_url=links.offer_url(ctx, offer.id, change.lesson.ends_at) if offer else "",
        until=offer.deadline if offer else None,
    )
    if change.news is News.JOINED:
        joins = text("Class {name} takes part as well.", name=change.entry.reason)
        return replace(words, joined=translate(joins, reader.language))
    if change.swap is None or change.instead is None:
        return replace(words, reason=words.reason or change.entry.reason)
    return replace(
        words,
        own=False,  # named with its teacher: who proposed it
        instead=lesson_words(change.instead, reader.wall, ctx.settings.base_url, own=own),
        words=change.swap.words,
        answer_url=links.swap_url(ctx, change.swap, reader.person_id),
    )


def _as_known(change: Change) -> Lesson:
    """The lesson; one that is given away stands where its former teacher knew it to be."""
    lesson, was = change.lesson, change.entry.was
    if change.news is not News.GIVEN_AWAY or was is None or was in (LONG_AGO, lesson.starts_at):
        return lesson
    ends = was + (lesson.ends_at - lesson.starts_at)
    return replace(lesson, starts_at=was, ends_at=ends, half_day=None, period=None)


def _one(ctx: Context, one: OneLesson, reader: Reader, *, ask: bool = False) -> LessonWords:
    own = one.side is Side.TEACHER
    return lesson_words(
        one.lesson,
        reader.wall,
        ctx.settings.base_url,
        own=own,
        answer_url=links.answer_url(ctx, one.lesson, reader.person_id) if ask and own else "",
        confirmed=one.confirmed,
    )


# -- a few words for a lock screen, or for a gateway's template


def short(ctx: Context, message: Claimed, what: About) -> Notice:
    """The same in a few words: what on the first line, when below it."""
    reader = _reader(ctx, message, what)
    title, body, url = _in_short(ctx, message, what, reader)
    title, body = translate(title, reader.language), translate(body, reader.language)
    return Notice(
        title=_cut(title),
        body=body,
        url=url,
        tag=message.key,
        template=message.kind.value,
        parameters={"name": reader.name, "title": title, "body": body, "url": url},
    )


def _in_short(
    ctx: Context, message: Claimed, what: About, reader: Reader
) -> tuple[Text | str, Text | str, str]:
    match message.kind:
        case MessageKind.SIGN_IN:
            until = wording.clock(message.useless_after.astimezone(ZoneInfo(ctx.settings.timezone)))
            body = text("Open it to sign in. It works once, until {time}.", time=until)
            url = str(outbox.opened(ctx, message.payload)["url"])
            return text("Sign in to Chung Tay"), body, url
        case kind if kind in PRIVATE:  # never asked for: these go by mail alone
            return text("A word about your account"), "", reader.base_url
        case MessageKind.NOTE if "thanks" in message.payload:
            return thanks(message.payload, reader).subject, "", reader.page_url
        case MessageKind.NOTE:
            name, words = str(message.payload["name"]), str(message.payload["words"])
            return text("A word from {name}", name=name), words, reader.page_url
        case kind if kind in OF_SESSIONS:
            return joint_letters.in_short(what, reader)
        case MessageKind.CHANGES:
            return _changes_in_short(ctx, what.changes, reader)
        case MessageKind.DIGEST | MessageKind.DAY_BEFORE if len(what.lessons) > 1:
            return _lessons_in_short(ctx, message, what.lessons, reader)
        case _:
            return _lesson_in_short(ctx, message, what, reader)


def _lesson_in_short(
    ctx: Context, message: Claimed, what: About, reader: Reader
) -> tuple[Text | str, Text | str, str]:
    words = _one(ctx, what.lessons[0], reader, ask=message.kind is MessageKind.DAY_BEFORE)
    match message.kind:
        case MessageKind.CALLED_OFF:
            body = text("Called off: {when}. {reason}", when=words.when, reason=words.reason)
            return words.title, body, reader.page_url
        case MessageKind.COVER_WANTED:
            name, why = what.lessons[0].lesson.teacher_name, _why(what, reader)
            body = text("{name} cannot come: {when}. {why}", name=name, when=words.when, why=why)
            if "asked" in message.payload:
                body = text(
                    "Nobody is left to ask: {when}. Please look for a way.", when=words.when
                )
            return words.title, body, reader.page_url
        case MessageKind.SOON:
            return words.title, text("Starting at {time}", time=words.time), words.join_url
        case _:
            return words.title, words.when, words.answer_url or words.join_url


def _lessons_in_short(
    ctx: Context, message: Claimed, lessons: tuple[OneLesson, ...], reader: Reader
) -> tuple[Text | str, Text | str, str]:
    begins, _, zone = rules.day_of(message.payload)
    day = wording.date_short(begins.astimezone(ZoneInfo(zone)), reader.language)
    first = _one(ctx, lessons[0], reader)
    title = text("{day}: {count} lessons", day=day, count=len(lessons))
    if message.kind is MessageKind.DIGEST:
        title = text("Lessons in the week from {day}: {count}", day=day, count=len(lessons))
    body = text("The first: {when}, {title}", when=first.when, title=first.title)
    return title, body, reader.page_url


def _changes_in_short(
    ctx: Context, changes: tuple[Change, ...], reader: Reader
) -> tuple[Text | str, Text | str, str]:
    first = _changed(ctx, changes[0], reader)
    heading = translate(NEWS[changes[0].news], reader.language)
    body = text("{news}: {when}", news=heading, when=first.when)
    if len(changes) == 1:
        return first.title, body, first.answer_url or reader.page_url
    return text("Changes in your timetable: {count}", count=len(changes)), body, reader.page_url


def _cut(title: str) -> str:
    return title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1].rstrip()}…"
