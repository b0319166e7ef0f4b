"""A school pastes its list of requests: what each row would do, and doing exactly that."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from scheduler.domain import access, pasting
from scheduler.domain import requests as rules
from scheduler.domain.access import Action, Actor
from scheduler.domain.imports import SchoolEntry, TermEntry
from scheduler.domain.pasting import Effect, Line
from scheduler.domain.people import ReceivingSchool, SchoolId
from scheduler.domain.requests import Request
from scheduler.domain.terms import Term
from scheduler.errors import Invalid, Stale, text
from scheduler.exchange import pasted
from scheduler.exchange.faults import UnreadableError
from scheduler.exchange.pasted import Usual
from scheduler.services import programmes, requests
from scheduler.services.context import Context
from scheduler.services.lessons import visible_school
from scheduler.services.programmes import Wanted
from scheduler.store import requests as rows
from scheduler.store import terms
from scheduler.store.database import Session


@dataclass(frozen=True, slots=True)
class Preview:
    """Each row with what saving it does; `seen` names all of it."""

    school: ReceivingSchool
    term: Term
    lines: tuple[Line, ...]
    seen: str

    def count(self, effect: Effect) -> int:
        return sum(line.effect is effect for line in self.lines)


@dataclass(frozen=True, slots=True)
class Saved:
    new: int
    changed: int
    left_out: int


def preview(
    ctx: Context, actor: Actor, school_id: SchoolId, typed: str, wanted: Wanted = None
) -> Preview:
    """What the pasted rows mean for a term; raises Invalid with a fault of the text as a whole at
    `rows`, Conflict for a term that is over."""
    with ctx.reading() as db:
        return _preview(ctx, db, actor, school_id, typed, wanted)


def term_of(ctx: Context, actor: Actor, school_id: SchoolId, wanted: Wanted) -> Term:
    """The term that a list would be of; raises NotFound as the preview does."""
    with ctx.reading() as db:
        visible_school(db, actor, school_id)
        return programmes.choose_at(db, school_id, wanted, ctx.now()).term


def save(
    ctx: Context,
    actor: Actor,
    school_id: SchoolId,
    typed: str,
    seen: str,
    wanted: Wanted = None,
    *,
    only_sound: bool,
) -> Saved:
    """Do what the preview showed: all rows, or those without a fault when that was chosen.

    Saved already, it stays so.  Raises Stale when a row now means or meets something else than
    `seen`, Invalid when rows have faults and all were wanted.
    """
    with ctx.transaction() as db:
        visible_school(db, actor, school_id)
        rows.lock_classes(db, school_id)
        now_is = _preview(ctx, db, actor, school_id, typed, wanted)
        faulty = now_is.count(Effect.NONE)
        if faulty and not only_sound:
            raise Invalid(
                "Some rows need mending first.",
                fields={"rows": text("Mend the rows with faults, or choose the others alone.")},
            )
        if now_is.seen != seen and now_is.count(Effect.SAME) + faulty < len(now_is.lines):
            raise Stale("The school's requests have changed. See what the rows would do now.")
        done = Counter(_save(ctx, db, actor, now_is, line) for line in now_is.lines)
    return Saved(done[Effect.NEW], done[Effect.CHANGE], faulty)


def _save(ctx: Context, db: Session, actor: Actor, now_is: Preview, line: Line) -> Effect:
    new, school = line.row.new, now_is.school
    if new is None or line.effect is Effect.SAME:
        return Effect.SAME
    if line.held is not None:
        requests.rewrite(ctx, db, actor, line.held, new)
        return Effect.CHANGE
    class_id = next(x.id for x in terms.classes(db, school.id) if x.name == new.class_name)
    requests.ask(ctx, db, actor, now_is.term, school.id, class_id, new)
    return Effect.NEW


def _preview(
    ctx: Context, db: Session, actor: Actor, school_id: SchoolId, typed: str, wanted: Wanted
) -> Preview:
    school = visible_school(db, actor, school_id)
    choice = programmes.choose_at(db, school_id, wanted, ctx.now())
    term = choice.term
    access.require(actor, Action.REQUEST_LESSONS, term.programme_id)
    programmes.require_open(choice)
    asked = rows.of_school(db, term.id, school_id)
    try:
        found = pasted.read(
            typed, _term_entry(term), _school_entry(school), _usual(ctx, term), _held(asked)
        )
    except UnreadableError as error:
        raise Invalid("The list cannot be read yet.", fields={"rows": error.what}) from error
    names = {each.name for each in terms.classes(db, school_id)}
    lines = pasting.lines(found, asked, names)
    return Preview(school, term, lines, pasting.fingerprint(lines))


def _usual(ctx: Context, term: Term) -> Usual:
    """One asks for what is left of the term."""
    first = min(max(term.today(ctx.now()), term.first_day), term.last_day)
    return Usual(first, term.last_day, rules.PRIORITIES[0])


def _held(asked: Sequence[Request]) -> dict[str, Usual]:
    """What the only request of a class says."""
    often = Counter(request.class_name for request in asked)
    return {
        each.class_name: Usual(each.first_day, each.last_day, each.priority)
        for each in asked
        if often[each.class_name] == 1
    }


def _school_entry(school: ReceivingSchool) -> SchoolEntry:
    return SchoolEntry(
        code=school.code.upper(),  # as cells with codes are read
        name=school.name,
        district=school.district,
        level=school.level,
        rooms=school.rooms,
        periods=school.periods,
    )


def _term_entry(term: Term) -> TermEntry:
    return TermEntry(
        term.code, term.name, term.first_day, term.last_day, term.gap_minutes, term.zone,
        term.holidays,
    )  # fmt: skip
