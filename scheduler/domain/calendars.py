"""Calendar feeds: which there are, what each holds, and for how long.  Pure: no clock, no database.

A feed is a function of stored facts and of the week, so that its bytes rest between changes.  Weeks
begin on Monday 00:00 UTC for every feed.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from scheduler.domain.access import TABLE, Action, Grant, Role
from scheduler.domain.intervals import Interval, monday
from scheduler.domain.joint_sessions import Attendee, JointSession
from scheduler.domain.lessons import Handover, Lesson, LessonState
from scheduler.domain.people import DonorSchoolId, SchoolId, TeacherId
from scheduler.domain.terms import ProgrammeId
from scheduler.domain.zones import ZoneRules

PAST = timedelta(days=60)
FUTURE = timedelta(days=365)
KEPT_AFTER_CANCELLING = timedelta(days=30)
MOVE_IS_NEWS = timedelta(days=14)
GONE_FOR = timedelta(days=30)
LONGEST_NAME = 100
# Google drops events silently from about 1,000, or 1 MB, on.
MOST_ENTRIES = 1000
MOST_BYTES = 900_000
_WEEK = timedelta(days=7)


class FeedKind(StrEnum):
    TEACHER = "teacher"
    CLASS = "class"
    SCHOOL = "school"
    DONOR_SCHOOL = "donor_school"
    PROGRAMME = "programme"


@dataclass(frozen=True, slots=True)
class FeedKey:
    """What makes one stored body: several links may read the same.

    `show_cancelled` keeps called-off lessons in sight where a client drops them; `zoned` writes
    times by the zone's own clock, not in UTC; `alarms` has the device ring.
    """

    kind: FeedKind
    owner_id: int
    language: str
    show_cancelled: bool = False
    zoned: bool = False
    alarms: bool = False


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose lessons a feed holds.

    `teacher_ids` are the teacher, or all of a donor school; `school_id` is the receiving school,
    also that of a class.
    """

    kind: FeedKind
    id: int
    name: str
    programme_id: ProgrammeId
    teacher_ids: frozenset[TeacherId] = frozenset()
    school_id: SchoolId | None = None
    donor_school_id: DonorSchoolId | None = None

    def has(self, lesson: Lesson) -> bool:
        """True when the lesson, one of the same programme, belongs in this feed."""
        match self.kind:
            case FeedKind.TEACHER | FeedKind.DONOR_SCHOOL:
                return lesson.teacher_id in self.teacher_ids
            case FeedKind.CLASS:
                return lesson.class_id == self.id
            case FeedKind.SCHOOL:
                return lesson.school_id == self.id
            case FeedKind.PROGRAMME:
                return True

    def seats(self, attendees: Iterable[Attendee]) -> bool | None:
        """Whether somebody of this feed is among those invited to a session of its programme.

        None: nobody of it ever was; False: somebody was, and is no more.
        """
        match self.kind:
            case FeedKind.PROGRAMME:
                return True
            case FeedKind.CLASS:
                return None
            case FeedKind.SCHOOL:
                found = [x.invited for x in attendees if x.school_id == self.id]
            case FeedKind.TEACHER | FeedKind.DONOR_SCHOOL:
                found = [x.invited for x in attendees if x.teacher_id in self.teacher_ids]
        return any(found) if found else None

    def opens_to(self, grant: Grant) -> bool:
        """True when whoever holds this role may subscribe to this feed."""
        if grant.programme_id != self.programme_id or Action.SUBSCRIBE not in TABLE[grant.role]:
            return False
        match grant.role:
            case Role.COORDINATOR | Role.ADMIN:
                return True
            case Role.TEACHER:
                return grant.teacher_id in self.teacher_ids
            case Role.SCHOOL:
                return grant.school_id == self.school_id
            case Role.DONOR_HEAD:
                return grant.donor_school_id == self.donor_school_id


@dataclass(frozen=True, slots=True)
class FeedLink:
    """One person's secret address of a feed, for one device; the secret itself is not kept."""

    id: int
    key: FeedKey
    name: str
    created_at: datetime
    last_read_at: datetime | None
    reads: int
    client: str


class EntryState(StrEnum):
    PLANNED = "planned"
    MOVED = "moved"
    CALLED_OFF = "called_off"
    HANDED_OVER = "handed_over"


@dataclass(frozen=True, slots=True)
class Showing:
    """A lesson as the readers of one feed shall see it; times and counters are those to print.

    `sequence` is twice the lesson's own, which leaves a number for what time alone changes.
    """

    lesson: Lesson
    state: EntryState
    starts_at: datetime
    ends_at: datetime
    sequence: int
    changed_at: datetime

    @property
    def over(self) -> bool:
        """True when it takes no time of anybody any more."""
        return self.state in (EntryState.CALLED_OFF, EntryState.HANDED_OVER)

    @property
    def zone(self) -> str:
        return self.lesson.zone

    @property
    def uid(self) -> str:
        return self.lesson.uid


@dataclass(frozen=True, slots=True)
class Meeting:
    """A joint session as the readers of one feed shall see it; counters as in `Showing`.

    `let_go`: it takes place, and nobody of the feed is invited any more.
    """

    session: JointSession
    state: EntryState
    sequence: int
    changed_at: datetime
    let_go: bool

    @property
    def starts_at(self) -> datetime:
        return self.session.starts_at

    @property
    def ends_at(self) -> datetime:
        return self.session.ends_at

    @property
    def over(self) -> bool:
        return self.state is EntryState.CALLED_OFF

    @property
    def zone(self) -> str:
        return self.session.zone

    @property
    def uid(self) -> str:
        return self.session.uid


Shown = Showing | Meeting
Seats = tuple[tuple[JointSession, tuple[Attendee, ...]], ...]
"""Joint sessions of a programme, each with whom it invites."""


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """All that one event of a calendar says, in words ready to read.

    Instants are in UTC; with a `zone` its clock tells start and end.  `rings` is what a device says
    when it rings before the event, None for no ringing.
    """

    uid: str
    summary: str
    description: str
    join_url: str | None
    starts_at: datetime
    ends_at: datetime
    created_at: datetime
    changed_at: datetime
    sequence: int
    cancelled: bool
    busy: bool
    join_label: str = ""
    zone: str | None = None
    rings: str | None = None


@dataclass(frozen=True, slots=True)
class Calendar:
    """`zones` are those whose clocks tell the times of its entries."""

    name: str
    description: str
    entries: tuple[CalendarEntry, ...]
    zones: tuple[ZoneRules, ...] = ()


def week_of(now: datetime) -> date:
    """The Monday that names the week of `now`."""
    return monday(now.astimezone(UTC).date())


def window(week: date) -> Interval:
    """What a feed reaches: at least 60 days back and 365 ahead; it moves by whole weeks."""
    begins = _instant(week)
    return Interval(begins - PAST, begins + _WEEK + FUTURE)


def showings(
    owner: Owner,
    lessons: Iterable[Lesson],
    handovers: Iterable[Handover],
    week: date,
    sessions: Seats = (),
) -> tuple[Shown, ...]:
    """The lines of a feed in order of time, each lesson and joint session once.

    A lesson that came back to its teacher shows as a lesson, not as handed over.
    """
    reach, kept_from = window(week), _instant(week) - KEPT_AFTER_CANCELLING
    found = {x.id: of_lesson(x, week) for x in lessons if owner.has(x)}
    for handover in handovers:
        found.setdefault(handover.lesson.id, of_handover(handover))
    every: list[Shown] = [*found.values(), *_meetings(owner, sessions, week)]
    shown = (
        x
        for x in every
        if x.ends_at > (kept_from if x.over else reach.start) and x.starts_at < reach.end
    )
    return nearest(sorted(shown, key=lambda x: (x.starts_at, x.uid)), week)


def _meetings(owner: Owner, sessions: Seats, week: date) -> Iterable[Meeting]:
    for session, attendees in sessions:
        invited = owner.seats(attendees)
        if invited is not None:
            yield of_session(session, week, let_go=not invited)


def nearest(found: Sequence[Shown], week: date, most: int = MOST_ENTRIES) -> tuple[Shown, ...]:
    """The whole weeks nearest ahead, then the nearest behind, as far as every client reads them.

    One that is too long loses events silently, and nobody chooses which.
    """
    if len(found) <= most:
        return tuple(found)
    weeks: dict[date, list[Shown]] = {}
    for showing in found:
        weeks.setdefault(week_of(showing.starts_at), []).append(showing)
    ahead = sorted(monday for monday in weeks if monday >= week)
    behind = sorted((monday for monday in weeks if monday < week), reverse=True)
    kept: list[Shown] = []
    for each in (*ahead, *behind):
        if kept and len(kept) + len(weeks[each]) > most:
            break
        kept += weeks[each]
    return tuple(sorted(kept[:most], key=lambda x: (x.starts_at, x.uid)))


def of_lesson(lesson: Lesson, week: date) -> Showing:
    """What the calendars of those who have the lesson show in that week."""
    state, sequence, changed_at = _standing(lesson, week)
    return Showing(lesson, state, lesson.starts_at, lesson.ends_at, sequence, changed_at)


def of_session(session: JointSession, week: date, *, let_go: bool = False) -> Meeting:
    """What the calendars of those who are invited, or were, show in that week."""
    state, sequence, changed_at = _standing(session, week)
    return Meeting(
        session, EntryState.CALLED_OFF if let_go else state, sequence, changed_at,
        let_go and not session.off,
    )  # fmt: skip


def _standing(event: Lesson | JointSession, week: date) -> tuple[EntryState, int, datetime]:
    """Its state in that week, and its counters."""
    state, changed_at, sequence = EntryState.PLANNED, event.changed_at, 2 * event.sequence
    if event.state is LessonState.CANCELLED:
        state = EntryState.CALLED_OFF
    elif event.moved_from is not None:
        old_from = _old_news_from(event.changed_at)
        if _instant(week) < old_from:
            state = EntryState.MOVED
        else:  # a calendar that compares times or counters must see that the mark went
            changed_at, sequence = old_from, sequence + 1
    return state, sequence, changed_at


def of_handover(handover: Handover) -> Showing:
    """What a former teacher's calendar shows, at the time that was known there.

    The counters rise with what the lesson's names do.
    """
    lesson = handover.lesson
    return Showing(
        lesson,
        EntryState.HANDED_OVER,
        handover.starts_at,
        handover.ends_at,
        2 * max(handover.sequence, lesson.sequence),
        max(handover.changed_at, lesson.changed_at),
    )


def _old_news_from(changed_at: datetime) -> datetime:
    """The first week to begin 14 days after a move, or later: there its mark goes."""
    until = changed_at + MOVE_IS_NEWS
    begins = _instant(week_of(until))
    return begins if begins == until else begins + _WEEK


def _instant(week: date) -> datetime:
    return datetime.combine(week, time(), UTC)


def slug(name: str) -> str:
    """An ASCII file name: "Cô Lê Thị Đào" becomes "co-le-thi-dao"."""
    plain = unicodedata.normalize("NFD", name.lower().replace("đ", "d"))
    letters = plain.encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:60] or "lich"


_CLIENTS = (
    ("google", "Google"),
    ("microsoft", "Outlook"),
    ("outlook", "Outlook"),
    ("icsx5", "ICSx5"),
    ("davx5", "ICSx5"),
    ("thunderbird", "Thunderbird"),
    ("nextcloud", "Nextcloud"),
    ("homeassistant", "Home Assistant"),
    ("home assistant", "Home Assistant"),
    ("dataaccessd", "Apple"),
    ("calendaragent", "Apple"),
    ("ios/", "Apple"),
    ("macos/", "Apple"),
    ("mac+os", "Apple"),
    ("mozilla", "Browser"),
)


def client_of(user_agent: str) -> str:
    """The family of a calendar client by the name it gives itself; empty when unknown."""
    said = user_agent.lower()
    return next((family for sign, family in _CLIENTS if sign in said), "")
