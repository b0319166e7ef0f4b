"""Who has seen the latest change in their calendar: for coordinators."""

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler.domain.subscriptions import SLOW_CLIENTS, Standing, Subscriber
from scheduler.errors import Text, text
from scheduler.services import subscriptions
from scheduler.web.guard import CoordinatorActor, Ctx
from scheduler.web.view import render

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Group:
    """People of one standing: what it means, and its icon and tone."""

    standing: Standing
    title: Text
    why: Text
    sign: str
    tone: str
    rows: tuple["Row", ...]


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


@router.get("/coordinator/calendars")
def page(request: Request, ctx: Ctx, actor: CoordinatorActor) -> Response:
    found = subscriptions.health(ctx, actor)
    unread = found[Standing.LATE] + found[Standing.IN_TIME]
    slow = sum(any(link.client in SLOW_CLIENTS for link in who.links) for who in unread)
    return render(
        request,
        "coordinator/calendars.html",
        groups=[_group(standing, people) for standing, people in found.items()],
        total=sum(map(len, found.values())),
        read=len(found[Standing.READ]),
        slow=slow,
        zone=ctx.settings.timezone,
    )


def _group(standing: Standing, people: tuple[Subscriber, ...]) -> Group:
    return Group(standing, *_WORDS[standing], tuple(map(_row, people)))


def _row(who: Subscriber) -> Row:
    reads = [link.last_read_at for link in who.links if link.last_read_at is not None]
    return Row(
        who=who,
        clients=tuple(dict.fromkeys(link.client for link in who.links if link.client)),
        read_at=max(reads, default=None),
    )
