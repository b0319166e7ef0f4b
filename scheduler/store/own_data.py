"""All that is kept of one person: read whole for their copy, and taken away when they go.

One list of places for both, so that no table can be in the one and not in the other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Select,
    Table,
    delete,
    func,
    literal,
    or_,
    select,
    union,
    update,
)
from sqlalchemy.orm import Session

from scheduler.domain.access import Role
from scheduler.domain.lessons import Deed, LessonState
from scheduler.domain.messages import OPEN_STATES, MessageState
from scheduler.domain.people import PersonId
from scheduler.domain.retention import without_words
from scheduler.store import feeds, gathered, queue, tables
from scheduler.store.tables import lesson_history, lessons, outbox, persons, pledges, teachers


class Fate(StrEnum):
    """What erasure does to the rows of a place."""

    GOES = "goes"  # the whole row
    SAYS_NOTHING = "says_nothing"  # the row stays, its words go
    STAYS = "stays"  # it holds a number that leads to a former volunteer, and nothing else


@dataclass(frozen=True, slots=True)
class Place:
    """A column that leads to a person, and what its rows are.

    `hidden`: what is left out of their copy: secrets, hashes, and what is of use to machines only.
    `words`: what erasure empties.  `not_shown`: why the rows are not in the copy at all.
    """

    column: Column[Any]
    fate: Fate
    hidden: frozenset[str] = frozenset()
    words: Mapping[str, object] = field(default_factory=dict)
    not_shown: str = ""

    @property
    def table(self) -> Table:
        return self.column.table

    @property
    def name(self) -> str:
        return f"{self.table.name}.{self.column.name}"


def _place(
    name: str,
    fate: Fate,
    hidden: Iterable[str] = (),
    words: Mapping[str, object] | None = None,
    not_shown: str = "",
) -> Place:
    table, column = name.split(".")
    found = tables.metadata.tables[table].c[column]
    return Place(found, fate, frozenset(hidden), words or {}, not_shown)


_OFFICE = "what they did in an office; each deed is a line of the record, which is shown"
_PLAN = "drafts of a timetable; the lessons that came of them are shown"
_KEY = "a secret that only its owner's device can use"
_LISTS = "lists of an office, about other people; gone after a day"
_SAME = "the same row as by another column"

PLACES = (
    _place("teachers.person_id", Fate.STAYS),
    _place("grants.person_id", Fate.GOES),
    _place("grants.teacher_id", Fate.GOES, not_shown=_SAME),
    _place("pledges.teacher_id", Fate.STAYS),
    _place("pledge_levels.pledge_id", Fate.STAYS),
    _place("availability.pledge_id", Fate.GOES),
    _place("absences.pledge_id", Fate.GOES),
    _place("school_wishes.pledge_id", Fate.GOES),
    _place("busy_times.teacher_id", Fate.GOES),
    _place("busy_sources.teacher_id", Fate.GOES, hidden=("sealed_address", "etag", "fault")),
    _place(
        "certificates.teacher_id",
        Fate.SAYS_NOTHING,
        words={"school": "", "months": []},
    ),
    _place("certificates.issued_by", Fate.STAYS, not_shown=_OFFICE),
    _place("lessons.teacher_id", Fate.STAYS, hidden=("join_token", "cancelled_by")),
    _place("handovers.teacher_id", Fate.STAYS),
    _place("lesson_history.person_id", Fate.SAYS_NOTHING, words={"reason": ""}),
    _place("lesson_history.teacher_id", Fate.STAYS, not_shown="the lessons as they are are shown"),
    _place("pins.owner_id", Fate.SAYS_NOTHING, words={"note": ""}),
    _place("swaps.asker_id", Fate.SAYS_NOTHING, words={"words": ""}),
    _place("swaps.asked_id", Fate.STAYS, hidden=("words",)),
    _place("reports.reported_by", Fate.SAYS_NOTHING, words={"note": ""}),
    _place("check_ins.person_id", Fate.STAYS),
    _place(
        "briefs.written_by",
        Fate.SAYS_NOTHING,
        words={"unit": "", "pages": "", "done": "", "next": ""},
    ),
    _place("confirmations.person_id", Fate.STAYS),
    _place("joint_session_attendees.person_id", Fate.STAYS),
    _place("joint_session_attendees.teacher_id", Fate.STAYS, not_shown=_SAME),
    _place("sightings.person_id", Fate.STAYS),
    _place("cover_calls.teacher_id", Fate.SAYS_NOTHING, words={"reason": ""}),
    _place("offers.teacher_id", Fate.SAYS_NOTHING, words={"reason": ""}),
    _place("outbox.person_id", Fate.SAYS_NOTHING, hidden=(
        "key", "payload", "follows_id", "attempts", "next_try_at", "lease_owner", "lease_token",
        "lease_until", "phase", "message_id",
    ), words={"provider_reply": "", "last_error": ""}),
    _place("reminder_choices.person_id", Fate.GOES),
    _place("push_devices.person_id", Fate.GOES, hidden=("endpoint_hash", "sealed")),
    _place("plan_lessons.teacher_id", Fate.STAYS, not_shown=_PLAN),
    _place("plans.created_by", Fate.SAYS_NOTHING, words={"note": ""}, not_shown=_OFFICE),
    _place("publications.published_by", Fate.STAYS, not_shown=_OFFICE),
    _place("runs.asked_by", Fate.STAYS, not_shown=_OFFICE),
    _place("requests.created_by", Fate.STAYS, not_shown=_OFFICE),
    _place("sign_ins.person_id", Fate.GOES, hidden=(
        "token_hash", "browser_hash", "code_hash", "mailbox", "email", "request_id",
    )),
    _place("sessions.person_id", Fate.GOES, hidden=(
        "series_hash", "token_hash", "csrf", "former_hash", "challenge",
    )),
    _place("authenticators.person_id", Fate.GOES, hidden=("sealed_secret", "last_step")),
    _place("passkeys.person_id", Fate.GOES, hidden=("credential_id", "public_key", "sign_count")),
    _place("recovery_codes.person_id", Fate.GOES, not_shown=_KEY),
    _place("access_tokens.person_id", Fate.GOES, hidden=("jti",)),
    _place("invitations.accepted_by", Fate.GOES, hidden=("token_hash",)),
    _place("invitations.invited_by", Fate.STAYS, not_shown=_OFFICE),
    _place("uploads.person_id", Fate.GOES, not_shown=_LISTS),
    _place("address_changes.person_id", Fate.GOES, hidden=("token_hash",)),
    _place("feed_links.person_id", Fate.GOES, hidden=("token_hash",)),
    _place("audits.person_id", Fate.STAYS),
)  # fmt: skip


# -- reading


def copy(db: Session, person_id: int) -> dict[str, list[dict[str, object]]]:
    """Every row that is kept of a person, by place, as JSON values; no secret is among them."""
    profile = select(persons).where(persons.c.id == person_id)
    found = {"persons": _rows(db, profile, frozenset())}
    for place in PLACES:
        if not place.not_shown:
            query = select(place.table).where(_of(place, person_id))
            query = query.order_by(*place.table.primary_key.columns)
            found[place.name] = _rows(db, query, place.hidden)
    return found


def _rows(db: Session, query: Select[Any], hidden: frozenset[str]) -> list[dict[str, object]]:
    return [
        {name: _plain(value) for name, value in row._mapping.items() if name not in hidden}
        for row in db.execute(query)
    ]


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime | date) else value


def _of(place: Place, person_id: int) -> ColumnElement[bool]:
    """The rows of a place that lead to this person, straight or by a promise."""
    (target,) = (key.column.table for key in place.column.foreign_keys)
    if target is persons:
        return place.column == person_id
    own = select(teachers.c.id).where(teachers.c.person_id == person_id)
    if target is teachers:
        return place.column.in_(own)
    return place.column.in_(select(pledges.c.id).where(pledges.c.teacher_id.in_(own)))


# -- taking away


def is_erased(db: Session, person_id: PersonId) -> bool:
    """Whether nothing but the number is left of the person."""
    query = select(persons.c.erased_at).where(persons.c.id == person_id)
    return db.scalar(query) is not None


def claim_erasure(db: Session, person_id: int, name: str, now: datetime) -> str | None:
    """Make a nobody of a person, called so; the former name, or None when that was done before."""
    held = select(persons).where(persons.c.id == person_id, persons.c.erased_at.is_(None))
    before = db.execute(held.with_for_update()).first()
    if before is None:
        return None
    db.execute(
        update(persons)
        .where(persons.c.id == person_id)
        .values(
            email=f"erased-{person_id}@erased.invalid",
            name=name,
            phone="",
            zone=None,
            mail_fault=None,
            mail_fault_at=None,
            active=False,
            reminders=False,
            erased_at=now,
        )
    )
    _forget_invitations(db, person_id, before.email)
    _forget_wishes(db, before.email)
    _forget_name(db, person_id, before.name)
    return str(before.name)


def erase(db: Session, person_id: int, name: str, now: datetime) -> None:
    """Take away what leads to a person and speaks of them, in the transaction of the claim."""
    _withdraw(db, person_id, name, now)
    _silence(db, person_id)
    for place in reversed(PLACES):  # what refers to a row goes ahead of it
        where = _of(place, person_id)
        if place.fate is Fate.GOES:
            db.execute(delete(place.table).where(where))
        elif place.words:
            db.execute(update(place.table).where(where).values(dict(place.words)))
    _origins(db, person_id)
    feeds.mark_all_dirty(db)  # colleagues' and schools' calendars name who gave a lesson


def _withdraw(db: Session, person_id: int, name: str, now: datetime) -> None:
    own = teachers.c.person_id == person_id
    db.execute(update(teachers).where(own, teachers.c.left_at.is_(None)).values(left_at=now))
    papers = tables.certificates
    mine = papers.c.teacher_id.in_(select(teachers.c.id).where(own))
    db.execute(update(papers).where(mine).values(name=name))
    db.execute(update(papers).where(mine, papers.c.withdrawn_at.is_(None)).values(withdrawn_at=now))


def _silence(db: Session, person_id: int) -> None:
    """No message waits for them any more, and none says anything."""
    mine = outbox.c.person_id == person_id
    waiting = select(outbox.c.id).where(mine, outbox.c.state.in_(OPEN_STATES))
    queue.change(db, outbox.c.id.in_(waiting), **queue.freed(MessageState.CANCELLED))
    _say_nothing(db, mine)


def _say_nothing(db: Session, which: ColumnElement[bool]) -> None:
    for row in db.execute(select(outbox.c.id, outbox.c.payload).where(which)).all():
        bare = without_words(row.payload)
        db.execute(update(outbox).where(outbox.c.id == row.id).values(payload=bare))


def _forget_invitations(db: Session, person_id: int, email: str) -> None:
    """Those to their address which nobody took, too; and the mails of others that hold them."""
    theirs = (tables.invitations.c.email == email) | (tables.invitations.c.accepted_by == person_id)
    gone = db.scalars(
        delete(tables.invitations).where(theirs).returning(tables.invitations.c.id)
    ).all()
    for invitation_id in gone:
        name = f"invitation:{invitation_id}:"
        gathered.void_named(db, name)
        _say_nothing(db, outbox.c.key.startswith(name, autoescape=True))


def _forget_wishes(db: Session, email: str) -> None:
    """Others who wanted to have this very address, and links to it that no beat has seen."""
    for table in (tables.address_changes, tables.sign_ins):
        db.execute(delete(table).where(table.c.email == email))


def _forget_name(db: Session, person_id: int, name: str) -> None:
    """Lessons and joint sessions that they called off say who did, by name."""
    theirs = select(lesson_history.c.lesson_id).where(
        lesson_history.c.person_id == person_id, lesson_history.c.deed == Deed.CALLED_OFF
    )
    off = lessons.c.id.in_(theirs), lessons.c.cancelled_by == name
    db.execute(update(lessons).where(*off).values(cancelled_by="", cancel_reason=""))
    met, line = tables.joint_sessions, tables.audits
    ended = select(line.c.subject_id).where(
        line.c.person_id == person_id, line.c.action == "call_off_joint_session"
    )
    gone = met.c.id.in_(ended), met.c.cancelled_by == name
    db.execute(update(met).where(*gone).values(cancelled_by="", cancel_reason=""))


def _origins(db: Session, person_id: int) -> None:
    line, origin = tables.audits, tables.audit_origins
    about = (line.c.subject == "person") & (line.c.subject_id == person_id)
    theirs = select(line.c.id).where(or_(line.c.person_id == person_id, about))
    db.execute(delete(origin).where(origin.c.audit_id.in_(theirs)))


# -- whether and when


def lessons_ahead(db: Session, person_id: int, now: datetime) -> int:
    """How many lessons they are still to give."""
    own = select(teachers.c.id).where(teachers.c.person_id == person_id)
    query = select(func.count()).where(
        lessons.c.teacher_id.in_(own),
        lessons.c.ends_at > now,
        lessons.c.state.in_((LessonState.SCHEDULED, LessonState.COVER)),
    )
    return int(db.scalar(query) or 0)


def is_under_way(db: Session, key: str, now: datetime) -> bool:
    """Whether a message is still to be sent, and still of use."""
    query = select(outbox.c.id).where(
        outbox.c.key == key, outbox.c.state.in_(OPEN_STATES), outbox.c.useless_after > now
    )
    return db.execute(query).first() is not None


@dataclass(frozen=True, slots=True)
class Concerned:
    """Somebody whose data a programme keeps."""

    person_id: PersonId
    name: str
    email: str
    language: str
    roles: tuple[str, ...]


def erased_since(db: Session, since: datetime) -> int:
    """How many were erased since then: nobody can tell them anything any more."""
    query = select(func.count()).select_from(persons).where(persons.c.erased_at >= since)
    return int(db.scalar(query) or 0)


def concerned(db: Session, until: datetime, programme: str | None) -> tuple[Concerned, ...]:
    """Whose data were here before that instant, and who can still be told; by address.

    `programme`: its code; None: every programme.
    """
    grants = tables.grants
    having = select(grants.c.person_id, grants.c.role, grants.c.programme_id)
    teaching = select(teachers.c.person_id, literal(Role.TEACHER.value), teachers.c.programme_id)
    roles = union(having, teaching).subquery()
    query = (
        select(persons, roles.c.role)
        .join(roles, roles.c.person_id == persons.c.id)
        .join(tables.programmes, tables.programmes.c.id == roles.c.programme_id)
        .where(persons.c.created_at < until, persons.c.erased_at.is_(None))
        .order_by(persons.c.email, roles.c.role)
        .distinct()
    )
    if programme is not None:
        query = query.where(tables.programmes.c.code == programme)
    found: dict[int, Concerned] = {}
    for row in db.execute(query):
        old = found.get(row.id)
        told = (*(old.roles if old else ()), str(row.role))
        found[row.id] = Concerned(PersonId(row.id), row.name, row.email, row.language, told)
    return tuple(found.values())
