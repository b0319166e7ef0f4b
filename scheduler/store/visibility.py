"""Who sees which rows: the one function that every query for a person starts from."""

from collections.abc import Callable, Collection, Sequence

from sqlalchemy import ColumnElement, Select, Table, and_, false, or_, select, union
from sqlalchemy.orm import Session

from scheduler.domain.access import Actor, Grant, Role
from scheduler.store.tables import (
    certificates,
    classes,
    donor_schools,
    feed_links,
    grants,
    invitations,
    joint_session_attendees,
    joint_sessions,
    lessons,
    outbox,
    partnerships,
    persons,
    plans,
    programmes,
    publications,
    receiving_schools,
    requests,
    runs,
    swaps,
    teachers,
    terms,
)

_Rule = Callable[[Grant], ColumnElement[bool]]


def visible_to(actor: Actor, table: Table) -> ColumnElement[bool]:
    """The rows of `table` that the actor may see; none of a table that has no rule here."""
    rules: Sequence[tuple[Role, _Rule]] = _RULES.get(table.name, ())
    allowed = [
        rule(grant)
        for grant in actor.grants
        for role, rule in rules
        if role is grant.role or (role is Role.COORDINATOR and grant.role is Role.ADMIN)
    ]
    return or_(*allowed) if allowed else false()


def sees(db: Session, actor: Actor, table: Table, row_id: int) -> bool:
    """True when the row exists and the actor may see it: to a stranger both are the same."""
    query = select(table.c.id).where(table.c.id == row_id, visible_to(actor, table))
    return db.execute(query).first() is not None


def seen_among(db: Session, actor: Actor, table: Table, ids: Collection[int]) -> frozenset[int]:
    """Which of these rows exist and are the actor's to see: one query, however many they are."""
    query = select(table.c.id).where(table.c.id.in_(list(ids)), visible_to(actor, table))
    return frozenset(db.scalars(query))


def _terms_of(grant: Grant) -> ColumnElement[bool]:
    return terms.c.programme_id == grant.programme_id


def _schools_of(grant: Grant) -> ColumnElement[bool]:
    return receiving_schools.c.programme_id == grant.programme_id


def _teachers_of_programme(grant: Grant) -> ColumnElement[bool]:
    return teachers.c.programme_id == grant.programme_id


def _people_of(grant: Grant) -> Select[tuple[int]]:
    """Whoever has a role in the programme, or had one as a teacher."""
    having = select(grants.c.person_id).where(grants.c.programme_id == grant.programme_id)
    teaching = select(teachers.c.person_id).where(_teachers_of_programme(grant))
    return select(union(having, teaching).subquery().c.person_id)


def _in_terms(table: Table) -> _Rule:
    return lambda grant: table.c.term_id.in_(select(terms.c.id).where(_terms_of(grant)))


def _swaps_of(grant: Grant) -> ColumnElement[bool]:
    given = select(lessons.c.id).join(terms, lessons.c.term_id == terms.c.id)
    return swaps.c.given_id.in_(given.where(_terms_of(grant)))


def _sessions_of_programme(grant: Grant) -> ColumnElement[bool]:
    own = select(partnerships.c.id).where(partnerships.c.programme_id == grant.programme_id)
    return joint_sessions.c.partnership_id.in_(own)


def _sessions_that_invite(grant: Grant) -> ColumnElement[bool]:
    seats = joint_session_attendees.c
    side = seats.teacher_id == grant.teacher_id
    if grant.role is Role.SCHOOL:
        side = seats.school_id == grant.school_id
    return joint_sessions.c.id.in_(select(seats.session_id).where(seats.invited, side))


def _classes_of_school(grant: Grant) -> ColumnElement[bool]:
    return classes.c.school_id == grant.school_id


def _classes_of_programme(grant: Grant) -> ColumnElement[bool]:
    return classes.c.school_id.in_(select(receiving_schools.c.id).where(_schools_of(grant)))


def _of_own_classes(table: Table) -> _Rule:
    return lambda grant: table.c.class_id.in_(select(classes.c.id).where(_classes_of_school(grant)))


_RULES: dict[str, tuple[tuple[Role, _Rule], ...]] = {
    "terms": tuple((role, _terms_of) for role in Role if role is not Role.ADMIN),
    "receiving_schools": (
        (Role.SCHOOL, lambda grant: receiving_schools.c.id == grant.school_id),
        (Role.COORDINATOR, _schools_of),
    ),
    "classes": (
        (Role.SCHOOL, _classes_of_school),
        (Role.COORDINATOR, _classes_of_programme),
    ),
    "requests": (
        (Role.SCHOOL, _of_own_classes(requests)),
        (Role.COORDINATOR, _in_terms(requests)),
    ),
    "lessons": (
        (Role.TEACHER, lambda grant: lessons.c.teacher_id == grant.teacher_id),
        (Role.SCHOOL, _of_own_classes(lessons)),
        (
            Role.DONOR_HEAD,
            lambda grant: lessons.c.teacher_id.in_(
                select(teachers.c.id).where(teachers.c.donor_school_id == grant.donor_school_id)
            ),
        ),
        (Role.COORDINATOR, _in_terms(lessons)),
    ),
    "teachers": (
        (Role.TEACHER, lambda grant: teachers.c.id == grant.teacher_id),
        (Role.COORDINATOR, _teachers_of_programme),
    ),
    "certificates": (
        (Role.TEACHER, lambda grant: certificates.c.teacher_id == grant.teacher_id),
        (
            Role.COORDINATOR,
            lambda grant: certificates.c.teacher_id.in_(
                select(teachers.c.id).where(_teachers_of_programme(grant))
            ),
        ),
    ),
    "donor_schools": (
        (Role.DONOR_HEAD, lambda grant: donor_schools.c.id == grant.donor_school_id),
        (Role.COORDINATOR, lambda grant: donor_schools.c.programme_id == grant.programme_id),
    ),
    "persons": ((Role.COORDINATOR, lambda grant: persons.c.id.in_(_people_of(grant))),),
    "invitations": (
        (
            Role.SCHOOL,
            lambda grant: and_(
                invitations.c.role == grant.role, invitations.c.school_id == grant.school_id
            ),
        ),
        (
            Role.DONOR_HEAD,
            lambda grant: and_(
                invitations.c.role == grant.role,
                invitations.c.donor_school_id == grant.donor_school_id,
            ),
        ),
        (Role.COORDINATOR, lambda grant: invitations.c.programme_id == grant.programme_id),
    ),
    "programmes": ((Role.COORDINATOR, lambda grant: programmes.c.id == grant.programme_id),),
    "publications": ((Role.COORDINATOR, _in_terms(publications)),),
    "swaps": ((Role.COORDINATOR, _swaps_of),),
    "joint_sessions": (
        (Role.TEACHER, _sessions_that_invite),
        (Role.SCHOOL, _sessions_that_invite),
        (Role.COORDINATOR, _sessions_of_programme),
    ),
    "feed_links": (
        (Role.COORDINATOR, lambda grant: feed_links.c.person_id.in_(_people_of(grant))),
    ),
    "plans": ((Role.COORDINATOR, _in_terms(plans)),),
    "runs": ((Role.COORDINATOR, _in_terms(runs)),),
    # A message of no programme lets somebody in: it is nobody's to look at.
    "outbox": ((Role.COORDINATOR, lambda grant: outbox.c.programme_id == grant.programme_id),),
}
