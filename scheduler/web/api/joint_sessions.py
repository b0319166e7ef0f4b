"""Joint sessions of partnerships, for the coordinators of their programme."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from scheduler.domain.joint_sessions import (
    LONGEST_URL,
    Answer,
    Attendee,
    JointSession,
    JointSessionId,
    Wish,
)
from scheduler.domain.lessons import LessonState
from scheduler.domain.partnerships import PartnershipId
from scheduler.domain.people import PersonId
from scheduler.services import joint_lists, joint_sessions
from scheduler.services.joint_sessions import Opened
from scheduler.web.api.beliefs import Believed, tag
from scheduler.web.api.bodies import Body, Id, Ids, Instant, Name, Seen, Words, example
from scheduler.web.api.lessons import Since, Until
from scheduler.web.api.paging import Paged, by_time
from scheduler.web.guard import ApiActor, Ctx, RowId

router = APIRouter(tags=["joint sessions"])

Room = Annotated[str | None, Field(min_length=1, max_length=LONGEST_URL)]


@dataclass(frozen=True, slots=True)
class GuestOut:
    """Somebody who can be invited; `usual`: is so unless the coordinator says otherwise."""

    person: int
    name: str
    place: str
    usual: bool


@dataclass(frozen=True, slots=True)
class InvitedOut:
    """Somebody who is invited; null: they have not answered, or nobody noted who came."""

    person: int
    name: str
    place: str
    answer: Answer | None
    attended: bool | None


@dataclass(frozen=True, slots=True)
class SessionOut:
    """A joint session; instants carry their zone.  `meeting_url` null: the programme's place."""

    id: int
    partnership: int
    donor_unit: str
    receiving_unit: str
    title: str
    state: LessonState
    starts_at: datetime
    ends_at: datetime
    sequence: int
    meeting_url: str | None
    cancel_reason: str
    moved_from: datetime | None


@dataclass(frozen=True, slots=True)
class OneOut:
    """A session with whom it invites; the fingerprint goes back with a change of it."""

    session: SessionOut
    invited: list[InvitedOut]
    fingerprint: str


_EXAMPLE = {
    "title": "Dạy ngữ âm qua trò chơi",
    "starts_at": "2023-10-19T14:00+07:00",
    "ends_at": "2023-10-19T15:30+07:00",
}


class PlanIn(Body):
    """A new session of a partnership; `people`: whom to invite, by their numbers."""

    partnership: Id
    title: Name
    starts_at: Instant
    ends_at: Instant
    people: Ids
    meeting_url: Room = None

    model_config = example(partnership=3, people=[12, 41], **_EXAMPLE)


class ChangeIn(Body):
    """The session as it is to be from now on, and the fingerprint of how it was seen, where
    that is not sent as If-Match."""

    title: Name
    starts_at: Instant
    ends_at: Instant
    people: Ids
    meeting_url: Room = None
    fingerprint: Seen | None = None

    model_config = example(people=[12, 41, 57], fingerprint="5f0c2f9a1b3d4e6f", **_EXAMPLE)


class OffIn(Body):
    """Why it does not take place; everybody invited reads it."""

    reason: Words
    fingerprint: Seen | None = None

    model_config = example(reason="Nhà trường mất điện", fingerprint="5f0c2f9a1b3d4e6f")


def _wish(body: PlanIn | ChangeIn) -> Wish:
    people = frozenset(map(PersonId, body.people))
    return Wish(body.title, body.starts_at, body.ends_at, body.meeting_url, people)


def _session(found: JointSession) -> SessionOut:
    return SessionOut(
        id=found.id,
        partnership=found.partnership_id,
        donor_unit=found.donor_unit,
        receiving_unit=found.receiving_unit,
        title=found.title,
        state=found.state,
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        sequence=found.sequence,
        meeting_url=found.meeting_url,
        cancel_reason=found.cancel_reason,
        moved_from=found.moved_from,
    )


def _invited(each: Attendee) -> InvitedOut:
    return InvitedOut(each.person_id, each.name, each.place, each.answer, each.attended)


def _one(found: Opened) -> OneOut:
    return OneOut(_session(found.session), list(map(_invited, found.invited)), found.marker)


@router.get("/joint-sessions")
def between(
    ctx: Ctx, actor: ApiActor, paged: Paged, since: Since, until: Until
) -> list[SessionOut]:
    """The sessions of a coordinator's programme that touch the span, in order of time."""
    found = joint_lists.between(ctx, actor, since, until)
    told = paged.cut(found, lambda each: by_time(each.starts_at, each.id))
    return [_session(each) for each in told]


@router.get("/partnerships/{partnership_id}/guests")
def guests(ctx: Ctx, actor: ApiActor, partnership_id: RowId) -> list[GuestOut]:
    """Who can be invited to a session of a partnership."""
    found = joint_sessions.planner(ctx, actor, PartnershipId(partnership_id)).guests
    return [GuestOut(each.person_id, each.name, each.place, each.usual) for each in found]


@router.get("/joint-sessions/{joint_session_id}")
def one(ctx: Ctx, actor: ApiActor, joint_session_id: RowId, response: Response) -> OneOut:
    """One session with whom it invites."""
    found = joint_sessions.look(ctx, actor, JointSessionId(joint_session_id))
    tag(response, found.marker)
    return _one(found)


@router.post("/joint-sessions")
def plan(ctx: Ctx, actor: ApiActor, body: PlanIn) -> OneOut:
    """Plan a session: everybody invited hears of it.  Sent twice it is one."""
    made = joint_sessions.plan(ctx, actor, PartnershipId(body.partnership), _wish(body))
    return _one(joint_sessions.look(ctx, actor, made))


@router.post("/joint-sessions/{joint_session_id}/change")
def change(
    ctx: Ctx, actor: ApiActor, joint_session_id: RowId, belief: Believed, body: ChangeIn
) -> OneOut:
    """Another topic, time, room or other people: exactly those concerned are told."""
    which = JointSessionId(joint_session_id)
    joint_sessions.change(ctx, actor, which, _wish(body), belief.seen(body.fingerprint))
    return _one(joint_sessions.look(ctx, actor, which))


@router.post("/joint-sessions/{joint_session_id}/call-off")
def call_off(
    ctx: Ctx, actor: ApiActor, joint_session_id: RowId, belief: Believed, body: OffIn
) -> OneOut:
    """Call it off for everybody invited."""
    which = JointSessionId(joint_session_id)
    joint_sessions.call_off(ctx, actor, which, body.reason, belief.seen(body.fingerprint))
    return _one(joint_sessions.look(ctx, actor, which))
