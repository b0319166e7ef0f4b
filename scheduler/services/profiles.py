"""A person before the coordinator with all that matters: what they promise, give, have and read."""

from dataclasses import dataclass
from datetime import datetime

from scheduler.domain import reports as rules
from scheduler.domain import sightings as changes
from scheduler.domain.access import Actor, Role
from scheduler.domain.availability import Pledge
from scheduler.domain.calendars import FeedLink
from scheduler.domain.certificates import Certificate
from scheduler.domain.departures import Held
from scheduler.domain.devices import Device
from scheduler.domain.intervals import DaySpan
from scheduler.domain.lessons import Lesson, LessonState
from scheduler.domain.people import DonorSchoolId, PersonId, TeacherId
from scheduler.domain.records import Sums, add_up
from scheduler.domain.reminders import Side
from scheduler.domain.terms import Term
from scheduler.services import people
from scheduler.services.context import Context
from scheduler.services.people import Card
from scheduler.store import (
    availability,
    certificates,
    devices,
    directory,
    feed_links,
    lessons,
    present,
    records,
    reports,
    sightings,
)
from scheduler.store import people as home_of
from scheduler.store.availability import Own
from scheduler.store.database import Session


@dataclass(frozen=True, slots=True)
class Teaching:
    """What somebody teaches in the newest term.  `pledge` None: nothing is promised; `unreported`:
    lessons of which they have not said how they went, and still can; `unseen`: changes that they
    have not said to have seen; `outcomes`: what became of the term's lessons."""

    held: Held
    donor_school_id: DonorSchoolId | None
    term: Term
    pledge: Pledge | None
    own: Own
    ahead: tuple[Lesson, ...]
    past: tuple[Lesson, ...]
    confirmed: int
    unreported: int
    unseen: int
    outcomes: Sums
    certificates: tuple[Certificate, ...]


@dataclass(frozen=True, slots=True)
class Reached:
    """How somebody is reached: by telephone, calendars and devices."""

    phone: str
    links: tuple[FeedLink, ...]
    devices: tuple[Device, ...]

    @property
    def read_at(self) -> datetime | None:
        return max((x.last_read_at for x in self.links if x.last_read_at), default=None)


@dataclass(frozen=True, slots=True)
class Profile:
    """`teaching` None: they give no lessons here."""

    card: Card
    reached: Reached
    teaching: Teaching | None


def of_person(ctx: Context, actor: Actor, person_id: PersonId) -> Profile:
    """One person of the coordinator's programme; raises NotFound for strangers."""
    card = people.card(ctx, actor, person_id)
    teaches = next((x for x in card.entry.roles if x.grant.role is Role.TEACHER), None)
    with ctx.reading() as db:
        reached = Reached(
            directory.phones(db, [person_id]).get(person_id, ""),
            feed_links.of_person(db, person_id),
            devices.of(db, person_id),
        )
        return Profile(card, reached, _teaching(ctx, db, teaches) if teaches else None)


def _teaching(ctx: Context, db: Session, held: Held) -> Teaching | None:
    now, teacher_id = ctx.now(), held.grant.teacher_id
    term = present.running(db, held.grant.programme_id, now)
    if term is None or teacher_id is None:
        return None
    days = DaySpan(term.first_day, term.last_day)
    found, confirmed = lessons.of_teacher(db, teacher_id, held.person_id, term_id=term.id)
    live = [each for each in found if each.state is not LessonState.CANCELLED]
    lines = records.lines(db, term.programme_id, term.zone, days, now, teacher_id=teacher_id)
    return Teaching(
        held=held,
        donor_school_id=home_of.donor_school_of(db, teacher_id),
        term=term,
        pledge=availability.pledge(db, term.id, teacher_id),
        own=availability.own(db, term.id, teacher_id),
        ahead=tuple(each for each in live if each.ends_at > now),
        past=tuple(each for each in found if each.ends_at <= now),
        confirmed=sum(each.id in confirmed for each in live if each.ends_at > now),
        unreported=_unreported(db, live, now),
        unseen=_unseen(db, held, teacher_id, now),
        outcomes=add_up(lines),
        certificates=certificates.of_teacher(db, teacher_id),
    )


def _unreported(db: Session, found: list[Lesson], now: datetime) -> int:
    open_ = [each.id for each in found if each.ends_at <= now and rules.closed(each, now) is None]
    filed = reports.of_lessons(db, open_)
    return sum(Side.TEACHER not in filed[each] for each in open_)


def _unseen(db: Session, held: Held, teacher_id: TeacherId, now: datetime) -> int:
    stories = sightings.of_teacher(db, teacher_id, held.person_id, now)
    return sum(changes.unseen(turns, held.person_id, seen) is not None for turns, seen in stories)
