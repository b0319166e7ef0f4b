"""What the desks' tests add to the cast: drafts, a published timetable, more requests."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from scheduler.domain.plans import Gap, Placement, PlanId
from scheduler.domain.requests import NewRequest, RequestId, Slot
from scheduler.services import plans
from scheduler.services.context import Context
from scheduler.store import lessons, requests, tables
from scheduler.store import plans as drafts
from tests.cast import FIRST, LAST, T0, Cast, minutes

WED, THU = date(2023, 10, 4), date(2023, 10, 5)


def plain(page: Any) -> str:
    """What a page says, without its markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


def at(
    cast: Cast, day: date, clock: str = "07:30", klass: str = "7A", teacher: int = 1
) -> Placement:
    """A lesson of 45 minutes."""
    start = minutes(clock)
    request = RequestId(cast[f"request_{klass}"])
    return Placement(request, day, start, start + 45, cast[f"teacher{teacher}"])


def draft(
    ctx: Context, cast: Cast, *placements: Placement, gaps: tuple[Gap, ...] = (), **more: Any
) -> PlanId:
    with ctx.transaction() as db:
        return drafts.save(
            db,
            term_id=cast["term"],
            created_by=cast["person_coordinator"],
            now=ctx.now(),
            cost=1250.0,
            lower_bound=1000.0,
            requested=26,
            seconds=5.0,
            seed=1,
            input_hash="",
            placements=placements,
            gaps=gaps,
            **more,
        )


def publish(ctx: Context, cast: Cast, *placements: Placement) -> PlanId:
    """These lessons as the timetable that everybody sees."""
    plan_id = draft(ctx, cast, *placements)
    coordinator = cast.actors["coordinator"]
    seen = plans.preview(ctx, coordinator, plan_id)
    plans.publish(ctx, coordinator, plan_id, seen.fingerprint)
    return plan_id


def lesson_of(ctx: Context, cast: Cast, klass: str = "7A"):
    """The first lesson of a class."""
    with ctx.reading() as db:
        return lessons.find(db, class_id=cast[klass])[0]


def ask(ctx: Context, cast: Cast, klass: str = "7A") -> RequestId:
    """One more request of the class."""
    slot = Slot(3, minutes("08:25"), minutes("08:25") + 45, 0)
    new = NewRequest(klass, 1, FIRST, LAST, 2, (slot,))
    with ctx.transaction() as db:
        return requests.insert(db, cast["term"], cast[klass], new, T0, None)


def asked(ctx: Context, cast: Cast, school: str = "A"):
    """What a school has asked for and not taken back."""
    with ctx.reading() as db:
        return requests.of_school(db, cast["term"], cast[school])


def add_run(ctx: Context, cast: Cast, state: str, now: datetime, **more: object) -> int:
    """A run as it stands in the middle of its work, or after it."""
    values = {
        "term_id": cast["term"], "state": state, "asked_by": cast["person_coordinator"],
        "asked_at": now, "seconds_limit": 60.0, "seed": 1, "elapsed": 0.0,
        "cancel_asked": False, "attempts": 1,
    } | more  # fmt: skip
    with ctx.transaction() as db:
        made = db.execute(tables.runs.insert().values(**values).returning(tables.runs.c.id))
        return int(made.scalar_one())


def count(ctx: Context, table: sa.Table) -> int:
    with ctx.reading() as db:
        return int(db.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


@contextmanager
def queries(ctx: Context) -> Iterator[list[str]]:
    """The statements that reading takes while this lasts."""
    seen: list[str] = []

    def note(_conn, _cursor, statement, *_rest) -> None:
        seen.append(statement)

    sa.event.listen(ctx.database.reader, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(ctx.database.reader, "before_cursor_execute", note)
