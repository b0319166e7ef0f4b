"""Doors that open without signing in: a lesson's room, and the end of reminders."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from scheduler.domain.joint_sessions import JointSession
from scheduler.errors import Text, text
from scheduler.locale import Language, translate, wording
from scheduler.services import calendars, joins, reminders
from scheduler.services.joins import CalledOff, Event, Go, Moved, NotYet
from scheduler.services.reminders import StopNotice
from scheduler.web import frame, guard
from scheduler.web.guard import Ctx, KeyedForm
from scheduler.web.view import local, render, title_of

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Said:
    """One language's half of the page."""

    language: str
    title: str
    lesson: str
    facts: tuple[str, ...]
    again: str


# -- the room of a lesson


@router.get("/j/{token}")
def door(request: Request, ctx: Ctx, token: str) -> Response:
    outcome = joins.open_room(ctx, token)
    if isinstance(outcome, Go):
        return RedirectResponse(outcome.url, 302)
    first = frame.language_of(request, guard.seen(request))
    languages = sorted(Language, key=lambda language: language is not first)
    said = [_said(outcome, language, ctx.now()) for language in languages]
    return render(
        request,
        "join/door.html",
        said=said,
        again="" if isinstance(outcome, CalledOff) else f"/j/{token}",
    )


def _said(outcome: NotYet | Moved | CalledOff, language: Language, now: datetime) -> Said:
    say = partial(translate, language=language)
    title, facts = _words(outcome, language, now)
    return Said(
        language.value,
        say(title),
        _where(outcome.lesson, language),
        tuple(map(say, facts)),
        say(text("Try the door again")),
    )


def _where(lesson: Event, language: Language) -> str:
    if isinstance(lesson, JointSession):
        units = f"{lesson.donor_unit} – {lesson.receiving_unit}"
        return f"{calendars.session_title(lesson, language)} · {units}"
    title = translate(title_of(lesson), language)
    return f"{title} · {lesson.school_name}, {lesson.school_district}"


def _words(
    outcome: NotYet | Moved | CalledOff, language: Language, now: datetime
) -> tuple[Text, list[Text]]:
    lesson = outcome.lesson
    when = _when(lesson, language)
    match outcome:
        case CalledOff(by=by, reason=reason):
            facts = [text("It was planned for {when}.", when=when)]
            facts += [text("Called off by {by}.", by=by)] if by else []
            facts += [text("Reason: {reason}", reason=reason)] if reason else []
            return _pick(lesson, *_OFF), facts
        case Moved(moved_from=moved_from, opens_at=opens_at):
            before = _moment(moved_from, lesson, language)
            moved = text("It was planned for {before}. It is now {when}.", before=before, when=when)
            return _pick(lesson, *_MOVED), [moved, _opening(opens_at, lesson, language, now)]
        case NotYet(opens_at=opens_at):
            begins = Text(_pick(lesson, *_IS).msgid, {"when": when})
            opens = _opening(opens_at, lesson, language, now)
            return text("The room is not open yet"), [begins, opens]


_OFF = text("This lesson is called off"), text("This joint session is called off")
_MOVED = text("This lesson was moved"), text("This joint session was moved")
_IS = text("The lesson is {when}."), text("The joint session is {when}.")


def _pick(lesson: Event, of_lesson: Text, of_session: Text) -> Text:
    return of_session if isinstance(lesson, JointSession) else of_lesson


def _opening(opens_at: datetime, lesson: Event, language: Language, now: datetime) -> Text:
    return text(
        "The room opens {moment} ({left}). This same link leads there.",
        moment=_moment(opens_at, lesson, language),
        left=wording.relative(opens_at - now, language),
    )


def _when(lesson: Event, language: Language) -> str:
    start, end = local(lesson.starts_at, lesson.zone), local(lesson.ends_at, lesson.zone)
    return wording.when(start, end, language)


def _moment(instant: datetime, lesson: Event, language: Language) -> str:
    return wording.moment(local(instant, lesson.zone), language)


# -- no more reminders


@router.get("/stop/{token}")
def stop_page(request: Request, ctx: Ctx, token: str) -> Response:
    notice = reminders.describe_stop(ctx, token)
    return _stop_page(request, notice, token)


@router.post("/stop/{token}")
def stop(request: Request, ctx: Ctx, token: str, form: KeyedForm) -> Response:
    """From a button, or from a mail program by itself (List-Unsubscribe-Post)."""
    act = reminders.start if form.get("again") == "yes" else reminders.stop
    return _stop_page(request, act(ctx, token), token)


def _stop_page(request: Request, notice: StopNotice, token: str) -> Response:
    request.state.language = notice.language
    return render(request, "join/stop.html", notice=notice, action=f"/stop/{token}")
