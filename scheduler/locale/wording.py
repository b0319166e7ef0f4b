"""How we write days, times and numbers: one place for what every page, mail and feed says."""

from datetime import date, datetime, time, timedelta
from functools import cache

from scheduler.errors import Text, text
from scheduler.locale import Language, spell, translate, translations

_WEEKDAYS = {
    Language.VI: ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ Nhật"),
    Language.EN: ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_HALF_DAYS = {
    "morning": text("Morning"),
    "afternoon": text("Afternoon"),
    "evening": text("Evening"),
}
_PERIODS = {
    "morning": text("Morning period {number}"),
    "afternoon": text("Afternoon period {number}"),
    "evening": text("Evening period {number}"),
}
_NO_BREAK = "\N{NO-BREAK SPACE}"


def weekday(day: date, language: Language) -> str:
    """Thứ Hai · Mon"""
    name = weekday_long(day, language)
    return name if language == Language.VI else name[:3]


def weekday_long(day: date, language: Language) -> str:
    """Thứ Hai · Monday"""
    return _WEEKDAYS[language][day.weekday()]


def weekday_letters(day: date, language: Language) -> str:
    """T2 · Mon: where a phone shows seven days in a row."""
    if language != Language.VI:
        return weekday(day, language)
    return "CN" if day.weekday() == 6 else f"T{day.weekday() + 2}"


def date_short(day: date, language: Language) -> str:
    """Thứ Hai 02/10 · Mon 02/10"""
    return f"{weekday(day, language)} {day:%d/%m}"


def date_long(day: date, language: Language) -> str:
    """Thứ Hai 02/10/2023 · Mon 02/10/2023"""
    return f"{weekday(day, language)} {day:%d/%m/%Y}"


def clock(moment: datetime | time) -> str:
    """07:55, of a moment already in the reader's zone."""
    return f"{moment:%H:%M}"


def span(start: datetime | time, end: datetime | time) -> str:
    """07:55–08:30, of moments already in the reader's zone."""
    return f"{clock(start)}–{clock(end)}"


def moment(at: datetime, language: Language) -> str:
    """Thứ Hai 02/10 · 07:55, of a moment already in the reader's zone."""
    return f"{date_short(at, language)} · {clock(at)}"


def when(start: datetime, end: datetime, language: Language) -> str:
    """Thứ Hai 02/10 · 07:55–08:30, of moments already in the reader's zone."""
    return f"{date_short(start, language)} · {span(start, end)}"


def number(n: float, language: Language) -> str:
    """2.025 · 2,025; at most two decimals."""
    return spell(n, language)


def percent(x: float, language: Language) -> str:
    """18,8 % · 18.8%, of the fraction 0.188; at most one decimal, no line break before the sign."""
    figure = spell(round(x * 100, 1), language)
    return f"{figure}{_NO_BREAK}%" if language == Language.VI else f"{figure}%"


def relative(delta: timedelta, language: Language) -> str:
    """còn 56 phút · in 56 minutes; for what has passed, 56 phút trước · 56 minutes ago.

    Shown beside a time, never in its place: hours lose their minutes from 12 hours on, and
    days their hours from two days on.
    """
    minutes = abs(delta) // timedelta(minutes=1)
    if minutes == 0:
        return translate(text("now"), language)
    long = _length(minutes, language)
    if delta > timedelta(0):
        return translate(text("in {length}", length=long), language)
    return translate(text("{length} ago", length=long), language)


def _length(minutes: int, language: Language) -> str:
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        return _count(hours // 24, "day", language)
    if hours >= 12 or (hours and not rest):
        return _count(hours, "hour", language)
    if hours:
        return f"{_count(hours, 'hour', language)} {_count(rest, 'minute', language)}"
    return _count(rest, "minute", language)


def _count(n: int, unit: str, language: Language) -> str:
    ngettext = translations(language).ngettext
    sentence = {
        "minute": ngettext("{n} minute", "{n} minutes", n),
        "hour": ngettext("{n} hour", "{n} hours", n),
        "day": ngettext("{n} day", "{n} days", n),
    }[unit]
    return sentence.format(n=spell(n, language))


def half_day(name: str, language: Language) -> str:
    """Sáng · Morning, for "morning", "afternoon" or "evening"."""
    return translate(_HALF_DAYS[name], language)


def half_day_of(half_day: str, day: date, language: Language) -> str:
    """chiều Thứ Hai · Monday afternoon"""
    half = translate(_HALF_DAYS[half_day], language).lower()
    return translate(
        text("{weekday} {half_day}", weekday=weekday_long(day, language), half_day=half), language
    )


@cache
def half_day_period(half_day: str, number: int, language: Language) -> str:
    """Sáng tiết 2 · Morning period 2"""
    return translate(Text(_PERIODS[half_day].msgid, {"number": number}), language)


@cache
def half_day_letter(half_day: str, number: int, language: Language) -> str:
    """S2 · M2: where a lesson is one line."""
    return f"{translate(_HALF_DAYS[half_day], language)[0]}{number}"
