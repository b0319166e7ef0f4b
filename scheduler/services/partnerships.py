"""The programme's pairs of units: their pledges, what came of them, what they mean for matching."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from scheduler.domain import access
from scheduler.domain import joint_sessions as sessions
from scheduler.domain import partnerships as rules
from scheduler.domain.access import Action, Actor
from scheduler.domain.intervals import end_of, midnight
from scheduler.domain.partnerships import Partnership, PartnershipId, Terms
from scheduler.domain.people import DonorSchool, ReceivingSchool
from scheduler.domain.plans import Fingerprint
from scheduler.domain.terms import ProgrammeId, Term
from scheduler.errors import Conflict, Invalid, NotFound, Stale
from scheduler.services import programmes
from scheduler.services.context import Context
from scheduler.store import (
    audits,
    feeds,
    gathered,
    joint_figures,
    joint_sessions,
    school_pledges,
    terms,
)
from scheduler.store import partnerships as rows
from scheduler.store.database import Session
from scheduler.store.joint_figures import Count


@dataclass(frozen=True, slots=True)
class Progress:
    """A partnership in the newest term: lessons held and still to come, its schools' number, and
    its joint sessions, counted alike."""

    partnership: Partnership
    held: int
    ahead: int
    donor_schools: int
    receiving_schools: int
    sessions: Count

    @property
    def share(self) -> float:
        """Of the pledged lessons, those held or to come; 0 to 1."""
        pledged = self.partnership.terms.lessons_pledged
        return min(1.0, (self.held + self.ahead) / pledged) if pledged else 1.0


@dataclass(frozen=True, slots=True)
class Desk:
    """All partnerships, those furthest from their pledge first, and what units there are."""

    term: Term
    found: tuple[Progress, ...]
    donor_units: tuple[str, ...]
    receiving_units: tuple[str, ...]


def desk(ctx: Context, actor: Actor) -> Desk:
    """Raises NotFound for anybody but coordinators."""
    programme_id = _own(actor)
    term = programmes.present(ctx, actor)
    with ctx.reading() as db:
        donors, receivers = schools(db, programme_id)
        known = rows.of_programme(db, programme_id)
        between = rows.lessons_between(db, term.id)
        meetings = joint_figures.counts(db, programme_id, *span(term))
    found = []
    for one in known:
        giving = [school.id for school in donors if one.gives(school)]
        taking = [school.id for school in receivers if one.receives(school)]
        counts = [between[pair] for a in giving for b in taking if (pair := (a, b)) in between]
        held, ahead = sum(x.held for x in counts), sum(x.ahead for x in counts)
        met = meetings.get(one.id, Count())
        found.append(Progress(one, held, ahead, len(giving), len(taking), met))
    return Desk(
        term,
        tuple(sorted(found, key=lambda x: (x.share, x.partnership.terms.donor_unit))),
        rules.donor_units(donors),
        rules.receiving_units(receivers),
    )


def span(term: Term) -> tuple[datetime, datetime]:
    """The instants at which a term begins and ends."""
    return midnight(term.first_day, term.zone), end_of(term.last_day, term.zone)


def add(ctx: Context, actor: Actor, told: Terms) -> PartnershipId:
    """Raises Invalid, by field, for units that are not there or are partners already."""
    programme_id = _own(actor)
    with ctx.transaction() as db:
        terms.lock_programme(db, programme_id)
        _check(db, programme_id, told, rows.of_programme(db, programme_id))
        made = rows.add(db, programme_id, told)
        audits.record(
            db,
            ctx.now(),
            actor.person_id,
            "add_partnership",
            "programme",
            programme_id,
            after=asdict(told),
        )
    return made


def change(
    ctx: Context, actor: Actor, partnership_id: PartnershipId, told: Terms, seen: Terms
) -> None:
    """Raises Stale when somebody changed it since it was `seen`; nothing is done for no change."""
    programme_id = _own(actor)
    with ctx.transaction() as db:
        terms.lock_programme(db, programme_id)
        before = _one(db, programme_id, partnership_id)
        if before.terms == told:
            return
        if before.terms != seen:
            raise Stale("This partnership was changed while you were looking. Look at it again.")
        others = [x for x in rows.of_programme(db, programme_id) if x.id != partnership_id]
        _check(db, programme_id, told, others)
        rows.change(db, partnership_id, told)
        for session in joint_sessions.of_partnership(db, partnership_id):
            joint_sessions.touch(db, session, ctx.now())
        _show_anew(db, programme_id, partnership_id)
        audits.record(
            db, ctx.now(), actor.person_id, "change_partnership", "programme", programme_id,
            before=asdict(before.terms), after=asdict(told),
        )  # fmt: skip


def remove(ctx: Context, actor: Actor, partnership_id: PartnershipId, seen: Terms) -> Partnership:
    """Take a partnership back as it was `seen`, else Stale; the lessons between its units stay.

    Its joint sessions go with it.  Raises Conflict while one is still to come, or somebody has yet
    to hear that it is called off, and for partners who have met: records count who came.
    """
    programme_id = _own(actor)
    with ctx.transaction() as db:
        terms.lock_programme(db, programme_id)
        found = _one(db, programme_id, partnership_id)
        if found.terms != seen:
            raise Stale("This partnership was changed while you were looking. Look at it again.")
        if joint_sessions.is_ahead(db, partnership_id, ctx.now()):
            raise Conflict("These two still mean to meet. Call their joint sessions off first.")
        if joint_sessions.have_met(db, partnership_id):
            raise Conflict(
                "These two have met, and records of service count who came. The partnership stays; "
                "you can change what they pledged."
            )
        if _news_waits(db, partnership_id):
            raise Conflict(
                "Not everybody has been told yet that a joint session is called off. End the "
                "partnership in half an hour."
            )
        _show_anew(db, programme_id, partnership_id)
        joint_sessions.remove_all(db, partnership_id)
        rows.remove(db, partnership_id)
        audits.record(
            db, ctx.now(), actor.person_id, "end_partnership", "programme", programme_id,
            before=asdict(found.terms),
        )  # fmt: skip
    return found


def get(ctx: Context, actor: Actor, partnership_id: PartnershipId) -> Partnership:
    """Raises NotFound for strangers."""
    with ctx.reading() as db:
        return _one(db, _own(actor), partnership_id)


def seen(
    ctx: Context, actor: Actor, partnership_id: PartnershipId, fingerprint: Fingerprint
) -> Terms:
    """What was agreed when it had this fingerprint; Stale when it is another by now."""
    found = get(ctx, actor, partnership_id)
    if found.fingerprint != fingerprint:
        raise Stale("This partnership was changed while you were looking. Look at it again.")
    return found.terms


def bonds(db: Session, term: Term) -> rules.Bonds:
    """What the programme's partnerships mean for matching."""
    known = rows.of_programme(db, term.programme_id)
    if not known:
        return rules.Bonds({}, {})
    return rules.bonds(known, *schools(db, term.programme_id))


def _news_waits(db: Session, partnership_id: PartnershipId) -> bool:
    """Whether somebody who knew of a session is yet to be told what became of it."""
    return any(
        sessions.told_of(payload) is not None
        for session in joint_sessions.of_partnership(db, partnership_id)
        for payload in gathered.untold(db, sessions.stem(session.id)).values()
    )


def _show_anew(db: Session, programme_id: ProgrammeId, partnership_id: PartnershipId) -> None:
    """In the calendars that have joint sessions of this partnership."""
    ids = [session.id for session in joint_sessions.of_partnership(db, partnership_id)]
    if ids:
        seats = [x for some in joint_sessions.attendees(db, ids).values() for x in some]
        feeds.mark_dirty(
            db,
            programme_id=programme_id,
            teacher_ids={x.teacher_id for x in seats if x.teacher_id is not None},
            class_ids=(),
            school_ids={x.school_id for x in seats if x.school_id is not None},
        )


def _own(actor: Actor) -> ProgrammeId:
    programme_id = programmes.own(actor)
    access.require(actor, Action.KEEP_RECORDS, programme_id)
    return programme_id


def schools(
    db: Session, programme_id: ProgrammeId
) -> tuple[tuple[DonorSchool, ...], tuple[ReceivingSchool, ...]]:
    """All that give and all that get lessons in a programme."""
    return school_pledges.schools(db, programme_id), tuple(terms.schools(db, programme_id))


def _one(db: Session, programme_id: ProgrammeId, partnership_id: PartnershipId) -> Partnership:
    found = rows.get(db, partnership_id, programme_id)
    if found is None:
        raise NotFound("There is no such partnership here.")
    return found


def _check(
    db: Session, programme_id: ProgrammeId, told: Terms, others: Iterable[Partnership]
) -> None:
    donors, receivers = schools(db, programme_id)
    found = rules.faults(
        told,
        rules.donor_units(donors),
        rules.receiving_units(receivers),
        [each.terms for each in others],
    )
    if found:
        raise Invalid("Some fields need another look.", fields=found)
