"""A teacher's week as the page of hours shows it, and as its form spells it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from scheduler.domain.intervals import clock_text, minute_of
from scheduler.domain.people import HalfDay
from scheduler.domain.weeks import WEEKDAYS, Choice, Ease, Half, Place, Span
from scheduler.services.availability import Desk
from scheduler.web.view import local

MONDAY = date(2024, 1, 1)  # any Monday: weekdays take their names from it
_LETTERS = {ease.value[0]: ease for ease in Ease}


@dataclass(frozen=True, slots=True)
class PeriodShown:
    name: str
    number: int
    clock: str
    ease: str
    keeps: bool


@dataclass(frozen=True, slots=True)
class HalfShown:
    """`keeps`: what is stored fits no choice, and can stay; `held`: the times that are stored;
    `lessons`: class and time of the teacher's own."""

    name: str
    half_day: str
    clock: str
    ease: str
    keeps: bool
    held: str
    periods: tuple[PeriodShown, ...]
    lessons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DayShown:
    """`n`: 2 for Monday to 8 for Sunday, as people here count; `some`: some of it is free."""

    n: int
    day: date
    some: bool
    halves: tuple[HalfShown, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A half-day that is stored otherwise by now."""

    day: date
    half_day: str
    ease: str


def name_of(weekday: int, half_day: HalfDay) -> str:
    return f"{weekday}{half_day.value[0]}"


def ease(typed: str) -> Ease:
    """What is not said stays as it is."""
    return next((each for each in Ease if each.value == typed), Ease.KEEP)


# -- showing


def days(desk: Desk, chosen: Mapping[Place, Choice]) -> tuple[DayShown, ...]:
    """The week as it is stored, with what was chosen in its place."""
    own = _own(desk)
    return tuple(
        DayShown(
            n=weekday + 2,
            day=MONDAY + timedelta(days=weekday),
            some=any(desk.week[weekday, x.half_day].ease is not Ease.NO for x in desk.halves),
            halves=tuple(
                _half(half, weekday, desk.week[weekday, half.half_day],
                      chosen.get((weekday, half.half_day)), own)
                for half in desk.halves
            ),
        )
        for weekday in WEEKDAYS
    )  # fmt: skip


def _half(
    half: Half,
    weekday: int,
    kept: Choice,
    chosen: Choice | None,
    own: Mapping[Place, Sequence[str]],
) -> HalfShown:
    name, now = name_of(weekday, half.half_day), chosen or kept
    periods = tuple(
        PeriodShown(
            name=f"{name}{cell.number}",
            number=cell.number,
            clock=_clock(cell.span),
            ease=(chosen.periods[n] if chosen and chosen.ease is Ease.EACH else kept.periods[n])
            .value,
            keeps=kept.periods[n] is Ease.KEEP,
        )
        for n, cell in enumerate(half.cells)
    )  # fmt: skip
    return HalfShown(
        name=name,
        half_day=half.half_day.value,
        clock=_clock(half.span),
        ease=now.ease.value,
        keeps=kept.ease is Ease.KEEP,
        held=", ".join(map(_clock, kept.held)),
        periods=periods,
        lessons=tuple(own.get((weekday, half.half_day), ())),
    )


def _own(desk: Desk) -> dict[Place, list[str]]:
    """The teacher's weekly lessons, each where its time lies."""
    found: dict[Place, dict[str, None]] = {}
    for lesson in desk.lessons:
        start = local(lesson.starts_at, lesson.zone)
        _, _, here = min((_off(half, start), n, half) for n, half in enumerate(desk.halves))
        place = start.weekday(), here.half_day
        found.setdefault(place, {})[f"{lesson.class_name} {start:%H:%M}"] = None
    return {place: list(lessons) for place, lessons in found.items()}


def _off(half: Half, at: datetime) -> int:
    """How far a time lies from a half-day."""
    minute = minute_of(at)
    return max(half.start - minute, minute - half.end, 0)


def _clock(span: Span) -> str:
    return "–".join(map(clock_text, span))


# -- what the page showed, in a field of its form


def spelled(halves: Sequence[Half], week: Mapping[Place, Choice]) -> str:
    """One letter for each half-day and period."""
    shown = ((week[day, half.half_day], half) for day in WEEKDAYS for half in halves)
    return ".".join("".join(_letters(choice)) for choice, _ in shown)


def _letters(choice: Choice) -> Iterable[str]:
    return (each.value[0] for each in (choice.ease, *choice.periods))


def _read(was: str, halves: Sequence[Half]) -> dict[Place, Choice]:
    places = [(day, half.half_day) for day in WEEKDAYS for half in halves]
    parts = was.split(".")
    if len(parts) != len(places) or not all(parts) or not set(was) <= {*_LETTERS, "."}:
        return {}
    return {
        place: Choice(_LETTERS[part[0]], tuple(_LETTERS[letter] for letter in part[1:]))
        for place, part in zip(places, parts, strict=True)
    }


def changed(was: str, halves: Sequence[Half], week: Mapping[Place, Choice]) -> tuple[Told, ...]:
    """The half-days that are stored otherwise than the page showed them."""
    return tuple(
        Told(MONDAY + timedelta(days=place[0]), place[1].value, week[place].ease.value)
        for place, before in _read(was, halves).items()
        if (before.ease, before.periods) != (week[place].ease, week[place].periods)
    )


def touched(
    was: str, halves: Sequence[Half], chosen: Mapping[Place, Choice]
) -> dict[Place, Choice]:
    """What a person chose otherwise than the page showed it."""
    before = _read(was, halves)
    return {
        place: choice
        for place, choice in chosen.items()
        if place not in before
        or choice.ease is not before[place].ease
        or (choice.ease is Ease.EACH and choice.periods != before[place].periods)
    }
