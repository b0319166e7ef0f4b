"""Draft plans, the difference that one would make, and its fingerprint.  Pure."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from operator import attrgetter
from typing import NewType
from zoneinfo import ZoneInfo

from scheduler.domain.intervals import Interval, minute_of
from scheduler.domain.people import PersonId, TeacherId
from scheduler.domain.requests import RequestId
from scheduler.domain.terms import TermId
from scheduler.domain.weights import Weights
from scheduler.errors import Text, text

PlanId = NewType("PlanId", int)
Fingerprint = NewType("Fingerprint", str)
LineId = NewType("LineId", str)  # of a preview
PublicationId = NewType("PublicationId", int)


class PlanState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"


class PlanOrigin(StrEnum):
    """Who or what made a draft."""

    RUN = "run"  # the matching engine
    ACCEPTED = "accepted"  # some lines of another draft
    HAND = "hand"  # a coordinator, lesson by lesson
    UNDO = "undo"  # what a publication changed, put back
    TRIAL = "trial"  # another plan with a change supposed


@dataclass(frozen=True, slots=True, order=True)
class Placement:
    """One dated lesson of a plan or of the timetable; minutes since midnight on the term's wall."""

    request_id: RequestId
    day: date
    start: int
    end: int
    teacher_id: TeacherId


def placed(request: RequestId, teacher: TeacherId, span: Interval, zone: str) -> Placement:
    """The placement of a lesson given at these instants, on the wall of its term."""
    day, minute = _on_the_wall(span.start, zone)
    length = round((span.end - span.start).total_seconds() / 60)
    return Placement(request, day, minute, minute + length, teacher)


@lru_cache(maxsize=10_000)
def _on_the_wall(start: datetime, zone: str) -> tuple[date, int]:
    """Kept, as schools ring at the same times: most lessons of a term begin with another one."""
    local = start.astimezone(ZoneInfo(zone))
    return local.date(), minute_of(local)


_IN_ORDER = attrgetter(*(each.name for each in fields(Placement)))


def in_order(placements: Iterable[Placement]) -> list[Placement]:
    """As `sorted` has them, which would compare them one field at a time."""
    return sorted(placements, key=_IN_ORDER)


class FixKind(StrEnum):
    """What would have to change for a missing lesson to be taught, the smallest change first."""

    SLOT = "slot"  # the class accepts one more time
    WINDOW = "window"  # a teacher is free at one more time
    DAY_LIMIT = "day_limit"  # a teacher gives more lessons a day
    WEEK_LIMIT = "week_limit"
    TERM_LIMIT = "term_limit"
    MAKE_UP = "make_up"  # one lesson beside the class's weekly timetable
    ROOM = "room"  # the school takes one more lesson at a time
    NEW_TEACHER = "new_teacher"


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that the engine tried: with it, `covers` more lessons were taught.

    Minutes since midnight on the term's wall; `day` of a MAKE_UP; `limit` is the new number of a
    teacher's lessons or of rooms, `free` how many teachers could come at the time of a SLOT.
    """

    kind: FixKind
    covers: int
    teacher_id: TeacherId | None = None
    weekday: int | None = None
    start: int | None = None
    end: int | None = None
    day: date | None = None
    limit: int | None = None
    free: int | None = None
    changes: int = 0  # lessons that move or change hands


@dataclass(frozen=True, slots=True)
class Supposition:
    """A fix of a request's gap in some plan, taken for granted by the plan that tries it.

    `agreed`: somebody said yes to what no table can say, a make-up lesson.
    """

    plan_id: PlanId
    request_id: RequestId
    fix: Fix
    agreed: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """Lessons of a request that a week lacks, with reason codes and the teachers each rules out.

    `rivals` are the requests that have, at that time, the teachers who could have come.
    """

    request_id: RequestId
    week: date
    missing: int
    reasons: Mapping[str, int]
    rivals: tuple[RequestId, ...] = ()
    fixes: tuple[Fix, ...] = ()


def best_fixes(gaps: Iterable[Gap]) -> tuple[Fix, ...]:
    """Of all weeks of a request the fix of each kind that covers most, the smallest change first.

    Of equals the earliest week's, as the engine put it: the smaller first.
    """
    best: dict[FixKind, Fix] = {}
    for fix in (fix for gap in gaps for fix in gap.fixes):
        if fix.kind not in best or fix.covers > best[fix.kind].covers:
            best[fix.kind] = fix
    return tuple(best[kind] for kind in FixKind if kind in best)


@dataclass(frozen=True, slots=True)
class Plan:
    id: PlanId
    term_id: TermId
    state: PlanState
    created_at: datetime
    created_by: PersonId | None
    cost: float
    lower_bound: float
    requested: int
    taught: int
    seconds: float
    seed: int
    input_hash: str
    published_at: datetime | None
    weights: Weights | None = None  # None of plans older than weights
    terms: Mapping[str, float] = field(default_factory=dict)  # of the cost, by name
    origin: PlanOrigin = PlanOrigin.RUN
    note: str = ""
    from_day: date | None = None  # what lies before it stays as published
    undoes: PublicationId | None = None
    supposes: tuple[Supposition, ...] = ()  # it can be published once all of that is so

    @property
    def is_proved(self) -> bool:
        """Whether a bound says how good it is; of a draft made by hand none does."""
        return self.lower_bound > 0

    @property
    def gap(self) -> float:
        """How far the cost may lie above the best possible, as a share of the cost."""
        return (self.cost - self.lower_bound) / self.cost if self.cost else 0.0


@dataclass(frozen=True, slots=True)
class Mark:
    """What a hand meant for the day of a request, beside its lesson there.

    `called_off`: why there is none, for its people to read; empty: a lesson beside the class's
    weekly times, which later plans leave as it is.
    """

    request_id: RequestId
    day: date
    called_off: str = ""


class ChangeKind(StrEnum):
    ADDED = "added"
    MOVED = "moved"
    RESTAFFED = "restaffed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Change:
    """One lesson's change: `before` is None when added, `after` when dropped."""

    kind: ChangeKind
    before: Placement | None
    after: Placement | None

    @property
    def request_id(self) -> RequestId:
        known = self.after or self.before
        assert known is not None  # noqa: S101 - a change has at least one side
        return known.request_id


@dataclass(frozen=True, slots=True)
class PlanDiff:
    changes: tuple[Change, ...]
    kept: int

    def count(self, kind: ChangeKind) -> int:
        return sum(change.kind is kind for change in self.changes)


@dataclass(frozen=True, slots=True)
class Effect:
    """A difference in three figures: lessons that come in, lessons in force that do not stay as
    they are, and the teachers who had those."""

    filled: int
    changed: int
    teachers: int

    @property
    def words(self) -> Text:
        return text(
            "Fills {gaps}, changes {lessons} of {teachers}.",
            gaps=text("one gap") if self.filled == 1 else text("{n} gaps", n=self.filled),
            lessons=_lessons(self.changed),
            teachers=_teachers(self.teachers),
        )


def effect(diff: PlanDiff) -> Effect:
    had = [change.before for change in diff.changes if change.before is not None]
    return Effect(diff.count(ChangeKind.ADDED), len(had), len({p.teacher_id for p in had}))


def budget_words(lessons: int | None, teachers: int | None) -> Text | None:
    """What a budget of changes allows; None: it allows anything."""
    if lessons is None and teachers is None:
        return None
    if teachers is None:
        return text("At most {lessons} may change.", lessons=_lessons(lessons or 0))
    if lessons is None:
        return text("Lessons of at most {teachers} may change.", teachers=_teachers(teachers))
    return text(
        "At most {lessons} of {teachers} may change.",
        lessons=_lessons(lessons),
        teachers=_teachers(teachers),
    )


def _lessons(n: int) -> Text:
    return text("one lesson") if n == 1 else text("{n} lessons", n=n)


def _teachers(n: int) -> Text:
    return text("one teacher") if n == 1 else text("{n} teachers", n=n)


def diff(current: Iterable[Placement], draft: Iterable[Placement]) -> PlanDiff:
    """What publishing `draft` would change in `current`.

    A lesson is followed through a move inside its week: what a request loses in a week and what
    it gains there are paired in order of time, so that a moved lesson keeps its identity.
    """
    old, new = set(current), set(draft)
    return paired(old - new, new - old, len(old & new))


def paired(gone: Iterable[Placement], come: Iterable[Placement], kept: int) -> PlanDiff:
    """The difference of two timetables of which this is `gone` and that has `come`; `kept`: how
    many lessons are in both."""
    lost, new = _by_week(gone), _by_week(come)
    changes: list[Change] = []
    for key in sorted(lost.keys() | new.keys()):
        changes.extend(_pair(lost.get(key, []), new.get(key, [])))
    return PlanDiff(tuple(changes), kept)


def _by_week(placements: Iterable[Placement]) -> dict[tuple[int, int, int], list[Placement]]:
    weeks: dict[tuple[int, int, int], list[Placement]] = {}
    for placement in in_order(placements):
        year, week, _ = placement.day.isocalendar()
        weeks.setdefault((placement.request_id, year, week), []).append(placement)
    return weeks


def _pair(gone: list[Placement], come: list[Placement]) -> Iterable[Change]:
    at = {(p.day, p.start, p.end): p for p in come}
    left: list[Placement] = []
    for before in gone:
        after = at.pop((before.day, before.start, before.end), None)
        if after is None:
            left.append(before)
        else:
            yield Change(ChangeKind.RESTAFFED, before, after)
    rest = in_order(at.values())
    for before, after in zip(left, rest, strict=False):
        yield Change(ChangeKind.MOVED, before, after)
    for before in left[len(rest) :]:
        yield Change(ChangeKind.DROPPED, before, None)
    for after in rest[len(left) :]:
        yield Change(ChangeKind.ADDED, None, after)


def fingerprint(draft: PlanId, found: PlanDiff) -> Fingerprint:
    """Names a preview: equal only while both the draft and the timetable stay as they were seen.

    What a draft holds never changes, so whatever happens to the timetable is in their difference.
    """
    digest = hashlib.sha256(f"{draft},{found.kept}".encode())
    for change in found.changes:
        digest.update(b"|")
        for p in (change.before, change.after):
            if p is not None:
                digest.update(f"{p.request_id},{p.day},{p.start},{p.end},{p.teacher_id};".encode())
            digest.update(b">")
    return Fingerprint(digest.hexdigest()[:32])
