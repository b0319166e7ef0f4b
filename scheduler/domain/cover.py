"""Cover for one lesson: who is asked, when, and how a call ends.  Pure: no clock, no database."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import NewType

from scheduler.domain.busy import Availability
from scheduler.domain.candidates import Candidate, Obstacle, Want, obstacles, only_if_needed
from scheduler.domain.lessons import LessonId
from scheduler.domain.people import DonorSchoolId, PersonId, TeacherId

OfferId = NewType("OfferId", int)


class CallEnd(StrEnum):
    """How a call for cover ended."""

    TAKEN = "taken"
    WITHDRAWN = "withdrawn"  # the teacher comes after all
    CHANGED = "changed"  # a publication, a swap or a hand changed the lesson
    MOVED = "moved"
    MERGED = "merged"
    CALLED_OFF = "called_off"
    MISSED = "missed"  # it began with nobody in its place


class OfferEnd(StrEnum):
    """How an offer to one teacher ended."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    LAPSED = "lapsed"  # the deadline passed
    TAKEN = "taken"  # somebody else was first
    WITHDRAWN = "withdrawn"  # the lesson needs no cover any more


# -- who could stand in


@dataclass(frozen=True, slots=True)
class Ranked:
    """A teacher beside a lesson that looks for cover: what speaks for it, and what stands in the
    way; `ask_first`: nobody knows whether the teacher is free then."""

    who: Candidate
    obstacles: tuple[Obstacle, ...]
    ask_first: bool
    if_needed: bool
    same_school: bool
    wished: bool

    @property
    def fits(self) -> bool:
        return not self.obstacles

    @property
    def knows_class(self) -> bool:
        return self.who.class_lessons > 0

    @property
    def load(self) -> float:
        """The share of the promised lessons of the term that are given or planned."""
        return self.who.total / self.who.max_total if self.who.max_total else 1.0


def rank(
    found: Iterable[Candidate], want: Want, own: TeacherId, school: DonorSchoolId
) -> tuple[Ranked, ...]:
    """Everybody but the lesson's own teacher, of this donor school: those who fit first, in the
    order in which they are asked; then the others, those with the least in their way first."""
    lines = (_ranked(who, want, school) for who in found if who.teacher_id != own)
    return tuple(sorted(lines, key=_order))


def _ranked(who: Candidate, want: Want, school: DonorSchoolId) -> Ranked:
    return Ranked(
        who=who,
        obstacles=obstacles(who, want),
        ask_first=who.calendar is Availability.UNKNOWN,
        if_needed=only_if_needed(who, want),
        same_school=who.donor_school_id == school,
        wished=want.school_code in who.wishes,
    )


def _order(line: Ranked) -> tuple[int, bool, bool, float, float, int]:
    asked = line.who.asked_at
    return (
        len(line.obstacles),
        not line.knows_class,
        not line.same_school,
        line.load,
        asked.timestamp() if asked else 0.0,
        line.who.teacher_id,
    )


# -- who is asked when


class Wave(IntEnum):
    """In which turn a teacher is asked."""

    BY_HAND = 0  # a coordinator chose the teacher
    CLASS = 1  # who has taught the class
    SCHOOL = 2  # colleagues of the teacher who cannot come
    ALL = 3  # all who fit, again and again until nobody is left


_MOST = {Wave.CLASS: 3, Wave.SCHOOL: 5, Wave.ALL: 10}
# Of the time until the lesson: what those who are asked have for their answer.
_SHARE = {Wave.BY_HAND: 0.25, Wave.CLASS: 0.15, Wave.SCHOOL: 0.2, Wave.ALL: 0.25}
LEAST, MOST = timedelta(minutes=15), timedelta(hours=24)
PREPARING = timedelta(minutes=30)  # who stands in needs them before the lesson
HURRY = timedelta(hours=3)  # so near its start there is no time for one wave after the other


def deadline(now: datetime, starts_at: datetime, wave: Wave) -> datetime:
    """Until when an answer counts: the nearer the lesson, the sooner."""
    time: timedelta = (starts_at - now) * _SHARE[wave]
    return min(now + min(max(time, LEAST), MOST), starts_at - PREPARING)


def is_too_late(now: datetime, starts_at: datetime) -> bool:
    """Whether nobody can be asked by message any more."""
    return now >= starts_at - PREPARING


def next_wave(
    ranked: Iterable[Ranked],
    asked: Collection[TeacherId],
    last: Wave,
    now: datetime,
    starts_at: datetime,
) -> tuple[tuple[Wave, Ranked], ...]:
    """Whom to ask now, after a wave: empty when nobody is left, or no time.

    A wave in which nobody fits is skipped; under three hours before the lesson all go at once.
    """
    if is_too_late(now, starts_at):
        return ()
    left = [line for line in ranked if line.fits and line.who.teacher_id not in asked]
    chosen: list[tuple[Wave, Ranked]] = []
    for wave in _waves_after(last):
        taken = {line.who.teacher_id for _, line in chosen}
        fresh = [x for x in left if x.who.teacher_id not in taken and _belongs(x, wave)]
        chosen += [(wave, line) for line in fresh[: _MOST[wave]]]
        if chosen and starts_at - now > HURRY:
            break
    return tuple(chosen)


def _waves_after(last: Wave) -> tuple[Wave, ...]:
    return tuple(wave for wave in _MOST if wave > last) or (Wave.ALL,)


def _belongs(line: Ranked, wave: Wave) -> bool:
    match wave:
        case Wave.CLASS:
            return line.knows_class
        case Wave.SCHOOL:
            return line.same_school
        case _:
            return True


# -- how it stands with one offer


@dataclass(frozen=True, slots=True)
class Offer:
    """`seen_at`: when the teacher answered first, be it that the answer comes later; looking is no
    answer, for programs look through mail as well.  `reason`: of who declined."""

    id: OfferId
    call_id: int
    lesson_id: LessonId
    teacher_id: TeacherId
    person_id: PersonId
    name: str
    wave: Wave
    asked_at: datetime
    deadline: datetime
    seen_at: datetime | None
    ended_at: datetime | None
    end: OfferEnd | None
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How the search goes, without names.  `next_at`: when the next are asked, None: nobody is, but
    by a coordinator's hand."""

    asked: int
    declined: int
    next_at: datetime | None


def progress(
    offers: Collection[Offer], look_at: datetime | None, starts_at: datetime, *, exhausted: bool
) -> Progress:
    """`look_at`: when the call is looked at next; `exhausted`: nobody is left to ask."""
    comes = look_at is not None and look_at < starts_at and not exhausted
    declined = sum(offer.end is OfferEnd.DECLINED for offer in offers)
    return Progress(len(offers), declined, look_at if comes else None)


class Standing(StrEnum):
    """How it stands with an offer, for the teacher who was asked."""

    OPEN = "open"
    YOURS = "yours"
    DECLINED = "declined"
    LAPSED = "lapsed"
    QUICKER = "quicker"  # somebody else was first
    SETTLED = "settled"  # the lesson needs no cover any more


class Reply(StrEnum):
    """What a teacher says to an offer."""

    ACCEPT = "accept"
    DECLINE = "decline"
    LATER = "later"  # has seen it, and answers before the deadline


_STANDINGS = {
    OfferEnd.ACCEPTED: Standing.YOURS,
    OfferEnd.DECLINED: Standing.DECLINED,
    OfferEnd.LAPSED: Standing.LAPSED,
    OfferEnd.TAKEN: Standing.QUICKER,
    OfferEnd.WITHDRAWN: Standing.SETTLED,
}


def standing(end: OfferEnd | None, until: datetime, now: datetime, *, owns: bool) -> Standing:
    """How an offer stands that ended so, or is open until then; `owns`: its teacher gives the
    lesson."""
    if end is OfferEnd.ACCEPTED and not owns:
        return Standing.SETTLED  # it has changed hands again
    if end is not None:
        return _STANDINGS[end]
    return Standing.OPEN if now < until else Standing.LAPSED
