"""Lists sent in as workbooks or CSVs: what they would do, and doing exactly that."""

import base64
import binascii
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, field_validator
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.imports import MOST_FILES, Count, UploadId
from scheduler.errors import text
from scheduler.services import uploads
from scheduler.services.uploads import Look
from scheduler.web.api.beliefs import Believed, tag
from scheduler.web.api.bodies import Body, Name, Seen, example
from scheduler.web.api.wording import said
from scheduler.web.guard import LARGEST_BODY, ApiActor, Ctx, RowId

router = APIRouter(prefix="/imports", tags=["imports"])


@dataclass(frozen=True, slots=True)
class CountOut:
    """How many of one noun are new, change, or stay as they are."""

    new: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class FaultOut:
    """What is wrong with the lists, and where: file, sheet, row, column."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class ImportOut:
    """What lists would do now: `counts` by noun, nothing while there are `faults`; `fingerprint`
    is what taking them over wants to be told."""

    id: int
    files: list[str]
    term: str
    counts: dict[str, CountOut]
    faults: list[FaultOut]
    changes_nothing: bool
    fingerprint: str


class FileIn(Body):
    """One list by its name, which says what it is, and its bytes in base64."""

    name: Name
    content: Annotated[
        str,
        Field(min_length=1, max_length=LARGEST_BODY, json_schema_extra={"format": "byte"}),
    ]

    model_config = example(name="truong.csv", content="TcOjIHRyxrDhu51uZyxUw6puClhYMDEsVEhDUwo=")

    @field_validator("content")
    @classmethod
    def _base64(cls, given: str) -> str:
        try:
            base64.b64decode(given, validate=True)
        except (ValueError, binascii.Error):
            raise ValueError(text("Write the bytes of the file in base64.")) from None
        return given

    @property
    def data(self) -> tuple[str, bytes]:
        return self.name, base64.b64decode(self.content)


class ImportIn(Body):
    """The lists, together at most a megabyte."""

    files: Annotated[list[FileIn], Field(min_length=1, max_length=MOST_FILES)]

    model_config = example(files=[FileIn.shown()])


class TakeOverIn(Body):
    """The fingerprint of what was seen, where it is not sent as If-Match."""

    fingerprint: Seen | None = None

    model_config = example(fingerprint="0123456789abcdef0123456789abcdef")


def _count(found: Count) -> CountOut:
    return CountOut(found.new, found.changed, found.unchanged)


def _out(response: Response, actor: Actor, upload_id: int, found: Look) -> ImportOut:
    tag(response, found.seen)
    return ImportOut(
        id=upload_id,
        files=list(found.names),
        term=found.term,
        counts={noun: _count(count) for noun, count in found.counts.items()},
        faults=[FaultOut(said(x.where, actor), said(x.what, actor)) for x in found.problems],
        changes_nothing=found.changes is not None and found.changes_nothing,
        fingerprint=found.seen,
    )


@router.post("", status_code=201)
def send_in(ctx: Ctx, actor: ApiActor, response: Response, body: ImportIn) -> ImportOut:
    """Send lists in and see what they would do; they are kept for a day, nothing is changed."""
    made = uploads.receive(ctx, actor, [each.data for each in body.files])
    return _out(response, actor, made, uploads.look(ctx, actor, made))


@router.get("/{upload_id}")
def look(ctx: Ctx, actor: ApiActor, upload_id: RowId, response: Response) -> ImportOut:
    """What taking lists over would do now."""
    return _out(response, actor, upload_id, uploads.look(ctx, actor, UploadId(upload_id)))


@router.post("/{upload_id}/take-over")
def take_over(
    ctx: Ctx, actor: ApiActor, upload_id: RowId, response: Response, belief: Believed,
    body: TakeOverIn,
) -> ImportOut:  # fmt: skip
    """Do what was seen: all of it, or nothing."""
    seen = belief.seen(body.fingerprint)
    done = uploads.take_over(ctx, actor, UploadId(upload_id), seen)
    return _out(response, actor, upload_id, done)
