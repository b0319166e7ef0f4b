"""Can you stand in?  The page behind the buttons of the mail that asks a teacher."""

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from scheduler.domain.cover import OfferId, Reply, Standing
from scheduler.errors import Conflict, Invalid, Text, text
from scheduler.locale import Language
from scheduler.services import offers
from scheduler.services.context import Context
from scheduler.services.offers import Question
from scheduler.services.words import Wall, lesson_words
from scheduler.web import frame, guard
from scheduler.web.forms import Fields
from scheduler.web.guard import Ctx, Form, KeyedForm, RowId, TeacherActor
from scheduler.web.view import render, see_other

router = APIRouter()

LONGEST_REASON = 150
_HEADINGS: dict[Standing, Text] = {
    Standing.OPEN: text("Can you stand in?"),
    Standing.YOURS: text("You give this lesson. Thank you!"),
    Standing.DECLINED: text("You can't this time. Thank you for telling us."),
    Standing.LAPSED: text("The time for an answer is over"),
    Standing.QUICKER: text("Somebody was quicker. Thank you!"),
    Standing.SETTLED: text("This lesson needs nobody any more"),
}
_NOTES: dict[Standing, Text] = {
    Standing.YOURS: text("It is in your calendar, and reminders will come. The school knows."),
    Standing.LAPSED: text("There is nothing left for you to do. Thank you for looking."),
    Standing.QUICKER: text("The class has its teacher. There is nothing left for you to do."),
    Standing.SETTLED: text("There is nothing left for you to do. Thank you for looking."),
}


@router.get("/o/{token}")
def mailed_page(request: Request, ctx: Ctx, token: str) -> Response:
    found = offers.question(ctx, offers.of_link(ctx, token))
    request.state.language = found.person.language
    return _page(request, ctx, found, f"/o/{token}")


@router.post("/o/{token}")
def mailed_answer(request: Request, ctx: Ctx, token: str, form: KeyedForm) -> Response:
    offer_id = offers.of_link(ctx, token)
    request.state.language = offers.question(ctx, offer_id).person.language
    return _answer(request, ctx, offer_id, form, f"/o/{token}")


@router.get("/teacher/offers/{offer_id}")
def own_page(request: Request, ctx: Ctx, actor: TeacherActor, offer_id: RowId) -> Response:
    found = offers.question(ctx, offers.of_actor(ctx, actor, OfferId(offer_id)))
    return _page(request, ctx, found, f"/teacher/offers/{offer_id}")


@router.post("/teacher/offers/{offer_id}")
def own_answer(
    request: Request, ctx: Ctx, actor: TeacherActor, offer_id: RowId, form: Form
) -> Response:
    own = offers.of_actor(ctx, actor, OfferId(offer_id))
    return _answer(request, ctx, own, form, f"/teacher/offers/{offer_id}")


def _answer(
    request: Request, ctx: Context, offer_id: OfferId, form: FormData, here: str
) -> Response:
    """A form without a choice acts on nothing: some programs that look through mail send forms."""
    fields = Fields(form)
    try:
        said, reason = _read(fields)
        offers.reply(ctx, offer_id, said, reason)
    except (Invalid, Conflict) as fault:
        return _page(request, ctx, offers.question(ctx, offer_id), here, fields, fault)
    return see_other(here)


def _read(fields: Fields) -> tuple[Reply, str]:
    if not fields.typed("answer"):
        fields.errors["answer"] = text("Choose your answer, then send it.")
    fields.check(text("Nothing was sent yet."))
    said = fields.choice("answer", Reply)
    reason = fields.text("reason", most=LONGEST_REASON, needed=False)
    fields.check(text("Nothing was sent yet."))
    return said, reason


def _page(
    request: Request,
    ctx: Context,
    found: Question,
    here: str,
    typed: Fields | None = None,
    fault: Invalid | Conflict | None = None,
) -> Response:
    language = frame.language_of(request, guard.seen(request))
    wall = Wall(Language(language), found.person.zone)
    faults = fault.fields if isinstance(fault, Invalid) else {}
    problems = list(faults.items())
    if isinstance(fault, Conflict):
        problems = [("answer", text("Please say that you can't, or call your coordinator."))]
    return render(
        request,
        "join/offer.html",
        status=_status(fault),
        section="/teacher",
        lesson=lesson_words(found.lesson, wall, ctx.settings.base_url, own=True),
        question=found,
        until=wall.moment(found.offer.deadline, found.lesson.zone),
        heading=_HEADINGS[found.standing],
        note=_NOTES.get(found.standing),
        typed={name: typed.typed(name) if typed else "" for name in ("answer", "reason")},
        errors={name: faults.get(name) for name in ("answer", "reason")},
        problems=problems,
        title=fault.message if fault else "",
        most=LONGEST_REASON,
        here=here,
    )


def _status(fault: Invalid | Conflict | None) -> int:
    if fault is None:
        return 200
    return 422 if isinstance(fault, Invalid) else 409
