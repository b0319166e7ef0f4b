"""The coordinator's day: who is missing now, every lesson of today, and what needs a decision."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from scheduler.domain.checkins import Presence
from scheduler.domain.joint_sessions import JointSession
from scheduler.domain.lessons import LessonState
from scheduler.domain.people import Person
from scheduler.domain.reminders import Side
from scheduler.errors import Text, text
from scheduler.locale import Language
from scheduler.services import addresses, days, decisions
from scheduler.services.context import Context
from scheduler.services.days import DayLesson, Today
from scheduler.services.decisions import Decision, Kind, Waits
from scheduler.services.words import CAUSES, excuse_words
from scheduler.web import charts, frame, guard
from scheduler.web.charts import Strip
from scheduler.web.guard import CoordinatorActor, Ctx
from scheduler.web.pages import planning_steps
from scheduler.web.view import local, render, shown_state

router = APIRouter()

HERE = "/coordinator"
LESSONS = f"{HERE}/lessons"
NEAR = timedelta(hours=2)  # what begins later is folded, and nobody is reminded of it by hand
SHOWN = 8  # decisions; the rest stands on pages of its own
# In the order in which they are counted; the picture says them by a sign as well as by a colour.
STATES = {
    "held": ("main", "✓", "--on-cham"),
    "live": ("gold", "●", "--on-lua"),
    "missing": ("bad", "✕", "--surface"),
    "scheduled": ("soft", "", "--ink"),
    "cover": ("gold", "!", "--on-lua"),
    "not_held": ("bad", "✕", "--surface"),
    "disputed": ("soft", "?", "--ink"),
    "unknown": ("soft", "?", "--ink"),
    "cancelled": ("soft", "–", "--ink-2"),
}
_Typed = Annotated[str, Query(max_length=200)]
_Known = Annotated[str, Query(max_length=20_000)]  # numbers of as many lessons as fail at once


@dataclass(frozen=True, slots=True)
class Tick:
    """How it stands with one side: `tone` y, n or none; `sign`: an icon, empty: none."""

    word: Text | str
    sign: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """The one thing to do about a lesson."""

    label: Text
    href: str


@dataclass(frozen=True, slots=True)
class Line:
    """A lesson of the day as its row; `state`: as the board calls it."""

    lesson: DayLesson
    state: str
    ticks: tuple[Tick, Tick]
    act: Act | None
    near: bool


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody who is missing: whom to reach, and how late they are."""

    side: Side
    person: Person | None


@dataclass(frozen=True, slots=True)
class Alarm:
    """A lesson that has begun without a side.  `waits`: who is there, and since when."""

    line: Line
    late: int
    calls: tuple[Call, ...]
    waits: Person | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Board:
    """The day in values ready to print; `rows`: what the page holds, in a few letters; `known`: the
    lessons that were alarms when the page was last told."""

    today: Today
    counts: tuple[tuple[str, int], ...]
    alarms: tuple[Alarm, ...]
    lines: tuple[Line, ...]
    near: tuple[Line, ...]
    later: tuple[Line, ...]
    past: tuple[Line, ...]
    strip: Strip | None
    rows: str
    fresh: tuple[Alarm, ...] = ()

    @property
    def known(self) -> str:
        return ".".join(str(each.line.lesson.lesson.id) for each in self.alarms)


@router.get(HERE)
def board(
    request: Request, ctx: Ctx, actor: CoordinatorActor, rows: _Typed = "", known: _Known = ""
) -> Response:
    """The page; to htmx, only what can have changed: `rows` and `known` are what it has."""
    seen = days.today(ctx, actor)
    if request.headers.get("hx-request") and rows:
        return _fragment(request, _board(seen, known), rows)
    steps, ahead = planning_steps.steps(ctx, actor)
    return render(
        request,
        "coordinator/today.html",
        board=_board(seen),
        states=STATES,
        wanted=_wanted(request, ctx, decisions.waiting(ctx, actor)),
        steps=steps,
        ahead=ahead,
        faults=addresses.count(ctx, actor),
        fragment=False,
    )


@router.get(f"{HERE}/unreported")
def unreported(request: Request, ctx: Ctx, actor: CoordinatorActor) -> Response:
    found = decisions.unreported(ctx, actor)
    return render(
        request,
        "coordinator/unreported.html",
        section=HERE,
        found=found[:MOST_LISTED],
        count=len(found),
        why=WHY,
        now=ctx.now(),
    )


MOST_LISTED = 200


def _fragment(request: Request, shown: Board, rows: str) -> Response:
    """A page whose lessons are other ones by now loads itself again."""
    response = render(request, "coordinator/_now.html", board=shown, states=STATES, fragment=True)
    if shown.rows != rows:
        response.headers["hx-refresh"] = "true"
    return response


# -- the day


def _board(seen: Today, known: str | None = None) -> Board:
    lines = tuple(_line(each, seen.now) for each in seen.lessons)
    counted = Counter(line.state for line in lines)
    alarms = tuple(_alarm(line, seen.now) for line in lines if line.lesson.missing)
    told = set(known.split(".")) if known is not None else None
    return Board(
        today=seen,
        counts=tuple((state, counted[state]) for state in STATES if counted[state]),
        alarms=alarms,
        lines=lines,
        near=tuple(x for x in lines if x.near and seen.now < x.lesson.lesson.ends_at),
        later=tuple(x for x in lines if not x.near),
        past=tuple(x for x in lines if x.lesson.lesson.ends_at <= seen.now),
        strip=_strip(seen) if lines else None,
        rows=_rows(lines, seen.now),
        fresh=_fresh(alarms, told),
    )


def _fresh(alarms: Sequence[Alarm], told: set[str] | None) -> tuple[Alarm, ...]:
    if told is None:
        return ()
    return tuple(each for each in alarms if str(each.line.lesson.lesson.id) not in told)


def _rows(lines: Sequence[Line], now: datetime) -> str:
    """Which lessons stand in which part of the page: told apart from any other day's or hour's."""
    each = [(x.lesson.lesson, x.near) for x in lines]
    names = [(x.id, x.starts_at.isoformat(), near, x.ends_at <= now) for x, near in each]
    return hashlib.sha256(repr(names).encode()).hexdigest()[:12]


def _strip(seen: Today) -> Strip:
    walls = [(local(x.lesson.starts_at, seen.zone), x.lesson) for x in seen.lessons]
    begins = [(_of_day(at), _minutes(x.starts_at, x.ends_at)) for at, x in walls]
    return charts.strip([(at, at + long) for at, long in begins], _of_day(seen.now))


def _of_day(at: datetime) -> int:
    return at.hour * 60 + at.minute


def _minutes(start: datetime, end: datetime) -> int:
    return max(1, int((end - start).total_seconds()) // 60)


def _line(each: DayLesson, now: datetime) -> Line:
    state = "missing" if each.missing else shown_state(each.lesson, now)
    ticks = _tick(each, Side.TEACHER, now), _tick(each, Side.SCHOOL, now)
    near = each.lesson.starts_at <= now + NEAR
    return Line(each, state, ticks, _act(each, state, near=near), near)


def _tick(each: DayLesson, side: Side, now: datetime) -> Tick:
    lesson = each.lesson
    if side in each.arrived:
        return Tick(f"{local(each.arrived[side], lesson.zone):%H:%M}", "check", "y")
    if each.sides.get(side) is Presence.MISSING:
        return Tick(text("not there"), "x", "n")
    if lesson.state is LessonState.CANCELLED:
        return Tick("–")
    if lesson.ends_at <= now:
        return _told(each, side)
    if side is Side.TEACHER:
        return _promise(each)
    return Tick(text("awaited"), "clock") if side in each.sides else Tick("–")


def _promise(each: DayLesson) -> Tick:
    if each.call is not None:
        asked = local(each.call.asked_at, each.lesson.zone)
        return Tick(text("can't come, {time}", time=asked.time()), "x", "n")
    if each.confirmed:
        return Tick(text("confirmed"), "check", "y")
    return Tick(text("not confirmed"), "clock")


def _told(each: DayLesson, side: Side) -> Tick:
    filed = each.filed.get(side)
    if filed is None:
        return Tick(text("no report"), "clock")
    if filed.report.cause is not None:
        return Tick(CAUSES[filed.report.cause], "x", "n")
    return Tick(text("held"), "check", "y")


def _act(each: DayLesson, state: str, *, near: bool) -> Act | None:
    lesson = each.lesson
    here = f"{LESSONS}/{lesson.id}"
    match state:
        case "missing":
            return Act(text("Deal with it"), f"#alarm-{lesson.id}")
        case "cover":
            return Act(text("See the search"), f"{here}#cover")
        case "live":
            return Act(text("Look in"), f"/j/{lesson.join_token}")
        case "disputed":
            return Act(text("Decide"), f"{here}#settle")
        case "unknown":
            return _remind(each, [x for x in Side if x not in each.filed], text("Ask for a report"))
        case "scheduled" if not each.confirmed and near:
            return _remind(each, [Side.TEACHER], text("Remind the teacher"))
    return None


def _remind(each: DayLesson, sides: Sequence[Side], label: Text) -> Act | None:
    to = [f"to={each.people[side].id}" for side in sides if side in each.people]
    return Act(label, f"{HERE}/write?{'&'.join(to)}") if to else None


def _alarm(line: Line, now: datetime) -> Alarm:
    each = line.lesson
    there = next((side for side in each.arrived if side not in each.missing), None)
    return Alarm(
        line=line,
        late=_minutes(each.lesson.starts_at, now),
        calls=tuple(Call(side, each.people.get(side)) for side in each.missing),
        waits=each.people.get(there) if there else None,
        since=local(each.arrived[there], each.lesson.zone) if there else None,
    )


# -- decisions


WHY: Mapping[Kind, Text] = {
    Kind.DISPUTED: text("Both sides said different things"),
    Kind.ONE_SIDED: text("Only one side has reported"),
    Kind.SILENT: text("Nobody has reported"),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A lesson that waits: why in words, what is known, and where it is dealt with."""

    found: Decision
    why: Text
    detail: Text | str
    act: Act
    overdue: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """What is shown of it, and how many lessons more wait; `silent`: nobody has told of these;
    `unnoted`: joint sessions of which nobody has noted who came."""

    shown: tuple[Wanted, ...]
    more: int
    silent: int
    unnoted: tuple[JointSession, ...]


def _wanted(request: Request, ctx: Context, waits: Waits) -> Listed:
    language = frame.language_of(request, guard.seen(request))
    shown = tuple(_one(each, ctx.now(), language) for each in waits.found[:SHOWN])
    return Listed(shown, len(waits.found) - len(shown), waits.silent, waits.unnoted)


def _one(each: Decision, now: datetime, language: Language) -> Wanted:
    here = f"{LESSONS}/{each.lesson.id}"
    if each.kind is Kind.COVER and each.search:
        left = each.search.call.exhausted_at is not None
        why = text("Looks for cover: nobody is left to ask") if left else text("Looks for cover")
        asked = text("{count} asked", count=len(each.search.offers))
        act = Act(text("See the search"), f"{here}#cover")
        detail = text("{asked} · {reason}", asked=asked,
                      reason=excuse_words(each.search.call.reason, language))  # fmt: skip
        return Wanted(each, why, detail, act, each.due <= now)
    if each.kind is Kind.UNSEEN:
        act = Act(text("Look at it"), here)
        if each.whom:
            act = Act(text("Write"), f"{HERE}/write?to={each.whom.id}")
        why = text("{name} has not seen the change", name=each.lesson.teacher_name)
        return Wanted(each, why, each.whom.phone if each.whom else "", act, overdue=False)
    act = Act(text("Decide"), f"{here}#settle")
    return Wanted(each, WHY[each.kind], "", act, each.due <= now)
