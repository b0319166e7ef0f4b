"""Lists that a coordinator sends in: what they would do, and doing exactly that."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from scheduler.domain import imports as rules
from scheduler.domain import remarks
from scheduler.domain.access import Actor
from scheduler.domain.imports import (
    MOST_FILES,
    UPLOAD_LIFE,
    Changes,
    Count,
    Roster,
    UploadId,
)
from scheduler.domain.limits import UPLOADS_BY_PERSON
from scheduler.domain.plans import Fingerprint
from scheduler.domain.terms import Term
from scheduler.errors import Invalid, NotFound, Problem, Stale, text
from scheduler.exchange import opened, workbooks
from scheduler.exchange.faults import Reading
from scheduler.exchange.workbooks import Batch, Opened
from scheduler.services import imports, limits
from scheduler.services.context import Context
from scheduler.store import terms, uploads
from scheduler.store.database import Session
from scheduler.store.uploads import Upload

KEPT = 5  # of one person, so that nobody fills the disk
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Look:
    """What files mean now.  `changes` is None while there are `problems`; `unnamed`: what is held
    and not in the files, which stays; `seen` names all of it.  `readings`: what was understood
    although it is written otherwise; `marked`: the files, by number, that can be had with marks;
    `followers`: the requests that move with bell times."""

    names: tuple[str, ...]
    term: str
    changes: Changes | None
    unnamed: Roster
    problems: tuple[Problem, ...]
    seen: Fingerprint
    readings: tuple[Reading, ...] = ()
    marked: tuple[int, ...] = ()
    followers: int = 0

    @property
    def counts(self) -> dict[str, Count]:
        if self.changes is None:
            return {}
        return {noun: split.count for noun, split in self.changes.by_noun.items()}

    @property
    def changes_nothing(self) -> bool:
        return all(count.new == count.changed == 0 for count in self.counts.values())


def receive(ctx: Context, actor: Actor, files: Sequence[tuple[str, bytes]]) -> UploadId:
    """Read workbooks or CSVs, by name and bytes, and keep what is in them for a day.

    Each file is read in a process of its own that may be lost; what was wrong with it is kept,
    too.  Raises Invalid for none or too many, TooMany, NotFound.
    """
    programme_id = imports.may_import(actor)
    if not files:
        raise Invalid("No file was chosen.", fields={"files": text("Choose one to five files.")})
    if len(files) > MOST_FILES:
        said = text("Choose at most {most} files at once.", most=MOST_FILES)
        raise Invalid("These are too many files.", fields={"files": said})
    limits.take(ctx, UPLOADS_BY_PERSON, str(actor.person_id))
    named = [(called(name), data) for name, data in files]
    sheets = opened.packed(workbooks.opened(named))
    with ctx.transaction() as db:
        made = uploads.add(db, programme_id, actor.person_id, ctx.now(), _digest(files), sheets)
        uploads.keep_newest(db, actor.person_id, KEPT)
    return made


def called(name: str) -> str:
    """A file's name as it may be kept and shown: no folders, no signs that do not print."""
    last = remarks.joined(name.replace("\\", "/").rsplit("/", 1)[-1])[-LONGEST_NAME:]
    return last if last and remarks.storable(last) else "?"


def _digest(files: Sequence[tuple[str, bytes]]) -> str:
    found = hashlib.sha256()
    for _, data in files:
        found.update(hashlib.sha256(data).digest())
    return found.hexdigest()


def look(ctx: Context, actor: Actor, upload_id: UploadId) -> Look:
    """What taking the lists over would do now; raises NotFound for another's and for old ones."""
    with ctx.reading() as db:
        found = own(ctx, db, actor, upload_id)
        return _look(db, found)[0]


def take_over(ctx: Context, actor: Actor, upload_id: UploadId, seen: Fingerprint) -> Look:
    """Do what was seen: all of it, or nothing.  Done already, it stays so.

    Raises Stale when the lists now mean something else, Invalid with every problem, NotFound.
    """
    with ctx.transaction() as db:
        found = own(ctx, db, actor, upload_id)
        terms.lock_programme(db, found.programme_id)  # one import after the other
        now_is, meant = _look(db, found)
        if meant is None:
            raise Invalid("The lists cannot be taken over any more.", now_is.problems)
        if now_is.changes_nothing:
            return now_is
        if now_is.seen != seen:
            raise Stale("What is stored has changed. See what the lists would do now.")
        programme = terms.programme(db, found.programme_id)
        imports.carry_out(ctx, db, meant, programme, actor, now_is.names)
    return now_is


def own(ctx: Context, db: Session, actor: Actor, upload_id: UploadId) -> Upload:
    """What this very person sent in less than a day ago; raises NotFound."""
    allowed = imports.may_import(actor)
    found = uploads.own(db, actor.person_id, upload_id, ctx.now() - UPLOAD_LIFE)
    if found is None or found.programme_id != allowed:
        raise NotFound("These lists are not here any more. Send them again.")
    return found


def _look(db: Session, found: Upload) -> tuple[Look, imports.Understood | None]:
    files = opened.unpacked(found.sheets)
    batch = workbooks.gathered(files)
    meant = understood(db, found, batch)
    told = batch.faults.readings()
    marks = with_marks(files, batch)
    if isinstance(meant, Invalid):
        seen = Fingerprint(found.digest)
        return Look(batch.files, "", None, Roster(), meant.problems, seen, told, marks), None
    named = (x.name for x in (*meant.wanted.terms, *meant.held.terms) if x.code == meant.code)
    seen = Fingerprint(f"{found.digest[:16]}{rules.fingerprint(meant.changes)}")
    unnamed = rules.unnamed(meant.held, meant.told)
    term = next(named, "")
    names, follow = batch.files, meant.followers
    return Look(names, term, meant.changes, unnamed, (), seen, told, marks, follow), meant


def understood(db: Session, found: Upload, batch: Batch) -> imports.Understood | Invalid:
    """What the lists mean, or all that is wrong with them."""
    programme = terms.programme(db, found.programme_id)
    try:
        return imports.understood(db, programme, batch)
    except Invalid as error:
        return error


def with_marks(files: Sequence[tuple[str, Opened]], batch: Batch) -> tuple[int, ...]:
    """The files with cells to mark; one that could not be read has none."""
    spots = (*batch.faults.marks(), *batch.faults.read_spots())
    return tuple(sorted({spot[0] for spot in spots if spot[0] < len(files)}))


def terms_held(ctx: Context, actor: Actor) -> tuple[Term, ...]:
    """The terms whose lists the actor may take out, the newest first."""
    programme_id = imports.may_import(actor)
    with ctx.reading() as db:
        return terms.of_programme(db, programme_id)
