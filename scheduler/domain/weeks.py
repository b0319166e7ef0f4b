"""A teacher's week as named half-days and periods, and back to windows without loss.  Pure.

The programme's common periods come from the bell times of all its schools.  What a teacher leaves
as it is stays to the minute, also where it fits no period: such a place can be kept as it is.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar

from scheduler.domain.availability import Window
from scheduler.domain.intervals import DaySpan
from scheduler.domain.people import BellPeriod, HalfDay

WEEKDAYS = range(7)
SLIVER = 30  # minutes; no lesson fits into less
EVENING = (19 * 60, 21 * 60)  # where no school has evening periods
_HALVES = tuple(HalfDay)
_DAY = timedelta(days=1)

Span = tuple[int, int]  # minutes since midnight; the end is not part of it
Place = tuple[int, HalfDay]  # weekday 0 = Monday
_Name = TypeVar("_Name")


class Ease(StrEnum):
    """How far a teacher is free.  EACH: period by period; KEEP: as it is stored."""

    YES = "yes"
    MAYBE = "maybe"
    NO = "no"
    EACH = "each"
    KEEP = "keep"


PLAIN = (Ease.YES, Ease.MAYBE, Ease.NO)


@dataclass(frozen=True, slots=True)
class Cell:
    """A common period; no two of a day share a minute."""

    number: int
    start: int
    end: int

    @property
    def span(self) -> Span:
        return self.start, self.end


@dataclass(frozen=True, slots=True)
class Half:
    """A half-day with its common periods, in order of time; none: it is chosen as a whole."""

    half_day: HalfDay
    start: int
    end: int
    cells: tuple[Cell, ...] = ()

    @property
    def span(self) -> Span:
        return self.start, self.end


@dataclass(frozen=True, slots=True)
class Choice:
    """What holds in one half-day; `periods`: each of its cells, in order, also where it is chosen
    as a whole.  `held`: the stored times that reach into it."""

    ease: Ease
    periods: tuple[Ease, ...] = ()
    held: tuple[Span, ...] = ()


Week = Mapping[Place, Choice]


# -- the common periods


def frame(bells: Iterable[BellPeriod]) -> tuple[Half, ...]:
    """The half-days of a programme: from the least start to the greatest end of each period.

    Where the bells of two schools lie so far apart that two periods overlap, the common minutes
    are shared out, half to each.
    """
    hulls: dict[HalfDay, dict[int, Span]] = defaultdict(dict)
    for bell in bells:
        start, end = hulls[bell.half_day].get(bell.number, (bell.start, bell.end))
        hulls[bell.half_day][bell.number] = min(start, bell.start), max(end, bell.end)
    days = {half: (min(s for s, _ in x.values()), max(e for _, e in x.values()))
            for half, x in hulls.items()}  # fmt: skip
    if HalfDay.EVENING not in days:
        days[HalfDay.EVENING] = EVENING
    parted = _parted(days)
    made = (_half(half, span, hulls.get(half, {})) for half, span in parted.items())
    return tuple(sorted(made, key=lambda half: _HALVES.index(half.half_day)))


def _half(half_day: HalfDay, span: Span, hulls: Mapping[int, Span]) -> Half:
    inside = {n: (max(s, span[0]), min(e, span[1])) for n, (s, e) in hulls.items()}
    cells = _parted({n: hull for n, hull in inside.items() if hull[0] < hull[1]})
    return Half(half_day, *span, tuple(Cell(n, *cell) for n, cell in cells.items()))


def _parted(hulls: Mapping[_Name, Span]) -> dict[_Name, Span]:
    """The spans in order of time, cut in the middle of what two of them share; a span that lies
    inside the ones before it is left out."""
    cut: dict[_Name, Span] = {}
    before: _Name | None = None
    for name, (start, end) in sorted(hulls.items(), key=lambda item: item[1]):
        if before is not None and start < cut[before][1]:
            first, last = cut[before]
            if end <= last:
                continue
            start = max(first + 5, (start + last) // 2 // 5 * 5)
            if start >= min(last, end):
                continue
            cut[before] = first, start
        cut[name] = start, end
        before = name
    return cut


# -- from windows to choices


def decompose(
    windows: Iterable[Window], halves: Sequence[Half], days: DaySpan, term: DaySpan
) -> dict[Place, Choice]:
    """What holds in each half-day on these days of the term."""
    tidied = tidy(windows, term)
    made: dict[Place, Choice] = {}
    for weekday in WEEKDAYS:
        read = _Stored.of([w for w in tidied if w.weekday == weekday], days, term)
        for half in halves:
            made[weekday, half.half_day] = read.choice(half)
    return made


@dataclass(frozen=True, slots=True)
class _Stored:
    """The minutes of one weekday: free at all, free without reserve, and those with days of their
    own, which are neither."""

    free: frozenset[int]
    gladly: frozenset[int]
    dated: frozenset[int]

    @classmethod
    def of(cls, windows: Collection[Window], days: DaySpan, term: DaySpan) -> "_Stored":
        inside = [w for w in windows if _clipped(w, days, term)]
        base = [w for w in inside if _clipped(w, days, term) == days]
        free, gladly = _minutes(base), _minutes(w for w in base if not w.if_needed)
        return cls(free, gladly, _minutes(w for w in inside if w not in base))

    def choice(self, half: Half) -> Choice:
        own = frozenset(range(*half.span))
        held = tuple(
            run for run in _runs(self.free | self.dated) if not own.isdisjoint(range(*run))
        )
        if not half.cells:
            return Choice(self._ease(half.span), (), held)
        periods = tuple(self._ease(cell.span) for cell in half.cells)
        several = set(periods)
        if Ease.KEEP in several:
            return Choice(Ease.KEEP, periods, held)
        return Choice(periods[0] if len(several) == 1 else Ease.EACH, periods, held)

    def _ease(self, span: Span) -> Ease:
        own = frozenset(range(*span))
        if _counts(own & self.dated):
            return Ease.KEEP
        if own <= self.gladly:
            return Ease.YES
        if own <= self.free and not _counts(own & self.gladly):
            return Ease.MAYBE
        return Ease.KEEP if _counts(own & self.free) else Ease.NO


def _counts(minutes: Collection[int]) -> bool:
    """Whether a lesson could lie in these minutes."""
    return any(end - start >= SLIVER for start, end in _runs(minutes))


# -- from choices to windows


def compose(
    windows: Collection[Window],
    halves: Sequence[Half],
    shown: Week,
    chosen: Week,
    days: DaySpan,
    term: DaySpan,
) -> tuple[Window, ...]:
    """The windows after a teacher chose, where `shown` is what she saw.

    What she changed holds on `days`; all else stays: other days, other times, what she keeps.
    What is left of a window beside a changed time goes when no lesson fits into it any more.
    """
    made: list[Window] = []
    for weekday in WEEKDAYS:
        mine = [window for window in windows if window.weekday == weekday]
        changes = [
            change
            for half in halves
            for change in _changes(half, shown[weekday, half.half_day],
                                   chosen.get((weekday, half.half_day)))
        ]  # fmt: skip
        if not changes:
            made += mine
            continue
        safe = _chosen(weekday, halves, shown, [span for span, _ in changes])
        made += tidy(_changed(weekday, mine, changes, safe, days, term), term)
    return tuple(made)


Change = tuple[Span, Ease]


def _chosen(
    weekday: int, halves: Iterable[Half], shown: Week, changed: Iterable[Span]
) -> frozenset[int]:
    """The minutes of periods that are free and stay so: however short, they are no slivers."""
    stay: set[int] = set()
    for half in halves:
        choice = shown[weekday, half.half_day]
        for cell, ease in zip(half.cells, choice.periods, strict=True):
            stay |= set(range(*cell.span)) if ease in (Ease.YES, Ease.MAYBE) else set()
    return frozenset(stay.difference(*(range(*span) for span in changed)))


def _changes(half: Half, shown: Choice, chosen: Choice | None) -> list[Change]:
    if chosen is None or chosen.ease is Ease.KEEP:
        return []
    if chosen.ease in PLAIN:
        return [(half.span, chosen.ease)] if chosen.ease is not shown.ease else []
    return [
        (cell.span, new)
        for cell, old, new in zip(half.cells, shown.periods, chosen.periods, strict=False)
        if new is not old and new in PLAIN
    ]


def _changed(
    weekday: int,
    windows: Iterable[Window],
    changes: Sequence[Change],
    safe: frozenset[int],
    days: DaySpan,
    term: DaySpan,
) -> list[Window]:
    made: list[Window] = []
    base: list[Window] = []
    for window in windows:
        made += _around(window, days)
        inside = _clipped(window, days, term)
        if inside == days:
            base.append(window)
        elif inside:
            made += _cut(replace(window, first_day=inside.first_day, last_day=inside.last_day),
                         changes)  # fmt: skip
    free = _minutes(base)
    gladly = _minutes(window for window in base if not window.if_needed)
    glad = _runs(_after(gladly, changes, (Ease.YES,), safe))
    any_ = _runs(_after(free, changes, (Ease.YES, Ease.MAYBE), safe))
    made += [Window(weekday, *run, days.first_day, days.last_day) for run in glad]
    # A lesson may lie across both: so a window "if needed" reaches over what is free anyway.
    made += [
        Window(weekday, *run, days.first_day, days.last_day, if_needed=True)
        for run in any_
        if not any(start <= run[0] and run[1] <= end for start, end in glad)
    ]
    return made


def _after(
    minutes: frozenset[int],
    changes: Iterable[Change],
    raising: tuple[Ease, ...] = (),
    safe: frozenset[int] = frozenset(),
) -> set[int]:
    """The minutes of one degree once the changes are in, without slivers that they left over."""
    made, raised = set(minutes), set[int]()
    for span, ease in changes:
        if ease in raising:
            raised |= set(range(*span))
        else:
            made -= set(range(*span))
    made |= raised
    safe |= raised
    former = set(_runs(minutes))
    for run in _runs(made):
        if run[1] - run[0] < SLIVER and run not in former and safe.isdisjoint(range(*run)):
            made -= set(range(*run))
    return made


def _cut(window: Window, changes: Iterable[Change]) -> list[Window]:
    """What is left of a window with days of its own."""
    own = frozenset(range(window.start, window.end))
    left = _after(own, [(span, Ease.NO) for span, _ in changes])
    return [replace(window, start=start, end=end) for start, end in _runs(left)]


def _around(window: Window, days: DaySpan) -> list[Window]:
    """The window on the days before and after these."""
    made = []
    if window.first_day is None or window.first_day < days.first_day:
        last = min(window.last_day or date.max, days.first_day - _DAY)
        made.append(replace(window, last_day=last))
    if window.last_day is None or window.last_day > days.last_day:
        first = max(window.first_day or date.min, days.last_day + _DAY)
        made.append(replace(window, first_day=first))
    return made


# -- windows and days


def _clipped(window: Window, days: DaySpan, term: DaySpan) -> DaySpan | None:
    """On which of these days it is in force."""
    first = max(window.first_day or term.first_day, days.first_day)
    last = min(window.last_day or term.last_day, days.last_day)
    return DaySpan(first, last) if first <= last else None


def tidy(windows: Iterable[Window], term: DaySpan) -> tuple[Window, ...]:
    """The same windows, with those of the same time joined where their days meet; a window of the
    whole term has no days of its own, and one outside of it is gone."""
    joined: dict[tuple[int, int, int, bool], list[DaySpan]] = defaultdict(list)
    for window in windows:
        if days := _clipped(window, term, term):
            joined[window.weekday, window.start, window.end, window.if_needed].append(days)
    return tuple(
        Window(
            weekday, start, end,
            None if span.first_day == term.first_day else span.first_day,
            None if span.last_day == term.last_day else span.last_day,
            if_needed,
        )
        for (weekday, start, end, if_needed), spans in sorted(joined.items())
        for span in _met(spans)
    )  # fmt: skip


def _met(spans: Iterable[DaySpan]) -> list[DaySpan]:
    made: list[DaySpan] = []
    for span in sorted(spans):
        if made and span.first_day <= made[-1].last_day + _DAY:
            made[-1] = DaySpan(made[-1].first_day, max(made[-1].last_day, span.last_day))
        else:
            made.append(span)
    return made


def _minutes(windows: Iterable[Window]) -> frozenset[int]:
    return frozenset(minute for w in windows for minute in range(w.start, w.end))


def _runs(minutes: Collection[int]) -> tuple[Span, ...]:
    """The spans of minutes that follow each other."""
    made: list[list[int]] = []
    for minute in sorted(minutes):
        if made and made[-1][1] == minute:
            made[-1][1] = minute + 1
        else:
            made.append([minute, minute + 1])
    return tuple((start, end) for start, end in made)
