"""Lists with their faults marked in them: short ones at once, long ones ordered and waited for."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.imports import MOST_FILES, UploadId
from scheduler.errors import Conflict, Text
from scheduler.services import marked
from scheduler.services.context import Context
from scheduler.web.guard import UPLOADS, CoordinatorActor, Ctx, Form, RowId
from scheduler.web.pages.imports import XLSX, download
from scheduler.web.view import render, see_other

router = APIRouter()

_HERE = f"{UPLOADS}/{{upload_id}}/marked/{{file_number}}"
_Number = Annotated[int, Path(ge=0, lt=MOST_FILES)]


@router.get(_HERE)
def page(
    request: Request, ctx: Ctx, actor: CoordinatorActor, upload_id: RowId, file_number: _Number
) -> Response:
    """A short list, to be mended and sent back; of a long one how far it is."""
    upload = UploadId(upload_id)
    if request.headers.get("hx-request") == "true":
        stand = marked.stand(ctx, actor, upload, file_number)
        here = _at(upload_id, file_number)
        return render(request, "coordinator/_marked.html", section=UPLOADS, here=here,
                      stand=stand, fragment=True)  # fmt: skip
    work = marked.look(ctx, actor, upload, file_number)
    if work.short:
        name, made = marked.at_once(ctx, actor, upload, file_number)
        return download(name, XLSX, made)
    return _page(request, ctx, actor, upload_id, file_number)


@router.post(_HERE)
def begin(
    request: Request,
    ctx: Ctx,
    actor: CoordinatorActor,
    upload_id: RowId,
    file_number: _Number,
    form: Form,
) -> Response:
    del form  # it says nothing: what to mark is in the address
    try:
        marked.begin(ctx, actor, UploadId(upload_id), file_number)
    except Conflict as fault:
        return _page(request, ctx, actor, upload_id, file_number, fault.message)
    return see_other(_at(upload_id, file_number))


@router.get(f"{_HERE}/file")
def file(ctx: Ctx, actor: CoordinatorActor, upload_id: RowId, file_number: _Number) -> Response:
    name, made = marked.take(ctx, actor, UploadId(upload_id), file_number)
    return download(name, XLSX, made)


def _at(upload_id: int, number: int) -> str:
    return f"{UPLOADS}/{upload_id}/marked/{number}"


def _page(
    request: Request,
    ctx: Context,
    actor: Actor,
    upload_id: int,
    number: int,
    refused: Text | None = None,
) -> Response:
    work = marked.look(ctx, actor, UploadId(upload_id), number)
    return render(
        request,
        "coordinator/marked.html",
        status=409 if refused else 200,
        section=UPLOADS,
        work=work,
        stand=work.stand,
        here=_at(upload_id, number),
        above=f"{UPLOADS}/{upload_id}",
        refused=refused,
        fragment=False,
    )
