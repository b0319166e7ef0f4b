"""Roles that end and accounts that are switched off: one look before, one step for all of it.

The lessons ahead of a teacher look for cover, as when she says that she cannot come; calendar links
that no other role opens end; what she invited to and was asked is taken back.  Sessions are the
caller's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from scheduler.domain import departures as rules
from scheduler.domain.access import Role
from scheduler.domain.cover import OfferEnd
from scheduler.domain.departures import Held
from scheduler.domain.lessons import Lesson, LessonState
from scheduler.domain.people import PersonId, TeacherId
from scheduler.domain.plans import Fingerprint
from scheduler.domain.swaps import SwapEnd
from scheduler.domain.terms import ProgrammeId
from scheduler.errors import Conflict, Stale, text
from scheduler.locale import Language, translate
from scheduler.services import invitations, joint_attendance, news, reminders, waves
from scheduler.services.context import Context
from scheduler.store import (
    covers,
    feed_links,
    feeds,
    lessons,
    offers,
    queue,
    recipients,
    roles,
    swaps,
)
from scheduler.store.database import Session

LEFT = text("Takes part no longer")


@dataclass(frozen=True, slots=True)
class Departure:
    """What would end: the roles, and the lessons ahead that would need somebody else.

    `looking`: those of them for which cover is looked for already; `alone`: schools that nobody
    would speak for any more.
    """

    person_id: PersonId
    roles: tuple[Held, ...]
    lessons: tuple[Lesson, ...]
    alone: tuple[str, ...]
    fingerprint: Fingerprint

    @property
    def looking(self) -> int:
        return sum(lesson.state is LessonState.COVER for lesson in self.lessons)


def look(ctx: Context, db: Session, person_id: PersonId, going: Sequence[Held]) -> Departure:
    """What would end with these roles, as it stands at this moment."""
    now = ctx.now()
    found = [x for each in teachers_of(going) for x in lessons.find(db, teacher_id=each, since=now)]
    ahead = rules.ahead(found, now)
    return Departure(
        person_id=person_id,
        roles=tuple(going),
        lessons=tuple(sorted(ahead, key=lambda x: (x.starts_at, x.id))),
        alone=tuple(
            held.school
            for held in going
            if held.grant.role is Role.SCHOOL and not roles.others_of_school(db, held)
        ),
        fingerprint=rules.fingerprint(person_id, going, ahead),
    )


def teachers_of(going: Iterable[Held]) -> list[TeacherId]:
    return [held.grant.teacher_id for held in going if held.grant.teacher_id is not None]


def hold(ctx: Context, db: Session, going: Sequence[Held]) -> None:
    """Let nobody give these teachers a lesson, publish, or take roles meanwhile."""
    roles.lock(db, programmes_of(going))
    roles.lock_teachers(db, teachers_of(going), ctx.now())


def programmes_of(going: Iterable[Held]) -> set[ProgrammeId]:
    return {held.grant.programme_id for held in going}


def check(db: Session, found: Departure, seen: Fingerprint) -> None:
    """Raises Stale for another preview, Conflict when a programme would be without anybody."""
    if found.fingerprint != seen:
        raise Stale("Something changed while you were looking. See what would happen now.")
    if not spared(db, found.roles):
        raise Conflict(
            "Nobody else could run the programme then. Invite somebody for this role first."
        )


def spared(db: Session, going: Sequence[Held]) -> bool:
    """Whether every programme can go on without these roles."""
    without = [held.id for held in going]
    return all(
        rules.spares(held.grant, roles.running(db, held.grant.programme_id, without))
        for held in going
    )


def carry_out(ctx: Context, db: Session, found: Departure, by: PersonId) -> None:
    """Do what was seen, after the roles or the account were taken away in this transaction."""
    now, person = ctx.now(), found.person_id
    _end_links(db, found, now)
    invitations.end_of(ctx, db, person, programmes_of(found.roles))
    _stop_asking(ctx, db, person, teachers_of(found.roles))
    joint_attendance.leave(ctx, db, person, [held.grant for held in found.roles])
    reason = translate(LEFT, Language(ctx.settings.locale))
    for lesson in found.lessons:
        if lesson.state is LessonState.SCHEDULED:
            waves.begin(ctx, db, lesson, reason, by)
    queue.recall(db, person_ids=[person], lesson_ids=[lesson.id for lesson in found.lessons])
    reminders.plan_for(ctx, db, [person])


def _end_links(db: Session, found: Departure, now: datetime) -> None:
    """End the person's calendar links, but for those that a role which stays opens, too."""
    going = [held.id for held in found.roles]
    stay = [x.grant for x in roles.of_people(db, [found.person_id]) if x.id not in going]
    links = feed_links.of_person(db, found.person_id) if stay else ()
    owners = feeds.owners(db, {(link.key.kind, link.key.owner_id) for link in links})
    open_still = {key for key, owner in owners.items() if any(map(owner.opens_to, stay))}
    kept = [link.id for link in links if (link.key.kind, link.key.owner_id) in open_still]
    feed_links.revoke_all(db, found.person_id, now, but=kept)


def _stop_asking(ctx: Context, db: Session, person: PersonId, teachers: list[TeacherId]) -> None:
    """What she was asked counts as declined, so that the next ones are asked at once."""
    now = ctx.now()
    for offer in offers.waiting_for(db, person, now):
        if offer.teacher_id in teachers and offers.end(db, offer.id, OfferEnd.DECLINED, now):
            covers.hasten(db, offer.call_id, now)
    for swap in swaps.of_teachers(db, teachers):
        how = SwapEnd.WITHDRAWN if swap.asker_id in teachers else SwapEnd.DECLINED
        if not swap.ended_at and swaps.end(db, swap.id, how, now) and how is SwapEnd.DECLINED:
            asker = recipients.of_teachers(db, [swap.asker_id])[swap.asker_id]
            news.regret(ctx, db, swap, asker.person_id)
