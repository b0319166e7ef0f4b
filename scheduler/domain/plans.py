"""Draft plans, the difference that one would make, and its fingerprint.  Pure."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NewType

from scheduler.domain.people import PersonId, TeacherId
from scheduler.domain.requests import RequestId
from scheduler.domain.terms import TermId
from scheduler.domain.weights import Weights

PlanId = NewType("PlanId", int)
Fingerprint = NewType("Fingerprint", str)


class PlanState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"


class PlanOrigin(StrEnum):
    """Where a draft comes from."""

    RUN = "run"
    ACCEPTED = "accepted"  # some lines of another draft
    HAND = "hand"
    UNDO = "undo"


@dataclass(frozen=True, slots=True, order=True)
class Placement:
    """One dated lesson of a plan or of the timetable; minutes since midnight on the term's wall."""

    request_id: RequestId
    day: date
    start: int
    end: int
    teacher_id: TeacherId


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


def diff(current: Iterable[Placement], draft: Iterable[Placement]) -> PlanDiff:
    """What publishing `draft` would change in `current`.

    A lesson is followed through a move inside its week: what a request loses in a week and what
    it gains there are paired in order of time, so that a moved lesson keeps its identity.
    """
    old, new = set(current), set(draft)
    gone = _by_week(old - new)
    come = _by_week(new - old)
    changes: list[Change] = []
    for key in sorted(gone.keys() | come.keys()):
        changes.extend(_pair(gone.get(key, []), come.get(key, [])))
    return PlanDiff(tuple(changes), len(old & new))


def _by_week(placements: Iterable[Placement]) -> dict[tuple[int, int, int], list[Placement]]:
    weeks: dict[tuple[int, int, int], list[Placement]] = {}
    for placement in sorted(placements):
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
    rest = sorted(at.values())
    for before, after in zip(left, rest, strict=False):
        yield Change(ChangeKind.MOVED, before, after)
    for before in left[len(rest) :]:
        yield Change(ChangeKind.DROPPED, before, None)
    for after in rest[len(left) :]:
        yield Change(ChangeKind.ADDED, None, after)


def fingerprint(
    draft: PlanId, current: Iterable[Placement], wanted: Iterable[Placement]
) -> Fingerprint:
    """Names a preview: equal only while both the draft and the timetable stay as they were seen."""
    digest = hashlib.sha256(str(draft).encode())
    for side in (current, wanted):
        digest.update(b"|")
        for p in sorted(side):
            digest.update(f"{p.request_id},{p.day},{p.start},{p.end},{p.teacher_id};".encode())
    return Fingerprint(digest.hexdigest()[:32])
