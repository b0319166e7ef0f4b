"""Lists in and out: sending workbooks in, what they would do, taking them over; downloads."""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.imports import MOST_FILES, UploadId
from scheduler.domain.plans import Fingerprint
from scheduler.errors import Conflict, Invalid, Problem, Text, text
from scheduler.services import exports, import_words, uploads
from scheduler.services.context import Context
from scheduler.services.uploads import Look
from scheduler.web.forms import Fields
from scheduler.web.guard import UPLOADS, CoordinatorActor, Ctx, Form, RowId, Upload
from scheduler.web.pages.people import pages_of
from scheduler.web.view import render, see_other

router = APIRouter()

AT_ONCE = 50
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # of the files in an archive: the same bytes for the same lists
_Page = Annotated[int, Query(alias="page", ge=1, le=10_000)]
_Term = Annotated[str, Query(max_length=40)]


@router.get(UPLOADS)
def page(request: Request, ctx: Ctx, actor: CoordinatorActor) -> Response:
    return _page(request, ctx, actor, None)


@router.post(UPLOADS)
def send(request: Request, ctx: Ctx, actor: CoordinatorActor, form: Upload) -> Response:
    """Nothing is taken over yet: the next page shows what would be."""
    try:
        made = uploads.receive(ctx, actor, _files(form))
    except Invalid as fault:
        return _page(request, ctx, actor, fault.fields.get("files", fault.message))
    return see_other(f"{UPLOADS}/{made}")


def _files(form: FormData) -> list[tuple[str, bytes]]:
    """What was chosen; a browser sends an unnamed one where nothing was."""
    return [
        (each.filename, each.file.read())
        for each in form.getlist("files")
        if isinstance(each, UploadFile) and each.filename
    ]


def _page(request: Request, ctx: Context, actor: Actor, fault: Text | None) -> Response:
    return render(
        request,
        "coordinator/imports.html",
        status=422 if fault else 200,
        terms=uploads.terms_held(ctx, actor),
        most=MOST_FILES,
        fault=fault,
    )


# -- the preview


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults of one page of them, with the numbers of all pages."""

    shown: tuple[Problem, ...]
    pages: list[tuple[int, str | None]]


@router.get(f"{UPLOADS}/{{upload_id}}")
def preview(
    request: Request, ctx: Ctx, actor: CoordinatorActor, upload_id: RowId, number: _Page = 1
) -> Response:
    return _preview(request, uploads.look(ctx, actor, UploadId(upload_id)), upload_id, number)


@router.post(f"{UPLOADS}/{{upload_id}}")
def take_over(
    request: Request, ctx: Ctx, actor: CoordinatorActor, upload_id: RowId, form: Form
) -> Response:
    seen = Fingerprint(Fields(form).typed("seen"))
    try:
        done = uploads.take_over(ctx, actor, UploadId(upload_id), seen)
    except (Conflict, Invalid) as fault:
        status = 409 if isinstance(fault, Conflict) else 422
        now_is = uploads.look(ctx, actor, UploadId(upload_id))
        return _preview(request, now_is, upload_id, 1, fault.message, status)
    if done.changes_nothing:
        return see_other(UPLOADS, text("Everything in these lists is stored already."))
    new, changed = (sum(getattr(x, n) for x in done.counts.values()) for n in ("new", "changed"))
    said = text(
        "The lists are taken over. New: {new}, changed: {changed}.", new=new, changed=changed
    )
    return see_other(UPLOADS, said)


def _preview(
    request: Request,
    found: Look,
    upload_id: int,
    number: int,
    refused: Text | None = None,
    status: int = 200,
) -> Response:
    here = f"{UPLOADS}/{upload_id}"
    shown = found.problems[(number - 1) * AT_ONCE : number * AT_ONCE]
    return render(
        request,
        "coordinator/import.html",
        status=status,
        section=UPLOADS,
        look=found,
        faults=Faults(shown, pages_of(here, len(found.problems), number, {}, AT_ONCE)),
        groups=import_words.groups(found.changes, found.unnamed),
        readings=import_words.readings(found.readings),
        here=here,
        refused=refused,
    )


# -- downloads


@router.get("/coordinator/exports/workbooks.zip")
def workbooks(ctx: Ctx, actor: CoordinatorActor, term: _Term = "") -> Response:
    """The three workbooks; sent in again they change nothing."""
    made = exports.export_workbooks(ctx, term or None, actor=actor)
    return download("danh-sach.zip", "application/zip", zipped(made))


@router.get("/coordinator/exports/csv.zip")
def csvs(ctx: Ctx, actor: CoordinatorActor, term: _Term = "") -> Response:
    """The same lists as five CSVs; sent in again they change nothing, either."""
    made = exports.export_csvs(ctx, term or None, actor=actor)
    return download("danh-sach-csv.zip", "application/zip", zipped(made))


@router.get("/coordinator/exports/templates.zip")
def templates(ctx: Ctx, actor: CoordinatorActor) -> Response:
    """Empty lists to fill in."""
    return download(
        "mau-danh-sach.zip", "application/zip", zipped(exports.list_templates(ctx, actor))
    )


@router.get("/coordinator/exports/lessons.csv")
def lessons_csv(ctx: Ctx, actor: CoordinatorActor, term: _Term = "") -> Response:
    made = exports.export_lessons_csv(ctx, term or None, actor=actor)
    return download("tiet-day.csv", "text/csv; charset=utf-8", made)


@router.get("/coordinator/exports/lessons.xlsx")
def lessons(ctx: Ctx, actor: CoordinatorActor, term: _Term = "") -> Response:
    made = exports.export_lessons(ctx, term or None, actor=actor)
    return download("tiet-day.xlsx", XLSX, made)


@router.get("/coordinator/exports/instance.json")
def instance(ctx: Ctx, actor: CoordinatorActor, term: _Term = "") -> Response:
    """What the matching engine is told."""
    made = exports.export_instance(ctx, term or None, actor=actor)
    body = json.dumps(made, ensure_ascii=False, indent=1).encode()
    return download("du-lieu-xep-lich.json", "application/json", body)


def download(name: str, kind: str, body: bytes) -> Response:
    """A file to keep, and never to be shown by the browser itself."""
    return Response(
        body, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'}
    )


def zipped(files: Mapping[str, bytes]) -> bytes:
    """An archive of files by name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    return buffer.getvalue()
