"""Taking workbooks over into the database: all of them, or nothing."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any

from scheduler.domain import access, imports, term_wishes
from scheduler.domain.access import TABLE, Action, Actor
from scheduler.domain.calendars import slug
from scheduler.domain.imports import (
    FIRST_PROGRAMME_CODE,
    Changes,
    ImportSummary,
    Roster,
    TermEntry,
)
from scheduler.domain.term_wishes import TermWish
from scheduler.domain.terms import Programme, ProgrammeId, Term
from scheduler.errors import Invalid, NotFound, Problem, Text, text
from scheduler.exchange import instance_sheets, resolving, workbooks
from scheduler.exchange.faults import Reading
from scheduler.exchange.workbooks import Batch
from scheduler.services.context import Context
from scheduler.store import audits, feeds, takeover, terms
from scheduler.store import imports as rosters
from scheduler.store.database import Session

_REASON_LETTERS = 500


def import_files(
    ctx: Context,
    files: Sequence[tuple[str, bytes]],
    *,
    term_code: str | None = None,
    actor: Actor | None = None,
    dry_run: bool = False,
) -> ImportSummary:
    """Take over what workbooks or CSVs, by name and bytes, tell; once more changes nothing.

    Raises Invalid with every problem by file, sheet, row and column; then nothing has changed.
    Without an actor it is the command line that asks.  What the files do not name stays.
    """
    return tell(ctx, files, term_code=term_code, actor=actor, dry_run=dry_run).summary


@dataclass(frozen=True, slots=True)
class Told:
    """What lists did, or would have done: counted, entry by entry, what they did not name, and what
    was understood although it is written otherwise."""

    summary: ImportSummary
    changes: Changes
    unnamed: Roster
    readings: tuple[Reading, ...]
    followers: int


def tell(
    ctx: Context,
    files: Sequence[tuple[str, bytes]],
    *,
    term_code: str | None = None,
    actor: Actor | None = None,
    dry_run: bool = False,
) -> Told:
    """As `import_files`, and tells all that there is to look at."""
    if actor is not None:
        may_import(actor)
    batch = workbooks.read(files)  # the slow part, before anybody has to wait for us
    with ctx.reading() if dry_run else ctx.transaction() as db:
        programme = _programme(db, term_code, actor)
        found = understood(db, programme, batch, term_code)
        if programme is None:
            programme = _first_programme(ctx, db, batch, found.wanted, dry_run=dry_run)
        if not dry_run:
            carry_out(ctx, db, found, programme, actor, [name for name, _ in files])
    counts = {noun: split.count for noun, split in _splits(found.changes)}
    summary = ImportSummary(programme.code, found.code or "", dry_run, **counts)
    unnamed = imports.unnamed(found.held, found.told)
    return Told(summary, found.changes, unnamed, batch.faults.readings(), found.followers)


@dataclass(frozen=True, slots=True)
class Understood:
    """What files mean against what is held; `code`: of the term they are for.  `told`: as the files
    have it, `wanted`: with what must follow."""

    code: str | None
    held: Roster
    told: Roster
    wanted: Roster
    changes: Changes

    @property
    def followers(self) -> int:
        """How many requests move with the bell times of their schools."""
        return len(self.wanted.requests) - len(self.told.requests)


def understood(
    db: Session, programme: Programme | None, batch: Batch, term_code: str | None = None
) -> Understood:
    """What taking the files over would do; raises Invalid with every problem."""
    code, held = _held(db, programme, batch, term_code)
    told = resolving.resolve(batch, held, code)
    wanted = imports.follow_bells(held, told)
    changes = imports.compare(held, wanted)
    if programme is not None:
        places = {found.entry.code: found.row.place for found in batch.terms}
        _keep_lessons(db, programme, changes.terms.changed, places)
        _share_no_day(terms.of_programme(db, programme.id), changes.terms.both, places)
    return Understood(code, held, told, wanted, changes)


def _keep_lessons(
    db: Session, programme: Programme, changed: Iterable[TermEntry], places: Mapping[str, Text]
) -> None:
    """Raises Invalid where a term's new days would leave lessons outside of it."""
    problems = []
    for entry in changed:
        term = terms.find(db, entry.code, programme.id)
        days = [term.today(at) for at in terms.starts(db, [term.id])[term.id]] if term else []
        count = sum(not entry.first_day <= day <= entry.last_day for day in days)
        if count:
            what = text("{count} lessons lie outside of these days. Call them off first.",
                        count=count)  # fmt: skip
            problems.append(Problem(_place(entry, places), what))
    if problems:
        raise Invalid("The lists cannot be taken over any more.", tuple(problems))


def _place(entry: TermEntry, places: Mapping[str, Text]) -> Text:
    """The row that tells of the term; its code where no row does."""
    return places.get(entry.code) or text("Term {code}", code=entry.code)


def _share_no_day(
    there: Iterable[Term], told: Iterable[TermEntry], places: Mapping[str, Text]
) -> None:
    """Raises Invalid where a term's days would be another one's, too."""
    problems = []
    for entry in told:
        wish = TermWish(entry.name, entry.first_day, entry.last_day, entry.gap_minutes, ())
        others = [term for term in there if term.code != entry.code]
        for what in term_wishes.shared(wish, others).values():
            problems.append(Problem(_place(entry, places), what))
    if problems:
        raise Invalid("The lists cannot be taken over any more.", tuple(problems))


def carry_out(
    ctx: Context,
    db: Session,
    found: Understood,
    programme: Programme,
    actor: Actor | None,
    names: Sequence[str],
) -> None:
    """Write what was understood, with its line in the record; nothing where nothing changes."""
    if not any(split.both for _, split in _splits(found.changes)):
        return
    by = actor.person_id if actor else None
    work = takeover.Import(db, programme.id, ctx.now(), by, ctx.settings.locale)
    takeover.take_over(work, found.changes, found.wanted, found.code)
    feeds.mark_all_dirty(db)
    _record(work, found.changes, names)


def may_import(actor: Actor) -> ProgrammeId:
    """The programme into which an actor may import; strangers make us read no files at all."""
    for grant in actor.grants:
        if Action.IMPORT in TABLE[grant.role]:
            return grant.programme_id
    raise NotFound("There is nothing here.")


def _programme(db: Session, term_code: str | None, actor: Actor | None) -> Programme | None:
    """The actor's, or that of the term wanted, or the one of the newest term; None before any."""
    term = terms.find(db, term_code) if term_code else None
    if actor is not None:
        programme_id = may_import(actor)
        if term and actor.can(Action.IMPORT, term.programme_id):
            programme_id = term.programme_id
        access.require(actor, Action.IMPORT, programme_id)
        return terms.programme(db, programme_id)
    term = term or terms.find(db, None)
    if term:
        return terms.programme(db, term.programme_id)
    return next(iter(terms.all_programmes(db)), None)


def _held(
    db: Session, programme: Programme | None, batch: Batch, term_code: str | None
) -> tuple[str | None, Roster]:
    """The term that the files are for, and what is held of the programme and that term."""
    if programme is None:
        return resolving.term_code(batch, term_code, None), Roster()
    instance_sheets.name_terms(batch, terms.of_programme(db, programme.id))
    newest = terms.find(db, None, programme.id)
    code = resolving.term_code(batch, term_code, newest.code if newest else None)
    term = terms.find(db, code, programme.id) if code else None
    return code, rosters.roster(db, programme.id, term)


def _first_programme(
    ctx: Context, db: Session, batch: Batch, wanted: Roster, *, dry_run: bool
) -> Programme:
    """The programme that the first import founds, named after the two places in the titles."""
    term = next(iter(wanted.terms), None)
    zone = term.zone if term else ctx.settings.timezone
    places = workbooks.programme_name(batch)
    code = slug(places) if places else FIRST_PROGRAMME_CODE
    name = places or (term.name if term else code)
    made = 0 if dry_run else takeover.add_programme(db, code, name, zone, ctx.now())
    return Programme(ProgrammeId(made), code, name, zone)


def _record(work: takeover.Import, changes: Changes, files: Sequence[str]) -> None:
    """The line in the record of changes: what was there, what came instead, what is new.

    Of people only how many, and at which schools: the record is for ever, and names are not.
    """
    splits = _splits(changes)
    audits.record(
        work.db,
        work.now,
        work.by,
        "import",
        "programme",
        work.programme_id,
        reason=", ".join(files)[:_REASON_LETTERS],
        before={noun: _plain(split.before) for noun, split in splits if split.before},
        after={noun: _plain(split.both) for noun, split in splits if split.both},
    )


def _splits(changes: Changes) -> list[tuple[str, imports.Split[Any]]]:
    return list(changes.by_noun.items())


def _plain(entries: Sequence[Any]) -> list[Any]:
    """Entries as JSON values, days and levels as text."""
    told = [
        asdict(one) if is_dataclass(one) and not isinstance(one, type) else one._asdict()
        for one in entries
    ]
    return list(json.loads(json.dumps(list(map(_impersonal, told)), default=str)))


def _impersonal(entry: dict[str, Any]) -> dict[str, Any]:
    own = ("name", "email", "phone", "pledge") if "email" in entry else ("contacts",)
    return {key: value for key, value in entry.items() if key not in own}
