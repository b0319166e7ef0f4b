"""Will you be there?  The page behind a mail's buttons, and the same for who is signed in."""

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from scheduler.domain.answers import LONGEST_WORDS, Excuse, Reason, Reply, Standing
from scheduler.domain.lessons import LessonId
from scheduler.domain.reminders import AHEAD
from scheduler.errors import Invalid, Text, text
from scheduler.locale import Language
from scheduler.services import answers
from scheduler.services.answers import Asked, Question
from scheduler.services.context import Context
from scheduler.services.words import REASONS, Wall, excuse_words, lesson_words
from scheduler.web import frame, guard
from scheduler.web.forms import Fields
from scheduler.web.guard import Ctx, Form, KeyedForm, RowId, TeacherActor
from scheduler.web.view import render, see_other

router = APIRouter()

_FIELDS = ("answer", "reason", "words")
_HEADINGS: dict[Standing, Text] = {
    Standing.ASKED: text("Will you be there?"),
    Standing.CONFIRMED: text("You will be there. Thank you!"),
    Standing.LOOKING: text("We are looking for somebody to stand in"),
    Standing.CHANGED: text("This lesson has changed since"),
    Standing.OTHER_TEACHER: text("This lesson is no longer yours"),
    Standing.CALLED_OFF: text("This lesson is called off"),
    Standing.BEGUN: text("This lesson has begun"),
}
_SAD = text("You can't give this lesson?")
_NOTES: dict[Standing, Text] = {
    Standing.CONFIRMED: text("No more reminders of this lesson come, unless you chose so."),
    Standing.LOOKING: text(
        "The coordinators know. Until somebody takes it over, you stay responsible for it."
    ),
    Standing.CHANGED: text("The mail you opened told an older time. This is how it stands now."),
    Standing.OTHER_TEACHER: text("Somebody else gives it. There is nothing left for you to do."),
    Standing.CALLED_OFF: text("It does not take place. There is nothing left for you to do."),
    Standing.BEGUN: text("Nothing can be answered any more. In need, call your coordinator."),
}


@router.get("/a/{token}")
def mailed_page(request: Request, ctx: Ctx, token: str, say: str = "") -> Response:
    """`say`: which of the mail's two answers was opened; nothing is said by that."""
    found = answers.question(ctx, answers.of_link(ctx, token))
    request.state.language = found.person.language
    return _page(request, ctx, found, f"/a/{token}", sad=say == Reply.CANNOT)


@router.post("/a/{token}")
def mailed_answer(request: Request, ctx: Ctx, token: str, form: KeyedForm) -> Response:
    asked = answers.of_link(ctx, token)
    request.state.language = answers.question(ctx, asked).person.language
    return _answer(request, ctx, asked, form, f"/a/{token}")


@router.get("/teacher/lessons/{lesson_id}/answer")
def own_page(
    request: Request, ctx: Ctx, actor: TeacherActor, lesson_id: RowId, say: str = ""
) -> Response:
    found = answers.question(ctx, answers.of_actor(actor, LessonId(lesson_id)))
    return _page(request, ctx, found, _own_path(lesson_id), sad=say == Reply.CANNOT)


@router.post("/teacher/lessons/{lesson_id}/answer")
def own_answer(
    request: Request, ctx: Ctx, actor: TeacherActor, lesson_id: RowId, form: Form
) -> Response:
    asked = answers.of_actor(actor, LessonId(lesson_id))
    return _answer(request, ctx, asked, form, _own_path(lesson_id))


def _own_path(lesson_id: int) -> str:
    return f"/teacher/lessons/{lesson_id}/answer"


def _answer(request: Request, ctx: Context, asked: Asked, form: FormData, here: str) -> Response:
    """A form without a choice acts on nothing: some programs that look through mail send forms."""
    fields = Fields(form)
    try:
        said, excuse = _read(fields)
    except Invalid as fault:
        sad = fields.typed("answer") == Reply.CANNOT
        return _page(request, ctx, answers.question(ctx, asked), here, fields, fault, sad=sad)
    found = answers.reply(ctx, asked, said, excuse)
    if request.headers.get("hx-request"):
        return _fragment(request, ctx, found, wide=bool(fields.typed("wide")))
    return see_other(here)


def _read(fields: Fields) -> tuple[Reply, Excuse | None]:
    if not fields.typed("answer"):
        fields.errors["answer"] = text("Choose your answer, then send it.")
    fields.check(text("Nothing was sent yet."))
    said = fields.choice("answer", Reply)
    fields.check(text("Nothing was sent yet."))
    if said is not Reply.CANNOT:
        return said, None
    if not fields.typed("reason"):
        fields.errors["reason"] = text("Say why, so that the coordinators can help.")
    fields.check(text("Nothing was sent yet."))
    reason = fields.choice("reason", Reason)
    words = fields.text("words", most=LONGEST_WORDS, needed=reason is Reason.OTHER)
    fields.check(text("Nothing was sent yet."))
    return said, Excuse(reason, words)


def _fragment(request: Request, ctx: Context, found: Question, *, wide: bool) -> Response:
    """The answer alone, for the page that the lesson is shown on."""
    now, confirmed = ctx.now(), found.standing is Standing.CONFIRMED
    return render(
        request,
        "teacher/_answer.html",
        lesson=found.lesson,
        now=now,
        near=now + AHEAD,
        confirmed={found.lesson.id} if confirmed else set(),
        wide=wide,
        spoken=_HEADINGS[found.standing],
    )


def _page(
    request: Request,
    ctx: Context,
    found: Question,
    here: str,
    typed: Fields | None = None,
    fault: Invalid | None = None,
    *,
    sad: bool,
) -> Response:
    """`sad`: the reasons in front, for who said that they cannot come."""
    language = frame.language_of(request, guard.seen(request))
    wall = Wall(Language(language), found.person.zone)
    call, faults = found.call, fault.fields if fault else {}
    return render(
        request,
        "join/answer.html",
        status=422 if fault else 200,
        section="/teacher",
        lesson=lesson_words(found.lesson, wall, ctx.settings.base_url, own=True),
        question=found,
        heading=_SAD if sad and found.standing is Standing.ASKED else _HEADINGS[found.standing],
        sad=sad,
        note=_NOTES.get(found.standing),
        reason=excuse_words(call.reason, language) if call else "",
        progress=_progress(found, wall),
        reasons=[(x.value, words) for x, words in REASONS.items() if x is not Reason.OTHER],
        typed={name: typed.typed(name) if typed else "" for name in _FIELDS},
        errors={name: faults.get(name) for name in _FIELDS},
        problems=list(faults.items()),
        title=fault.message if fault else "",
        most=LONGEST_WORDS,
        here=here,
    )


def _progress(found: Question, wall: Wall) -> tuple[Text, ...]:
    """How the search for cover goes, in words."""
    seen = found.progress
    if seen is None:
        return ()
    asked = text("Asked so far: {asked}. Declined: {declined}.",
                 asked=seen.asked, declined=seen.declined)  # fmt: skip
    if seen.next_at is None:
        return asked, text("Nobody else is asked by itself now. Your coordinator looks after it.")
    when = wall.moment(seen.next_at, found.lesson.zone)
    return asked, text("If nobody accepts, the next are asked: {when}.", when=when)
