"""How commands tell of lessons: in the configured language, by the clock of the lesson's place."""

from datetime import datetime
from zoneinfo import ZoneInfo

from scheduler import config
from scheduler.domain.lessons import Lesson
from scheduler.errors import Text
from scheduler.locale import Language, translate, wording


def language() -> Language:
    """What the operator reads."""
    return Language(config.load().locale)


def say(words: Text) -> str:
    return translate(words, language())


def moment(at: datetime, zone: str) -> str:
    """Mon 09/10 · 08:10"""
    return wording.moment(at.astimezone(ZoneInfo(zone)), language())


def span(start: datetime, end: datetime, zone: str) -> str:
    """Mon 09/10 · 08:10–08:55"""
    return wording.when(
        start.astimezone(ZoneInfo(zone)), end.astimezone(ZoneInfo(zone)), language()
    )


def lesson(found: Lesson) -> str:
    """When it is, of whom, by whom, on one line that begins with its number."""
    when = span(found.starts_at, found.ends_at, found.zone)
    return f"{found.id:6}  {when}  {found.class_name} {found.school_name}, {found.teacher_name}"
