"""A partnership's joint sessions in a list, and how far the pledge is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from scheduler.domain import joint_sessions as rules
from scheduler.domain.access import Actor
from scheduler.domain.joint_sessions import Attendee, JointSession
from scheduler.domain.lessons import LessonState
from scheduler.domain.partnerships import Partnership, PartnershipId
from scheduler.domain.people import DonorSchoolId
from scheduler.domain.terms import Term
from scheduler.errors import NotFound
from scheduler.services import joint_sessions, partnerships, programmes
from scheduler.services.context import Context
from scheduler.store import joint_figures, tables
from scheduler.store import joint_sessions as rows
from scheduler.store.joint_figures import Count
from scheduler.store.visibility import sees


@dataclass(frozen=True, slots=True)
class Listed:
    """A session in a list; `coming`: how many said so, or, of one that was held, how many came."""

    session: JointSession
    invited: int
    coming: int


@dataclass(frozen=True, slots=True)
class Desk:
    """The joint sessions of a partnership: those to come in order, then the others, newest first;
    `count`: those of the term."""

    partnership: Partnership
    term: Term
    count: Count
    ahead: tuple[Listed, ...]
    past: tuple[Listed, ...]


def desk(ctx: Context, actor: Actor, partnership_id: PartnershipId) -> Desk:
    """Raises NotFound for anybody but the programme's coordinators."""
    partnership, now = partnerships.get(ctx, actor, partnership_id), ctx.now()
    term = programmes.present(ctx, actor)
    with ctx.reading() as db:
        found = rows.of_partnership(db, partnership_id)
        seats = rows.attendees(db, [each.id for each in found])
        counts = joint_figures.counts(db, term.programme_id, *partnerships.span(term))
    listed = [_listed(each, seats[each.id]) for each in found]
    return Desk(
        partnership,
        term,
        counts.get(partnership_id, Count()),
        tuple(each for each in listed if each.session.ends_at > now),
        tuple(each for each in reversed(listed) if each.session.ends_at <= now),
    )


def _listed(session: JointSession, seats: Sequence[Attendee]) -> Listed:
    invited = [each for each in seats if each.invited]
    if session.state is LessonState.HELD:
        return Listed(session, len(invited), sum(x.attended is True for x in invited))
    return Listed(session, len(invited), rules.coming(invited))


def between(
    ctx: Context, actor: Actor, since: datetime, until: datetime
) -> tuple[JointSession, ...]:
    """What touches a span of time in the coordinator's programme, called off or not; raises
    NotFound for who coordinates none."""
    programme_id = joint_sessions.own(actor)
    with ctx.reading() as db:
        return rows.between(db, programme_id, since, until)


def of_donor_school(
    ctx: Context, actor: Actor, school_id: DonorSchoolId
) -> tuple[tuple[JointSession, tuple[Attendee, ...]], ...]:
    """What invites teachers of a donor school and is not over, and whom of them; raises NotFound
    for strangers."""
    with ctx.reading() as db:
        if not sees(db, actor, tables.donor_schools, school_id):
            raise NotFound("There is no such school here.")
        return rows.of_donor_school(db, school_id, ctx.now())
