"""Programs that are told of changes: added, looked after, and told once more."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from scheduler.domain.webhooks import (
    LONGEST_ADDRESS,
    Delivery,
    DeliveryState,
    Event,
    Trouble,
)
from scheduler.services import webhooks
from scheduler.services.context import Context
from scheduler.services.webhooks import NewSecret, Shown
from scheduler.web.api.bodies import Body, Name, example
from scheduler.web.api.paging import Paged, newest_first
from scheduler.web.guard import LARGEST_ID, ApiActor, Ctx, RowId

router = APIRouter(prefix="/webhooks", tags=["webhooks"])
Events = Annotated[frozenset[Event], Field(min_length=1, max_length=len(Event))]


@dataclass(frozen=True, slots=True)
class WebhookOut:
    """A program that is told.  `address` is empty where it can no longer be opened;
    `failing_since`: since when something was given up on; `both_until`: until then the secret
    before the present one signs as well."""

    id: int
    name: str
    address: str
    events: list[Event]
    active: bool
    made_at: datetime
    last_good_at: datetime | None
    failing_since: datetime | None
    both_until: datetime | None
    waiting: int
    failed: int


@dataclass(frozen=True, slots=True)
class SecretOut:
    """The secret that signs from now on: no other answer ever shows it."""

    webhook: int
    secret: str


@dataclass(frozen=True, slots=True)
class DeliveryOut:
    """One event on its way to one program; `said`: how the last answer began."""

    id: int
    event_id: str
    event: str
    lesson: int | None
    state: DeliveryState
    made_at: datetime
    attempts: int
    next_at: datetime
    ended_at: datetime | None
    trouble: Trouble | None
    status: int | None
    said: str


@dataclass(frozen=True, slots=True)
class SentOut:
    """A delivery, and its body to the letter."""

    delivery: DeliveryOut
    body: str


@dataclass(frozen=True, slots=True)
class AgainOut:
    """How many deliveries are on their way once more."""

    deliveries: int


class WebhookIn(Body):
    """A public https address, and the events that it is told."""

    name: Name
    address: Annotated[str, Field(min_length=1, max_length=LONGEST_ADDRESS)]
    events: Events

    model_config = example(
        name="Sổ của trường", address="https://example.vn/chungtay",
        events=["lesson.moved", "lesson.cancelled"],
    )  # fmt: skip


class WebhookChangeIn(Body):
    """Another name, or other events; its address stays."""

    name: Name
    events: Events

    model_config = example(name="Sổ của trường", events=["lesson.moved"])


def _webhook(found: Shown) -> WebhookOut:
    end = found.endpoint
    return WebhookOut(
        id=end.id,
        name=end.name,
        address=found.address,
        events=sorted(end.events),
        active=end.active,
        made_at=end.made_at,
        last_good_at=end.last_good_at,
        failing_since=end.failing_since,
        both_until=end.both_until,
        waiting=end.waiting,
        failed=end.failed,
    )


def _delivery(way: Delivery) -> DeliveryOut:
    return DeliveryOut(
        id=way.id,
        event_id=way.event_id,
        event=way.event,
        lesson=way.lesson_id,
        state=way.state,
        made_at=way.made_at,
        attempts=way.attempts,
        next_at=way.next_at,
        ended_at=way.ended_at,
        trouble=way.trouble,
        status=way.status,
        said=way.said,
    )


def _secret(made: NewSecret) -> SecretOut:
    return SecretOut(made.endpoint_id, made.secret)


def _one(ctx: Context, actor: ApiActor, webhook_id: int) -> WebhookOut:
    return _webhook(webhooks.desk(ctx, actor, webhook_id).shown)


@router.get("")
def listed(ctx: Ctx, actor: ApiActor, paged: Paged) -> list[WebhookOut]:
    """The programs that are told of changes in a coordinator's programme."""
    found = webhooks.listed(ctx, actor)
    return [_webhook(each) for each in paged.cut(found, lambda each: (each.endpoint.id,))]


@router.post("", status_code=201)
def add(ctx: Ctx, actor: ApiActor, body: WebhookIn) -> SecretOut:
    """Have a program told of these events from now on; this answer alone shows its secret."""
    return _secret(webhooks.add(ctx, actor, body.name, body.address, body.events))


@router.get("/{webhook_id}")
def one(ctx: Ctx, actor: ApiActor, webhook_id: RowId) -> WebhookOut:
    """One program that is told, and how it stands with it."""
    return _one(ctx, actor, webhook_id)


@router.put("/{webhook_id}")
def change(ctx: Ctx, actor: ApiActor, webhook_id: RowId, body: WebhookChangeIn) -> WebhookOut:
    """Give it another name, or tell it of other events from now on."""
    webhooks.change(ctx, actor, webhook_id, body.name, body.events)
    return _one(ctx, actor, webhook_id)


@router.delete("/{webhook_id}", status_code=204)
def remove(ctx: Ctx, actor: ApiActor, webhook_id: RowId) -> None:
    """Tell a program nothing any more, not even what is on its way."""
    webhooks.remove(ctx, actor, webhook_id)


@router.post("/{webhook_id}/rotate", status_code=201)
def rotate(ctx: Ctx, actor: ApiActor, webhook_id: RowId) -> SecretOut:
    """Make a new secret; for a day the former one signs as well."""
    return _secret(webhooks.rotate(ctx, actor, webhook_id))


@router.post("/{webhook_id}/pause")
def pause(ctx: Ctx, actor: ApiActor, webhook_id: RowId) -> WebhookOut:
    """Send nothing until it goes on; what happens meanwhile is kept."""
    webhooks.pause(ctx, actor, webhook_id)
    return _one(ctx, actor, webhook_id)


@router.post("/{webhook_id}/resume")
def resume(ctx: Ctx, actor: ApiActor, webhook_id: RowId) -> WebhookOut:
    """Go on sending, with what was kept first."""
    webhooks.resume(ctx, actor, webhook_id)
    return _one(ctx, actor, webhook_id)


@router.post("/{webhook_id}/test", status_code=204)
def test(ctx: Ctx, actor: ApiActor, webhook_id: RowId) -> None:
    """Send something that means nothing, to see whether it arrives."""
    webhooks.test(ctx, actor, webhook_id)


@router.post("/{webhook_id}/again")
def again_all(ctx: Ctx, actor: ApiActor, webhook_id: RowId) -> AgainOut:
    """Send once more all that was given up on, in the order in which it happened."""
    return AgainOut(webhooks.again_all(ctx, actor, webhook_id))


@router.get("/{webhook_id}/deliveries")
def deliveries(ctx: Ctx, actor: ApiActor, webhook_id: RowId, paged: Paged) -> list[DeliveryOut]:
    """What went to a program or is on its way, the newest first."""
    before = LARGEST_ID - paged.after[0] if paged.after else None
    found = webhooks.desk(ctx, actor, webhook_id, before, paged.limit + 1).deliveries
    return [_delivery(each) for each in paged.cut(found, lambda each: newest_first(each.id))]


@router.get("/{webhook_id}/deliveries/{delivery_id}")
def delivery(ctx: Ctx, actor: ApiActor, webhook_id: RowId, delivery_id: RowId) -> SentOut:
    """One delivery, and what is sent, to the letter."""
    way, body = webhooks.told(ctx, actor, webhook_id, delivery_id)
    return SentOut(_delivery(way), body)


@router.post("/{webhook_id}/deliveries/{delivery_id}/again")
def again(ctx: Ctx, actor: ApiActor, webhook_id: RowId, delivery_id: RowId) -> DeliveryOut:
    """Send one delivery once more, to the letter."""
    webhooks.again(ctx, actor, webhook_id, delivery_id)
    return _delivery(webhooks.told(ctx, actor, webhook_id, delivery_id)[0])
