"""The coordinator's mailroom: what goes out and when, each message by itself, and a hand in it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from scheduler.domain import mailroom as rules
from scheduler.domain.access import Actor
from scheduler.domain.forecast import Forecast
from scheduler.domain.mailroom import Post, Why
from scheduler.domain.messages import HELD, Channel, MessageKind, MessageState, OutboxId
from scheduler.errors import Invalid, Text, text
from scheduler.services import mailroom, outbox
from scheduler.services.context import Context
from scheduler.services.mailroom import Search
from scheduler.store.mailroom import Counts, Place
from scheduler.web.forms import Fields, read_day
from scheduler.web.guard import LARGEST_ID, CoordinatorActor, Ctx, Form, RowId
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = "/coordinator/messages"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_Typed = Annotated[str, Query(max_length=80)]

KINDS: dict[MessageKind, Text] = {
    MessageKind.DIGEST: text("The week to come, on Sunday"),
    MessageKind.DAY_BEFORE: text("Reminder, one day before"),
    MessageKind.HOUR_BEFORE: text("Reminder, one hour before"),
    MessageKind.SOON: text("Reminder, minutes before"),
    MessageKind.CHANGES: text("Changes in the timetable"),
    MessageKind.CALLED_OFF: text("A lesson called off"),
    MessageKind.COVER_WANTED: text("A teacher who cannot come"),
    MessageKind.JOINT_DAY: text("Joint session, one day before"),
    MessageKind.JOINT_HOUR: text("Joint session, one hour before"),
    MessageKind.JOINT_NEWS: text("Joint session, invitation or change"),
    MessageKind.NOTE: text("A word from a coordinator"),
}
WAYS: dict[Channel, Text] = {
    Channel.MAIL: text("By mail"),
    Channel.PUSH: text("By a notice in the browser"),
    Channel.SMS: text("By text message"),
    Channel.ZALO: text("By Zalo"),
}
STATES: dict[MessageState, tuple[Text, str, str]] = {  # word, icon, tone
    MessageState.PLANNED: (text("Waiting to be sent"), "clock", "plan"),
    MessageState.LEASED: (text("Being sent now"), "mail", "live"),
    MessageState.SENT: (text("Sent"), "check", "ok"),
    MessageState.FAILED: (text("Could not be delivered"), "x", "bad"),
    MessageState.EXPIRED: (text("Too late, not sent any more"), "clock", "warn"),
    MessageState.CANCELLED: (text("Not needed any more"), "off", ""),
    MessageState.UNKNOWN: (text("Sent, arrival uncertain"), "ask", "ask"),
}
_HELD = (text("Held back"), "stop", "warn")
WHYS: dict[Why, Text] = {
    Why.NO_SUCH_ADDRESS: text("The address does not exist any more."),
    Why.MAILBOX_FULL: text("The mailbox is full."),
    Why.TAKEN_FOR_SPAM: text("The mail server takes our mail for unwanted and turned it down."),
    Why.NOT_NOW: text("The mail server asked us to try again later."),
    Why.REFUSED: text("The mail server turned it down."),
    Why.BAD_ADDRESS: text("The address is not written like a mail address."),
    Why.NO_ANSWER: text("The mail server did not answer."),
    Why.WORKER_GONE: text("The program that sent it ended in the middle of it."),
    Why.OVERTAKEN: text("What it was about changed before it went out."),
    Why.STOPPED: text("A coordinator stopped it."),
    Why.BROKEN: text("The message could not be made. Tell whoever runs this system."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A message in words: `about` and `way`, its state as word, icon and tone, and why it is so.

    `reply`: what the far end said itself; empty when that says no more than `why`.
    """

    post: Post
    about: Text
    way: Text
    word: Text
    sign: str
    tone: str
    why: Text | None
    reply: str


def line(post: Post) -> Line:
    word, sign, tone = _HELD if post.held else STATES[post.state]
    untold = post.state in (MessageState.SENT, MessageState.EXPIRED)
    why = None if untold or post.why is None else WHYS[post.why]
    reply = "" if why is None or post.why is Why.OVERTAKEN else post.reply
    about, way = KINDS[post.kind], WAYS[post.channel]
    return Line(post, about, way, word, sign, tone, why, reply)


# -- the mailroom


@router.get(HERE)
def page(
    request: Request,
    ctx: Ctx,
    actor: CoordinatorActor,
    kind: _Typed = "",
    state: _Typed = "",
    who: _Typed = "",
    day: _Typed = "",
    after: _Typed = "",
) -> Response:
    typed = {"kind": kind, "state": state, "who": who, "day": day}
    wanted_day = read_day(day) if day.strip() else None
    wrong = isinstance(wanted_day, Text)
    search = Search(
        kind=next((each for each in KINDS if each.value == kind), None),
        state=next((each for each in MessageState if each.value == state), None),
        who=who,
        day=wanted_day if isinstance(wanted_day, date) else None,
    )
    room = mailroom.look(ctx, actor, search, read_place(after))
    columns = [state for state in MessageState if any(s is state for _, s in room.counts)]
    return render(
        request,
        "coordinator/messages.html",
        status=422 if wrong else 200,
        room=room,
        zone=room.zone,
        late=sum(each.will_be_late or 0 for each in room.forecasts),
        next=line(room.next) if room.next else None,
        columns=[STATES[state] for state in columns],
        table=list(_table(room.counts, columns)),
        rows=[line(post) for post in room.posts],
        kinds=[("", text("All kinds")), *((kind.value, word) for kind, word in KINDS.items())],
        states=[("", text("All states")), *((s.value, word[0]) for s, word in STATES.items())],
        forecasts=_by_way(room.forecasts),
        now=ctx.now(),
        fragment=False,
        typed=typed,
        errors={"day": wanted_day} if wrong else {},
        more=_address(typed, room.more) if room.more else None,
        first=_address(typed, None) if after else None,
    )


def _table(
    counts: Counts, columns: Iterable[MessageState]
) -> Iterable[tuple[Text, str, list[tuple[int, str | None]], int]]:
    """For each kind of message there is: its word and name, the counts by state, their sum."""
    for kind, word in KINDS.items():
        found = [(counts.get((kind, state), 0), state) for state in columns]
        total = sum(count for count, _ in found)
        if total:
            cells = [
                (n, _address({"kind": kind, "state": s}, None) if n else None) for n, s in found
            ]
            yield word, kind.value, cells, total


def _by_way(forecasts: Iterable[Forecast]) -> list[tuple[Text, Forecast]]:
    return [(WAYS[each.channel], each) for each in forecasts]


def _address(typed: Mapping[str, str], place: Place | None) -> str:
    given = {name: value for name, value in typed.items() if value}
    if place is not None:
        given["after"] = write_place(place)
    return f"{HERE}?{urlencode(given)}#list"


def write_place(place: Place) -> str:
    """1696203000000000.17: microseconds since 1970, and the number of the row."""
    return f"{(place.at - _EPOCH) // _MICROSECOND}.{place.id}"


def read_place(typed: str) -> Place | None:
    """What `write_place` wrote; None for anything else: the list then begins at its beginning."""
    at, dot, row = typed.partition(".")
    if not (dot and at.isdecimal() and row.isdecimal() and len(at) <= 18 and len(row) <= 10):
        return None
    if int(row) > LARGEST_ID:
        return None
    moment = int(at)
    latest = (HELD - _EPOCH) // _MICROSECOND
    return Place(_EPOCH + min(moment, latest) * _MICROSECOND, int(row))


@router.get(f"{HERE}/forecast")
def forecast(request: Request, ctx: Ctx, _actor: CoordinatorActor) -> Response:
    """The forecast alone, for a page that has been open for a while."""
    if "hx-request" not in request.headers:
        return see_other(HERE)
    return render(
        request,
        "coordinator/_forecast.html",
        forecasts=_by_way(mailroom.foresee(ctx)),
        now=ctx.now(),
        fragment=True,
    )


@router.post(f"{HERE}/pause")
def pause(ctx: Ctx, actor: CoordinatorActor, _form: Form) -> Response:
    outbox.pause(ctx, actor)
    return see_other(HERE, text("Sending is paused."))


@router.post(f"{HERE}/resume")
def resume(ctx: Ctx, actor: CoordinatorActor, _form: Form) -> Response:
    outbox.resume(ctx, actor)
    return see_other(HERE, text("Sending goes on."))


# -- the news of a publication, all of it at once; before the paths of one message


@router.post(f"{HERE}/news/now")
def send_news_now(ctx: Ctx, actor: CoordinatorActor, _form: Form) -> Response:
    mailroom.send_news_now(ctx, actor)
    return see_other(HERE, text("The news goes out now."))


@router.post(f"{HERE}/news/hold")
def hold_news(ctx: Ctx, actor: CoordinatorActor, _form: Form) -> Response:
    mailroom.hold_news(ctx, actor)
    return see_other(HERE, text("The news is held back until you let it go."))


@router.post(f"{HERE}/news/release")
def release_news(ctx: Ctx, actor: CoordinatorActor, _form: Form) -> Response:
    mailroom.release_news(ctx, actor)
    return see_other(HERE, text("The news goes out at its time."))


# -- one message


@router.get(f"{HERE}/{{message_id}}")
def message(request: Request, ctx: Ctx, actor: CoordinatorActor, message_id: RowId) -> Response:
    return _message(request, ctx, actor, OutboxId(message_id))


def _message(
    request: Request,
    ctx: Context,
    actor: Actor,
    message_id: OutboxId,
    reason: str = "",
    errors: Mapping[str, Text] | None = None,
) -> Response:
    opened = mailroom.open_one(ctx, actor, message_id)
    return render(
        request,
        "coordinator/message.html",
        status=422 if errors else 200,
        opened=opened,
        line=line(opened.post),
        way=[line(post) for post in opened.way],
        zone=opened.zone,
        stopping=opened.post.open,
        again=rules.may_try_again(opened.post),
        why=reason,
        errors=errors or {},
    )


@router.post(f"{HERE}/{{message_id}}/now")
def send_now(ctx: Ctx, actor: CoordinatorActor, message_id: RowId, _form: Form) -> Response:
    mailroom.send_now(ctx, actor, OutboxId(message_id))
    return see_other(f"{HERE}/{message_id}", text("It goes out now."))


@router.post(f"{HERE}/{{message_id}}/hold")
def hold(ctx: Ctx, actor: CoordinatorActor, message_id: RowId, _form: Form) -> Response:
    mailroom.hold(ctx, actor, OutboxId(message_id))
    return see_other(f"{HERE}/{message_id}", text("It is held back until you let it go."))


@router.post(f"{HERE}/{{message_id}}/release")
def release(ctx: Ctx, actor: CoordinatorActor, message_id: RowId, _form: Form) -> Response:
    mailroom.release(ctx, actor, OutboxId(message_id))
    return see_other(f"{HERE}/{message_id}", text("It goes out at its time."))


@router.post(f"{HERE}/{{message_id}}/stop")
def stop(
    request: Request, ctx: Ctx, actor: CoordinatorActor, message_id: RowId, form: Form
) -> Response:
    fields = Fields(form)
    try:
        reason = fields.text("reason", most=rules.LONGEST_REASON)
        fields.check()
    except Invalid as error:
        typed = fields.typed("reason")
        return _message(request, ctx, actor, OutboxId(message_id), typed, error.fields)
    mailroom.stop(ctx, actor, OutboxId(message_id), reason)
    return see_other(f"{HERE}/{message_id}", text("It will not be sent."))


@router.post(f"{HERE}/{{message_id}}/again")
def again(ctx: Ctx, actor: CoordinatorActor, message_id: RowId, _form: Form) -> Response:
    copy = mailroom.again(ctx, actor, OutboxId(message_id))
    return see_other(f"{HERE}/{copy}", text("A copy goes out now."))
