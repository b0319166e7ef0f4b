"""Reading the record: what a person may see of it is what they may see of its subjects."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, func, or_, select
from sqlalchemy.orm import Session

from scheduler.domain.access import Actor
from scheduler.domain.audits import Line
from scheduler.store import tables
from scheduler.store.audits import line_of
from scheduler.store.tables import audits, persons
from scheduler.store.visibility import visible_to


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for; empty parts are left out.  `before`: only lines older than this one."""

    who: str = ""
    action: str = ""
    subject: str = ""
    subject_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    words: str = ""
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line, who did it (empty: the system), and whom it is about if it is about a person."""

    line: Line
    by: str
    about: str


# The table in which a subject's number is to be seen.
SEEN_IN: Mapping[str, Table] = {
    "lesson": tables.lessons,
    "person": tables.persons,
    "teacher": tables.teachers,
    "school": tables.receiving_schools,
    "donor_school": tables.donor_schools,
    "request": tables.requests,
    "plan": tables.plans,
    "run": tables.runs,
    "publication": tables.publications,
    "programme": tables.programmes,
    "term": tables.terms,
    "swap": tables.swaps,
    "joint_session": tables.joint_sessions,
    "message": tables.outbox,
    "feed_link": tables.feed_links,
    "certificate": tables.certificates,
    "invitation": tables.invitations,
}


def find(db: Session, actor: Actor, wanted: Wanted, most: int) -> tuple[Entry, ...]:
    """The newest lines first; one query, whatever is found."""
    about = persons.alias("about")
    query = (
        select(audits, persons.c.name.label("by_name"), about.c.name.label("about_name"))
        .outerjoin(persons, audits.c.person_id == persons.c.id)
        .outerjoin(about, and_(audits.c.subject == "person", audits.c.subject_id == about.c.id))
        .where(_seen_by(actor), *_where(wanted))
        .order_by(audits.c.id.desc())
        .limit(most)
    )
    rows = db.execute(query)
    return tuple(Entry(line_of(row), row.by_name or "", row.about_name or "") for row in rows)


def _where(wanted: Wanted) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    for name in ("action", "subject", "subject_id"):
        if getattr(wanted, name):
            where.append(audits.c[name] == getattr(wanted, name))
    if wanted.since is not None:
        where.append(audits.c.at >= wanted.since)
    if wanted.until is not None:
        where.append(audits.c.at < wanted.until)
    if wanted.before is not None:
        where.append(audits.c.id < wanted.before)
    if wanted.words:
        where.append(audits.c.reason.icontains(wanted.words, autoescape=True))
    if wanted.who:
        named = select(persons.c.id).where(_named(persons.c.name, persons.c.email, wanted.who))
        whose = and_(audits.c.subject == "person", audits.c.subject_id.in_(named))
        where.append(or_(audits.c.person_id.in_(named), whose))
    return where


def _named(name: Any, email: Any, who: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = or_(
        name.icontains(who, autoescape=True), func.lower(email) == who.lower()
    )
    return found


def _seen_by(actor: Actor) -> ColumnElement[bool]:
    """Lines whose subject the actor sees; of those about nothing in particular, those of people
    whom they see."""
    seen = [
        and_(
            audits.c.subject == name,
            audits.c.subject_id.in_(select(table.c.id).where(visible_to(actor, table))),
        )
        for name, table in SEEN_IN.items()
    ]
    people = select(persons.c.id).where(visible_to(actor, persons))
    alone = and_(audits.c.subject_id.is_(None), audits.c.person_id.in_(people))
    return or_(*seen, alone)
