"""Programs that are told of changes: kept, claimed for a try, and what came of it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from scheduler.domain import webhooks as rules
from scheduler.domain.lessons import LessonId
from scheduler.domain.terms import ProgrammeId
from scheduler.domain.webhooks import (
    Delivery,
    DeliveryId,
    DeliveryState,
    Endpoint,
    EndpointId,
    Event,
    Trouble,
)
from scheduler.store import webhook_events
from scheduler.store.tables import webhook_deliveries, webhook_endpoints, webhook_secrets

_END, _WAY = webhook_endpoints.c, webhook_deliveries.c
_WAITS = _WAY.state == DeliveryState.WAITING


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is ours to try until `until`; `failures`: of its receiver, in a row."""

    id: DeliveryId
    endpoint_id: EndpointId
    event_id: str
    event: str
    body: str
    since: datetime
    attempts: int
    until: datetime
    sealed_address: str
    sealed_secrets: tuple[str, ...]
    failures: int


# -- as coordinators see them


def of_programme(db: Session, programme_id: ProgrammeId, now: datetime) -> tuple[Endpoint, ...]:
    """The receivers of a programme, in the order in which they were added."""
    rows = db.execute(_endpoints(now).where(_END.programme_id == programme_id).order_by(_END.id))
    return tuple(map(_endpoint, rows))


def get(db: Session, programme_id: ProgrammeId, endpoint_id: int, now: datetime) -> Endpoint | None:
    """One of them; None where it is no receiver of this programme."""
    mine = (_END.programme_id == programme_id, _END.id == endpoint_id)
    row = db.execute(_endpoints(now).where(*mine)).one_or_none()
    return None if row is None else _endpoint(row)


def sealed_addresses(db: Session, ids: Collection[EndpointId]) -> dict[EndpointId, str]:
    rows = db.execute(select(_END.id, _END.sealed_address).where(_END.id.in_(list(ids))))
    return {EndpointId(row.id): row.sealed_address for row in rows}


def lock(db: Session, endpoint_id: EndpointId) -> None:
    """Let nobody else change a receiver meanwhile, and nothing new be told to it."""
    db.execute(select(_END.id).where(_END.id == endpoint_id).with_for_update())


def add(
    db: Session,
    programme_id: ProgrammeId,
    name: str,
    sealed: str,
    events: Collection[Event],
    now: datetime,
) -> EndpointId:
    made = db.scalar(
        insert(webhook_endpoints)
        .values(
            programme_id=programme_id,
            name=name,
            sealed_address=sealed,
            events=sorted(events),
            active=True,
            made_at=now,
            failures=0,
        )
        .returning(_END.id)
    )
    return EndpointId(made or 0)


def change(db: Session, endpoint_id: EndpointId, name: str, events: Collection[Event]) -> None:
    mine = update(webhook_endpoints).where(_END.id == endpoint_id)
    db.execute(mine.values(name=name, events=sorted(events)))


def new_secret(db: Session, endpoint_id: EndpointId, sealed: str, now: datetime) -> None:
    """Let a secret sign from now on; the one before signs as well for a while, older ones go."""
    row = webhook_secrets.c
    mine = row.endpoint_id == endpoint_id
    db.execute(delete(webhook_secrets).where(mine, row.ends_at.is_not(None)))
    db.execute(update(webhook_secrets).where(mine).values(ends_at=now + rules.BOTH_SECRETS))
    db.execute(insert(webhook_secrets).values(endpoint_id=endpoint_id, sealed=sealed))


def set_active(db: Session, endpoint_id: EndpointId, now: datetime, *, active: bool) -> bool:
    """Pause or go on; False when it was so already.  What waited has its whole day again."""
    changed = db.execute(
        update(webhook_endpoints)
        .where(_END.id == endpoint_id, _END.active.is_not(active))
        .values(active=active, failures=0, rests_until=None)
        .returning(_END.id)
    )
    if changed.first() is None:
        return False
    if active:
        waiting = (_WAY.endpoint_id == endpoint_id, _WAITS)
        db.execute(update(webhook_deliveries).where(*waiting).values(since=now))
    return True


def remove(db: Session, endpoint_id: EndpointId) -> None:
    """Forget a receiver with all that was on its way; the caller has locked it."""
    db.execute(delete(webhook_deliveries).where(_WAY.endpoint_id == endpoint_id))
    db.execute(delete(webhook_secrets).where(webhook_secrets.c.endpoint_id == endpoint_id))
    db.execute(delete(webhook_endpoints).where(_END.id == endpoint_id))


def deliveries(
    db: Session, endpoint_id: EndpointId, most: int, before: int | None = None
) -> tuple[Delivery, ...]:
    """The newest that went or go to a receiver; `before`: those older than this one."""
    mine = select(webhook_deliveries).where(_WAY.endpoint_id == endpoint_id)
    if before is not None:
        mine = mine.where(_WAY.id < before)
    return tuple(map(_delivery, db.execute(mine.order_by(_WAY.id.desc()).limit(most))))


def one_delivery(db: Session, endpoint_id: EndpointId, delivery_id: int) -> Delivery | None:
    mine = (_WAY.endpoint_id == endpoint_id, _WAY.id == delivery_id)
    row = db.execute(select(webhook_deliveries).where(*mine)).one_or_none()
    return None if row is None else _delivery(row)


def body(db: Session, delivery_id: DeliveryId) -> str:
    """What is sent, to the letter."""
    found: str = db.scalars(select(_WAY.body).where(_WAY.id == delivery_id)).one()
    return found


def tell(
    db: Session, endpoint_id: EndpointId, event_id: str, event: str, text: str, now: datetime
) -> None:
    """Have a receiver told something that is about no lesson."""
    row = webhook_events.delivery(endpoint_id, event_id, event, text, now)
    db.execute(insert(webhook_deliveries).values(row))


def again(
    db: Session, endpoint_id: EndpointId, now: datetime, delivery_id: int | None = None
) -> int:
    """Send what ended once more: this one, or all that failed; how many."""
    which = (
        _WAY.state == DeliveryState.FAILED
        if delivery_id is None
        else (_WAY.id == delivery_id) & (_WAY.state != DeliveryState.WAITING)
    )
    fresh = {"state": DeliveryState.WAITING, "attempts": 0, "since": now, "next_at": now,
             "ended_at": None}  # fmt: skip
    mine = update(webhook_deliveries).where(_WAY.endpoint_id == endpoint_id, which)
    done = len(db.execute(mine.values(fresh).returning(_WAY.id)).all())
    if done:
        rested = {"failures": 0, "rests_until": None}
        db.execute(update(webhook_endpoints).where(_END.id == endpoint_id).values(rested))
    return done


# -- on the way


def any_due(db: Session, now: datetime) -> bool:
    return bool(_ready(db, now))


def _ready(db: Session, now: datetime) -> list[EndpointId]:
    """Receivers to which something is to go now: whoever was asked longest ago first."""
    due = select(_WAY.id).where(_WAY.endpoint_id == _END.id, _WAITS, _WAY.next_at <= now).exists()
    rested = or_(_END.rests_until.is_(None), _END.rests_until <= now)
    query = select(_END.id).where(_END.active, rested, due)
    return [EndpointId(x) for x in db.scalars(query.order_by(_END.last_try_at.nulls_first()))]


def claim(db: Session, now: datetime, lease: timedelta) -> Claim | None:
    """Take the next delivery that may go, so that nobody else tries it meanwhile.

    What a receiver is told of one lesson goes in the order in which it happened: a later event
    waits for the end of an earlier one.  Who vanishes holds it for the lease only.
    """
    for endpoint_id in _ready(db, now):
        found = db.scalar(_next_of(endpoint_id, now))
        taken = db.execute(
            update(webhook_deliveries)
            .where(_WAY.id == found, _WAITS, _WAY.next_at <= now)
            .values(next_at=now + lease, attempts=_WAY.attempts + 1)
            .returning(webhook_deliveries)
        ).first()
        if taken is not None:
            tried = update(webhook_endpoints).where(_END.id == endpoint_id)
            end = db.execute(tried.values(last_try_at=now).returning(webhook_endpoints)).one()
            return _claim(taken, end, _secrets(db, endpoint_id, now))
    return None


def _next_of(endpoint_id: EndpointId, now: datetime) -> Select[tuple[int]]:
    earlier = webhook_deliveries.alias("earlier")
    held_up = (
        select(earlier.c.id)
        .where(
            earlier.c.endpoint_id == _WAY.endpoint_id,
            earlier.c.lesson_id == _WAY.lesson_id,
            earlier.c.state == DeliveryState.WAITING,
            earlier.c.id < _WAY.id,
        )
        .exists()
    )
    return (
        select(_WAY.id)
        .where(_WAY.endpoint_id == endpoint_id, _WAITS, _WAY.next_at <= now, ~held_up)
        .order_by(_WAY.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def _secrets(db: Session, endpoint_id: EndpointId, now: datetime) -> tuple[str, ...]:
    """Those that are good, the newest first."""
    row = webhook_secrets.c
    good = or_(row.ends_at.is_(None), row.ends_at > now)
    mine = select(row.sealed).where(row.endpoint_id == endpoint_id, good)
    return tuple(db.scalars(mine.order_by(row.id.desc())))


def delivered(db: Session, claim: Claim, status: int, said: str, now: datetime) -> bool:
    """It was taken; False when the claim is not ours any more, and nothing is written then."""
    ended = {"state": DeliveryState.DELIVERED, "ended_at": now, "trouble": None}
    if not _end(db, claim, **ended, status=status, said=said):
        return False
    good = {"failures": 0, "rests_until": None, "failing_since": None, "last_good_at": now}
    db.execute(update(webhook_endpoints).where(_END.id == claim.endpoint_id).values(good))
    return True


def failed(
    db: Session, claim: Claim, trouble: Trouble, status: int | None, said: str, now: datetime
) -> bool:
    """The try failed: it goes again later, or is given up; False as in `delivered`."""
    again_at = rules.next_try(claim.attempts, claim.since, now)
    told = {"trouble": trouble, "status": status, "said": said}
    over = {"state": DeliveryState.FAILED, "ended_at": now}
    if not _end(db, claim, **told, **({"next_at": again_at} if again_at else over)):
        return False
    failures = claim.failures + 1
    values: dict[str, Any] = {"failures": failures, "rests_until": rules.rest(failures, now)}
    if again_at is None:
        _give_up(db, claim.endpoint_id, told | over, now)
        values["failing_since"] = func.coalesce(_END.failing_since, now)
    db.execute(update(webhook_endpoints).where(_END.id == claim.endpoint_id).values(values))
    return True


def _give_up(db: Session, endpoint_id: EndpointId, values: dict[str, Any], now: datetime) -> None:
    """All that is as old and was not taken either: one by one it would take for ever."""
    old = (_WAY.endpoint_id == endpoint_id, _WAITS, _WAY.since <= now - rules.GIVE_UP)
    db.execute(update(webhook_deliveries).where(*old, _WAY.next_at <= now).values(values))


def _end(db: Session, claim: Claim, **values: object) -> bool:
    held = (_WAY.id == claim.id, _WAITS, _WAY.next_at == claim.until)
    ended = update(webhook_deliveries).where(*held).values(values).returning(_WAY.id)
    return db.execute(ended).first() is not None


# -- rows to values


def _endpoints(now: datetime) -> Select[Any]:
    def count(state: DeliveryState) -> Any:
        mine = (_WAY.endpoint_id == _END.id, _WAY.state == state)
        return select(func.count()).where(*mine).correlate(webhook_endpoints).scalar_subquery()

    row = webhook_secrets.c
    both = select(func.max(row.ends_at)).where(row.endpoint_id == _END.id, row.ends_at > now)
    return select(
        webhook_endpoints,
        count(DeliveryState.WAITING).label("waiting"),
        count(DeliveryState.FAILED).label("failed"),
        both.correlate(webhook_endpoints).scalar_subquery().label("both_until"),
    )


def _endpoint(row: Row[Any]) -> Endpoint:
    return Endpoint(
        id=EndpointId(row.id),
        name=row.name,
        events=rules.wanted(row.events),
        active=row.active,
        made_at=row.made_at,
        last_good_at=row.last_good_at,
        failing_since=row.failing_since,
        rests_until=row.rests_until,
        both_until=row.both_until,
        waiting=row.waiting,
        failed=row.failed,
    )


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=DeliveryId(row.id),
        event_id=row.event_id,
        event=row.event,
        lesson_id=None if row.lesson_id is None else LessonId(row.lesson_id),
        sequence=row.sequence,
        state=DeliveryState(row.state),
        made_at=row.made_at,
        attempts=row.attempts,
        next_at=row.next_at,
        ended_at=row.ended_at,
        trouble=None if row.trouble is None else Trouble(row.trouble),
        status=row.status,
        said=row.said,
    )


def _claim(row: Row[Any], end: Row[Any], secrets: tuple[str, ...]) -> Claim:
    return Claim(
        id=DeliveryId(row.id),
        endpoint_id=EndpointId(end.id),
        event_id=row.event_id,
        event=row.event,
        body=row.body,
        since=row.since,
        attempts=row.attempts,
        until=row.next_at,
        sealed_address=end.sealed_address,
        sealed_secrets=secrets,
        failures=end.failures,
    )
