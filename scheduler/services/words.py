"""A lesson in the words of its reader: on their own wall first, on the programme's beside it."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from scheduler.domain import answers
from scheduler.domain.access import Role
from scheduler.domain.answers import Reason
from scheduler.domain.candidates import Obstacle
from scheduler.domain.lessons import Cause, Deed, Lesson, LessonState
from scheduler.domain.news import News
from scheduler.domain.people import Level
from scheduler.domain.reports import Report
from scheduler.errors import Text, text
from scheduler.locale import Language, translate, wording
from scheduler.services import calendars

_COUNTRIES = {"Asia/Ho_Chi_Minh": text("Vietnam"), "Asia/Saigon": text("Vietnam")}


@dataclass(frozen=True, slots=True)
class LessonWords:
    """A lesson as a message prints it; `before` is the time it moved from, `answer_url` where its
    teacher, or who is asked to stand in, says whether they come, empty where that is not asked;
    `until`: when an answer counts no more.  `instead`: the lesson that is swapped for it, with the
    `words` of whoever proposed it.  `joined`: which other class takes part."""

    title: str
    class_name: str
    district: str
    when: str
    time: str
    before: str
    teacher: str
    reason: str
    by: str
    join_url: str
    answer_url: str
    until: str
    confirmed: bool
    to_be_covered: bool
    own: bool
    instead: "LessonWords | None" = None
    words: str = ""
    joined: str = ""


@dataclass(frozen=True, slots=True)
class Wall:
    """Where a reader looks at the clock, and the language they speak.  `zone` None: the
    lessons' own."""

    language: Language
    zone: str | None

    def when(self, start: datetime, end: datetime, programme: str) -> str:
        """Thứ Tư 04/10 · 07:30–08:15, for a reader abroad both walls, weekdays and all."""
        home = wording.when(*_both(start, end, programme), self.language)
        if self._at_home(start, programme):
            return home
        abroad = self.zone or programme
        own = wording.when(*_both(start, end, abroad), self.language)
        return f"{self._there(own, abroad)} ({self._there(home, programme)})"

    def time(self, at: datetime, programme: str) -> str:
        """07:30; for a reader abroad with the place."""
        if self._at_home(at, programme):
            return wording.clock(at.astimezone(ZoneInfo(programme)))
        abroad = self.zone or programme
        return self._there(wording.clock(at.astimezone(ZoneInfo(abroad))), abroad)

    def moment(self, at: datetime, programme: str) -> str:
        """Thứ Tư 04/10 · 07:30; for a reader abroad with the place."""
        zone = programme if self._at_home(at, programme) else self.zone or programme
        words = wording.moment(at.astimezone(ZoneInfo(zone)), self.language)
        return words if zone == programme else self._there(words, zone)

    def day(self, at: datetime, programme: str) -> str:
        """Thứ Tư 04/10, as the reader's own wall shows it."""
        return wording.date_short(at.astimezone(ZoneInfo(self.zone or programme)), self.language)

    def _at_home(self, at: datetime, programme: str) -> bool:
        own = ZoneInfo(self.zone or programme)
        return at.astimezone(own).utcoffset() == at.astimezone(ZoneInfo(programme)).utcoffset()

    def _there(self, words: str, zone: str) -> str:
        place = text("{when} {place} time", when=words, place=place_of(zone, self.language))
        return translate(place, self.language)


def place_of(zone: str, language: Language) -> str:
    """Việt Nam, Berlin, New York: what people call a zone."""
    if zone in _COUNTRIES:
        return translate(_COUNTRIES[zone], language)
    return zone.rpartition("/")[2].replace("_", " ")


def excuse_words(stored: str, language: Language) -> str:
    """Why a teacher cannot come: ốm · đi công tác."""
    found = answers.excuse(stored)
    return found.words or translate(REASONS[found.reason], language)


ROLES = {
    Role.TEACHER: text("volunteer teacher"),
    Role.SCHOOL: text("contact person of a receiving school"),
    Role.DONOR_HEAD: text("head of a donor school"),
    Role.COORDINATOR: text("coordinator"),
    Role.ADMIN: text("administrator"),
}
NEWS = {
    News.OFFERED: text("Can you stand in?"),
    News.SWAP_ASKED: text("Would you swap?"),
    News.NEW: text("New"),
    News.MOVED: text("Moved"),
    News.OTHER_TEACHER: text("With another teacher"),
    News.JOINED: text("Another class joins"),
    News.GIVEN_AWAY: text("No longer yours"),
    News.CALLED_OFF: text("Called off"),
    News.SWAP_FAILED: text("Your swap did not come about"),
    News.THANKED: text("Thank you!"),
}
STATES = {
    LessonState.SCHEDULED: text("Scheduled"),
    LessonState.COVER: text("Needs cover"),
    LessonState.CANCELLED: text("Called off"),
    LessonState.HELD: text("Held"),
    LessonState.NOT_HELD: text("Not held"),
    LessonState.DISPUTED: text("Both sides differ"),
}
DEEDS = {
    Deed.KEPT: text("its history begins"),
    Deed.PUBLISHED: text("published"),
    Deed.UNDONE: text("a publication was undone"),
    Deed.CALLED_OFF: text("called off"),
    Deed.RESTORED: text("takes place after all"),
    Deed.COVER_ASKED: text("its teacher cannot come"),
    Deed.COVER_WITHDRAWN: text("no cover is looked for any more"),
    Deed.TAKEN_OVER: text("somebody else took it over"),
    Deed.SWAPPED: text("swapped"),
    Deed.MOVED: text("moved"),
    Deed.MERGED: text("joined with another class"),
    Deed.REPORTED: text("reported by both sides"),
    Deed.SETTLED: text("settled by a coordinator"),
}
CAUSES = {
    Cause.TEACHER: text("The teacher could not come"),
    Cause.CLASS: text("The class did not come"),
    Cause.CONNECTION: text("The internet failed"),
    Cause.POWER: text("The power failed"),
    Cause.SCHOOL_EVENT: text("Something at the school: exam, event, storm"),
    Cause.PLATFORM: text("The online room did not work"),
}
LEVELS = {
    Level.PRIMARY: text("Primary school"),
    Level.LOWER_SECONDARY: text("Lower secondary school"),
    Level.UPPER_SECONDARY: text("Upper secondary school"),
}
REASONS = {
    Reason.SICK: text("I am ill"),
    Reason.SCHOOL: text("Duty at my own school"),
    Reason.TECHNICAL: text("Computer, power or internet"),
    Reason.OTHER: text("Something else"),
}


def report_words(said: Report) -> Text:
    """What one side says of a lesson, on one line."""
    if said.cause is not None:
        return text("Not held: {cause}", cause=CAUSES[said.cause])
    if said.minutes_late:
        return text("Held, begun {minutes} min late", minutes=said.minutes_late)
    return text("Held")


_OBSTACLES = {
    Obstacle.NOT_QUALIFIED: text("not for this school level"),
    Obstacle.NOT_AVAILABLE: text("not among the free times"),
    Obstacle.AWAY: text("away on that day"),
    Obstacle.BUSY: text("busy then, by the calendar"),
    Obstacle.TERM_LIMIT: text("all lessons of the term are given away"),
    Obstacle.WEEK_LIMIT: text("no more lessons that week"),
    Obstacle.DAY_LIMIT: text("no more lessons that day"),
    Obstacle.TEACHING: text("another lesson then, or too close to it"),
}


def obstacle_words(obstacle: Obstacle) -> Text:
    """What keeps a teacher from a lesson."""
    return _OBSTACLES[obstacle]


def lesson_words(
    lesson: Lesson,
    wall: Wall,
    base_url: str,
    *,
    own: bool,
    was: datetime | None = None,
    answer_url: str = "",
    until: datetime | None = None,
    confirmed: bool = False,
) -> LessonWords:
    return LessonWords(
        title=calendars.title(lesson, wall.language),
        class_name=lesson.class_name,
        district=lesson.school_district,
        when=wall.when(lesson.starts_at, lesson.ends_at, lesson.zone),
        time=wall.time(lesson.starts_at, lesson.zone),
        before=wall.moment(was, lesson.zone) if was else "",
        teacher=f"{lesson.teacher_name} ({lesson.donor_school})",
        reason=lesson.cancel_reason,
        by=lesson.cancelled_by,
        join_url=f"{base_url}/j/{lesson.join_token}",
        answer_url=answer_url,
        until=wall.moment(until, lesson.zone) if until else "",
        confirmed=confirmed,
        to_be_covered=lesson.state is LessonState.COVER,
        own=own,
    )


def _both(start: datetime, end: datetime, zone: str) -> tuple[datetime, datetime]:
    there = ZoneInfo(zone)
    return start.astimezone(there), end.astimezone(there)
