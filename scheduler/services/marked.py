"""A list with its faults marked in it: a short one at once, a long one outside of the request."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from scheduler.delivery import presses
from scheduler.delivery.presses import Press, Stand
from scheduler.domain.access import Actor
from scheduler.domain.calendars import slug
from scheduler.domain.imports import UploadId
from scheduler.domain.limits import PAPERS_BY_PERSON
from scheduler.errors import NotFound
from scheduler.exchange import marking, opened, workbooks
from scheduler.exchange.faults import UnreadableError
from scheduler.exchange.grids import Grid
from scheduler.exchange.marking import Marks
from scheduler.locale import Language
from scheduler.services import limits, uploads
from scheduler.services.context import Context
from scheduler.store.uploads import Upload

SHORT = 1_000  # rows, which are written in half a second
_PRESS = Press("scheduler.exchange.marking", ".xlsx")


@dataclass(frozen=True, slots=True)
class Work:
    """The list of that name with so many rows, and how far its marking is.

    `short`: it is marked while somebody waits.
    """

    name: str
    rows: int
    stand: Stand

    @property
    def short(self) -> bool:
        return self.rows <= SHORT


def look(ctx: Context, actor: Actor, upload_id: UploadId, number: int) -> Work:
    """The list of that number, from 0; nothing is begun.  Raises NotFound."""
    found = _own(ctx, actor, upload_id)
    name, sheets = _sheets(found, number)
    rows = sum(len(sheet.rows) for sheet in sheets)
    return Work(name, rows, _stand(ctx, actor, found, number))


def stand(ctx: Context, actor: Actor, upload_id: UploadId, number: int) -> Stand:
    """How far it is, for whoever waits; raises NotFound."""
    return _stand(ctx, actor, _own(ctx, actor, upload_id), number)


def at_once(ctx: Context, actor: Actor, upload_id: UploadId, number: int) -> tuple[str, bytes]:
    """A name and the marked list.  Raises NotFound for a list without marks, too."""
    found = _own(ctx, actor, upload_id)
    name, sheets = _sheets(found, number)
    return _called(name), marking.workbook(sheets, _marks(ctx, actor, found, number))


def begin(ctx: Context, actor: Actor, upload_id: UploadId, number: int) -> None:
    """Have it marked as things are now, in place of what was marked before.

    Raises NotFound, also for a list without marks, TooMany, and Conflict while another is made.
    """
    limits.take(ctx, PAPERS_BY_PERSON, str(actor.person_id))
    found = _own(ctx, actor, upload_id)
    _, sheets = _sheets(found, number)
    told = marking.order(sheets, _marks(ctx, actor, found, number))
    presses.again(_folder(ctx), _name(actor, found, number), told, _PRESS)


def take(ctx: Context, actor: Actor, upload_id: UploadId, number: int) -> tuple[str, bytes]:
    """A name and the marked list; raises NotFound while it is not there."""
    found = _own(ctx, actor, upload_id)
    made = presses.take(_folder(ctx), _name(actor, found, number), _PRESS)
    if made is None:
        raise NotFound("This list is not marked yet.")
    return _called(_sheets(found, number)[0]), made


def _folder(ctx: Context) -> Path:
    return ctx.settings.var_dir / "papers"


def _own(ctx: Context, actor: Actor, upload_id: UploadId) -> Upload:
    with ctx.reading() as db:
        return uploads.own(ctx, db, actor, upload_id)


def _sheets(found: Upload, number: int) -> tuple[str, tuple[Grid, ...]]:
    files = opened.unpacked(found.sheets)
    if number < len(files):
        name, sheets = files[number]
        if not isinstance(sheets, UnreadableError):
            return name, sheets
    raise NotFound("This list has no marks.")


def _marks(ctx: Context, actor: Actor, found: Upload, number: int) -> Marks:
    """What is wrong with the list as things are now; raises NotFound where nothing is."""
    files = opened.unpacked(found.sheets)
    batch = workbooks.gathered(files)
    with ctx.reading() as db:
        uploads.understood(db, found, batch)
    if number not in uploads.with_marks(files, batch):
        raise NotFound("This list has no marks.")
    return marking.marks(number, batch.faults, Language(actor.language))


def _stand(ctx: Context, actor: Actor, found: Upload, number: int) -> Stand:
    return presses.stand(_folder(ctx), _name(actor, found, number), _PRESS)


def _called(name: str) -> str:
    return f"{slug(name.rpartition('.')[0])}-danh-dau.xlsx"


def _name(actor: Actor, found: Upload, number: int) -> str:
    """Of its file: an upload's number may be given to another one later."""
    told = (found.id, found.digest, found.sent_at.isoformat(), number, actor.language)
    return f"list-{hashlib.sha256(repr(told).encode()).hexdigest()[:40]}"
