"""Where lessons meet: a coordinator sets the usual place of the programme and rooms of classes.

Links to lessons stay what they are: the door opens to wherever the lesson meets by then.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from scheduler.domain import access
from scheduler.domain import meetings as rules
from scheduler.domain.access import Action, Actor
from scheduler.domain.people import ClassId, ReceivingSchool, SchoolClass, SchoolId
from scheduler.domain.terms import ProgrammeId
from scheduler.errors import Invalid, Stale, Text
from scheduler.services import programmes
from scheduler.services.context import Context
from scheduler.services.lessons import visible_school
from scheduler.store import audits, terms
from scheduler.store import meetings as rows
from scheduler.store.database import Session


@dataclass(frozen=True, slots=True)
class Usual:
    """`own`: the programme's pattern, None: it goes by that of the installation, `pattern` then."""

    pattern: str
    own: str | None
    seen: str


@dataclass(frozen=True, slots=True)
class Rooms:
    """The classes of a school with the rooms that some have of their own."""

    school: ReceivingSchool
    classes: tuple[SchoolClass, ...]
    own: Mapping[ClassId, str]
    seen: str


def usual(ctx: Context, actor: Actor) -> Usual:
    """Where the programme's lessons usually meet; raises NotFound for who runs none."""
    programme_id = _mine(actor)
    with ctx.reading() as db:
        return _usual(ctx, db, programme_id)


def set_usual(ctx: Context, actor: Actor, typed: str, seen: str) -> None:
    """Let lessons meet there from now on; empty: where the installation has it.

    Raises Invalid by field, Stale when somebody else changed it since it was `seen`.
    """
    programme_id, pattern = _mine(actor), typed.strip() or None
    if pattern is not None and (fault := rules.fault(pattern, shared=True)):
        raise Invalid("Some fields need another look.", fields={"pattern": fault})
    with ctx.transaction() as db:
        terms.lock_programme(db, programme_id)
        found = _usual(ctx, db, programme_id)
        if found.own == pattern:
            return
        if found.seen != seen:
            raise Stale("Somebody else has changed this meanwhile. See how it is now.")
        rows.set_usual(db, programme_id, pattern)
        audits.record(
            db, ctx.now(), actor.person_id, "set_meetings", "programme", programme_id,
            before={"address": found.own}, after={"address": pattern},
        )  # fmt: skip


def _usual(ctx: Context, db: Session, programme_id: ProgrammeId) -> Usual:
    own = next(iter(rows.usual(db, [programme_id])), None)
    return Usual(own or ctx.settings.meeting_url, own, _seen(own))


def of_school(ctx: Context, actor: Actor, school_id: SchoolId) -> Rooms:
    """The rooms of a school's classes; raises NotFound for strangers."""
    with ctx.reading() as db:
        return _rooms(db, actor, school_id)


def set_rooms(
    ctx: Context, actor: Actor, school_id: SchoolId, typed: Mapping[ClassId, str], seen: str
) -> None:
    """Give classes rooms of their own; empty: the usual place.  All or nothing.

    Raises Invalid by the field `room-` and the class's number, Stale when somebody else changed
    one since they were `seen`.
    """
    with ctx.transaction() as db:
        found = _rooms(db, actor, school_id)
        rows.lock_school(db, school_id)
        found = _rooms(db, actor, school_id)
        wanted = {each.id: typed.get(each.id, "").strip() for each in found.classes}
        changed = {key: url or None for key, url in wanted.items() if url != found.own.get(key, "")}
        if not changed:
            return
        if faults := _faults(changed):
            raise Invalid("Some fields need another look.", fields=faults)
        if found.seen != seen:
            raise Stale("Somebody else has changed this meanwhile. See how it is now.")
        rows.change(db, changed)
        audits.record(
            db, ctx.now(), actor.person_id, "set_meetings", "school", school_id,
            before={str(key): found.own.get(key) for key in changed},
            after={str(key): url for key, url in changed.items()},
        )  # fmt: skip


def _faults(rooms: Mapping[ClassId, str | None]) -> dict[str, Text]:
    found = ((key, rules.fault(url, shared=False)) for key, url in rooms.items() if url)
    return {f"room-{key}": fault for key, fault in found if fault}


def _rooms(db: Session, actor: Actor, school_id: SchoolId) -> Rooms:
    school = visible_school(db, actor, school_id)
    programme_id = terms.programme_of_school(db, school_id)
    access.require(actor, Action.IMPORT, programme_id)
    own = rows.of_school(db, school_id)
    return Rooms(school, terms.classes(db, school_id), own, _seen(sorted(own.items())))


def _seen(kept: object) -> str:
    return hashlib.sha256(repr(kept).encode()).hexdigest()[:16]


def _mine(actor: Actor) -> ProgrammeId:
    programme_id = programmes.own(actor)
    access.require(actor, Action.IMPORT, programme_id)
    return programme_id
