"""What calendars say of lessons: stored facts become sentences in the feed's language."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from scheduler.domain import zones
from scheduler.domain.calendars import (
    Calendar,
    CalendarEntry,
    EntryState,
    FeedKey,
    FeedKind,
    Meeting,
    Owner,
    Showing,
    Shown,
)
from scheduler.domain.joint_sessions import JointSession
from scheduler.domain.lessons import Lesson
from scheduler.domain.zones import ZoneRules
from scheduler.errors import Text, text
from scheduler.locale import Language, translate, wording

KEPT_ENTRIES = 12_000
ENDED = text("This calendar link has been ended. Make a new one on your Chung Tay page.")
FAREWELL_TAKES = timedelta(minutes=30)

_MARKED = {
    EntryState.MOVED: text("[MOVED] {title}"),
    EntryState.CALLED_OFF: text("[CALLED OFF] {title}"),
    EntryState.HANDED_OVER: text("[TAKEN OVER] {title}"),
}
_ABOUT = {
    FeedKind.TEACHER: text("Online lessons that {name} gives"),
    FeedKind.CLASS: text("Online lessons of class {name}"),
    FeedKind.SCHOOL: text("Online lessons at {name}"),
    FeedKind.DONOR_SCHOOL: text("Online lessons by the volunteers of {name}"),
    FeedKind.PROGRAMME: text("The online lessons of {name}, the weeks nearest to today"),
}


@dataclass(frozen=True, slots=True)
class Manner:
    """How one feed speaks of every lesson in it."""

    language: Language
    base_url: str
    uid_domain: str
    show_cancelled: bool
    zoned: bool
    alarms: bool
    takes_time: bool


def manner(key: FeedKey, base_url: str, uid_domain: str) -> Manner:
    """Only a teacher's own calendar takes time; an overview leaves its readers free."""
    return Manner(
        language=Language(key.language),
        base_url=base_url,
        uid_domain=uid_domain,
        show_cancelled=key.show_cancelled,
        zoned=key.zoned,
        alarms=key.alarms,
        takes_time=key.kind is FeedKind.TEACHER,
    )


def manner_of_mail(language: Language, base_url: str, uid_domain: str, *, own: bool) -> Manner:
    """How an invitation speaks; `own`: to the teacher who gives the lessons."""
    return Manner(
        language=language,
        base_url=base_url,
        uid_domain=uid_domain,
        show_cancelled=False,
        zoned=False,
        alarms=False,
        takes_time=own,
    )


def entries(showings: Iterable[Shown], how: Manner) -> tuple[CalendarEntry, ...]:
    """Events with their times in UTC, as a calendar of this manner holds them."""
    return tuple(_any_entry(x, how, zoned=False) for x in showings)


def calendar(owner: Owner, showings: Sequence[Shown], how: Manner) -> Calendar:
    """One feed's calendar, ready to be written; `showings` in order of time."""
    about = Text(_ABOUT[owner.kind].msgid, {"name": owner.name})
    told = _zones(showings) if how.zoned else {}
    return Calendar(
        name=calendar_name(owner),
        description=translate(about, how.language),
        entries=tuple(_any_entry(x, how, x.zone in told) for x in showings),
        zones=tuple(told.values()),
    )


def _any_entry(shown: Shown, how: Manner, zoned: bool) -> CalendarEntry:
    make = _meeting if isinstance(shown, Meeting) else _entry
    return make(shown, how, zoned)


def _zones(showings: Sequence[Shown]) -> dict[str, ZoneRules]:
    """Those of the lessons that yearly rules tell; the others' times are told in UTC."""
    if not showings:
        return {}
    first, last = showings[0].starts_at.year, max(x.ends_at for x in showings).year
    names = sorted({showing.zone for showing in showings})
    found = {name: zones.rules(name, first, last) for name in names}
    return {name: rules for name, rules in found.items() if rules is not None}


def farewell(link_id: int, ended_at: datetime, language: Language, domain: str) -> Calendar:
    """What stands in the place of a calendar whose link has ended."""
    title = translate(text("[ENDED] This calendar link of Chung Tay"), language)
    ended_at = ended_at.replace(microsecond=0)
    entry = CalendarEntry(
        uid=f"link-{link_id}@{domain}",
        summary=title,
        description=translate(ENDED, language),
        join_url=None,
        starts_at=ended_at,
        ends_at=ended_at + FAREWELL_TAKES,
        created_at=ended_at,
        changed_at=ended_at,
        sequence=0,
        cancelled=False,
        busy=False,
    )
    return Calendar(name="Chung Tay", description=title, entries=(entry,))


def calendar_name(owner: Owner) -> str:
    """Whose first: lists of calendars cut the end off."""
    return f"{owner.name} · Chung Tay"


def title(lesson: Lesson, language: Language) -> str:
    """Tiếng Anh 7A · THCS Tô Hiệu · Sáng tiết 2: what helps on a lock screen."""
    plain = _title_without_period(lesson, language)
    if lesson.half_day is None or lesson.period is None:
        return plain
    return f"{plain} · {wording.half_day_period(lesson.half_day, lesson.period, language)}"


def _title_without_period(lesson: Lesson, language: Language) -> str:
    subject = translate(text("English {class_name}", class_name=lesson.class_name), language)
    return f"{subject} · {lesson.school_name}"


# By the whole lesson: whatever changes in it, even unannounced, is said anew.
@lru_cache(maxsize=KEPT_ENTRIES)
def _entry(showing: Showing, how: Manner, zoned: bool) -> CalendarEntry:
    lesson, summary = showing.lesson, _summary(showing, how.language)
    gone = showing.state is EntryState.HANDED_OVER
    join_url = None if gone else f"{how.base_url}/j/{lesson.join_token}"
    return CalendarEntry(
        uid=f"lesson-{lesson.uid}@{how.uid_domain}",
        summary=summary,
        description="\n".join(([join_url] if join_url else []) + _sentences(showing, how.language)),
        join_url=join_url,
        join_label=translate(text("Join the lesson"), how.language),
        starts_at=showing.starts_at,
        ends_at=showing.ends_at,
        created_at=lesson.created_at,
        changed_at=showing.changed_at,
        sequence=showing.sequence,
        cancelled=showing.over and not how.show_cancelled,
        busy=how.takes_time and not showing.over,
        zone=lesson.zone if zoned else None,
        rings=summary if how.alarms and not showing.over else None,
    )


@lru_cache(maxsize=KEPT_ENTRIES)
def _meeting(meeting: Meeting, how: Manner, zoned: bool) -> CalendarEntry:
    """A joint session: everybody who is invited is to come, so it takes their own time."""
    session, summary = meeting.session, session_title(meeting.session, how.language)
    if marked := _MARKED.get(meeting.state):
        summary = translate(Text(marked.msgid, {"title": summary}), how.language)
    join_url = None if meeting.let_go else f"{how.base_url}/j/{session.join_token}"
    said = [translate(fact, how.language) for fact in _session_facts(meeting, how.language)]
    return CalendarEntry(
        uid=f"joint-{session.uid}@{how.uid_domain}",
        summary=summary,
        description="\n".join(([join_url] if join_url else []) + said),
        join_url=join_url,
        join_label=translate(text("Join the session"), how.language),
        starts_at=meeting.starts_at,
        ends_at=meeting.ends_at,
        created_at=session.created_at,
        changed_at=meeting.changed_at,
        sequence=meeting.sequence,
        cancelled=meeting.over and not how.show_cancelled,
        busy=how.takes_time and not meeting.over,
        zone=session.zone if zoned else None,
        rings=summary if how.alarms and not meeting.over else None,
    )


def session_title(session: JointSession, language: Language) -> str:
    """Sinh hoạt chuyên môn: Dạy ngữ âm qua trò chơi."""
    return translate(text("Joint session: {title}", title=session.title), language)


def _session_facts(meeting: Meeting, language: Language) -> Iterable[Text]:
    session = meeting.session
    if meeting.let_go:
        yield text("You are not expected at this session any more. Thank you!")
    elif meeting.state is EntryState.CALLED_OFF:
        yield from _calling_off(session, language)
    elif session.moved_from is not None:
        start = session.moved_from.astimezone(ZoneInfo(session.zone))
        yield text("Moved from {when}.", when=wording.moment(start, language))
    yield text(
        "A meeting of the teachers of {donor} and {receiver}",
        donor=session.donor_unit,
        receiver=session.receiving_unit,
    )


def _summary(showing: Showing, language: Language) -> str:
    plain = title(showing.lesson, language)
    if showing.state is EntryState.HANDED_OVER:  # its period may be another by now
        plain = _title_without_period(showing.lesson, language)
    marked = _MARKED.get(showing.state)
    return translate(Text(marked.msgid, {"title": plain}), language) if marked else plain


def _sentences(showing: Showing, language: Language) -> list[str]:
    return [translate(sentence, language) for sentence in _facts(showing, language)]


def _facts(showing: Showing, language: Language) -> Iterable[Text]:
    lesson = showing.lesson
    if showing.state is EntryState.HANDED_OVER:
        yield text("Another teacher gives this lesson now. Thank you!")
        return
    if showing.state is EntryState.CALLED_OFF:
        yield from _calling_off(lesson, language)
    elif lesson.moved_from is not None:
        start = lesson.moved_from.astimezone(ZoneInfo(lesson.zone))
        moved_from = wording.moment(start, language)
        yield text("Moved from {when}.", when=moved_from)
    yield text("Teacher: {name} ({school})", name=lesson.teacher_name, school=lesson.donor_school)
    yield text(
        "Class {class_name}, {school} ({district})",
        class_name=lesson.class_name,
        school=lesson.school_name,
        district=lesson.school_district,
    )


def _calling_off(lesson: Lesson | JointSession, language: Language) -> Iterable[Text]:
    at = lesson.changed_at.astimezone(ZoneInfo(lesson.zone))
    when = wording.moment(at, language)
    if lesson.cancelled_by:
        yield text("Called off by {by} on {when}.", by=lesson.cancelled_by, when=when)
    else:
        yield text("Called off on {when}.", when=when)
    if lesson.cancel_reason:
        yield text("Reason: {reason}", reason=lesson.cancel_reason)
