"""Who has seen the latest change in their calendar: for coordinators."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from scheduler.domain.subscriptions import SLOW_CLIENTS, Standing, Subscriber
from scheduler.errors import Text, text
from scheduler.services import subscriptions
from scheduler.web.guard import CoordinatorActor, Ctx
from scheduler.web.pages.people import Number, pages_of
from scheduler.web.view import render

router = APIRouter()


HERE = "/coordinator/calendars"
AT_FIRST, AT_ONCE = 20, 100  # people of each group, and of the one that was chosen
_Of = Annotated[str, Query(alias="group", max_length=10)]


@dataclass(frozen=True, slots=True)
class Group:
    """People of one standing: what it means, and its icon and tone; of `count` those in `rows` are
    shown, on one of the `pages`."""

    standing: Standing
    title: Text
    why: Text
    sign: str
    tone: str
    count: int
    rows: tuple["Row", ...]
    pages: list[tuple[int, str | None]]


@dataclass(frozen=True, slots=True)
class Row:
    """`clients` are the programs of the person's links, each once; `read_at` by any of them."""

    who: Subscriber
    clients: tuple[str, ...]
    read_at: datetime | None


_WORDS: dict[Standing, tuple[Text, Text, str, str]] = {
    Standing.LATE: (
        text("Will not see it in time"),
        text("Their calendar looks again only after the lesson has begun. Write or call."),
        "alert",
        "bad",
    ),
    Standing.ASLEEP: (
        text("Calendar asleep"),
        text("No program has read their link for a week, or ever. Ask whether it is set up."),
        "clock",
        "warn",
    ),
    Standing.NONE: (
        text("No calendar link"),
        text("They only know what a mail or a colleague told them."),
        "off",
        "warn",
    ),
    Standing.IN_TIME: (
        text("Not read yet, will be in time"),
        text("Their calendar should look again before the lesson begins."),
        "clock",
        "plan",
    ),
    Standing.READ: (
        text("Have read the latest change"),
        text("Their calendar has it, or they said that they saw it."),
        "check",
        "ok",
    ),
}


@router.get(HERE)
def page(
    request: Request, ctx: Ctx, actor: CoordinatorActor, of: _Of = "", number: Number = 1
) -> Response:
    found = subscriptions.health(ctx, actor)
    unread = found[Standing.LATE] + found[Standing.IN_TIME]
    slow = sum(any(link.client in SLOW_CLIENTS for link in who.links) for who in unread)
    chosen = next((each for each in Standing if each == of), None)
    return render(
        request,
        "coordinator/calendars.html",
        groups=[
            _group(standing, people, number if standing is chosen else None)
            for standing, people in found.items()
            if chosen in (None, standing)
        ],
        chosen=chosen.value if chosen else "",
        total=sum(map(len, found.values())),
        read=len(found[Standing.READ]),
        slow=slow,
        zone=ctx.settings.timezone,
    )


def _group(standing: Standing, people: tuple[Subscriber, ...], number: int | None) -> Group:
    """The first of them, or the page of that number."""
    shown = people[:AT_FIRST] if number is None else people[(number - 1) * AT_ONCE :][:AT_ONCE]
    pages = pages_of(HERE, len(people), number or 1, {"group": standing.value}, AT_ONCE)
    return Group(standing, *_WORDS[standing], len(people), tuple(map(_row, shown)), pages)


def _row(who: Subscriber) -> Row:
    reads = [link.last_read_at for link in who.links if link.last_read_at is not None]
    return Row(
        who=who,
        clients=tuple(dict.fromkeys(link.client for link in who.links if link.client)),
        read_at=max(reads, default=None),
    )
