"""Long papers of the report, printed outside of the request: begun, waited for, taken."""

import hashlib
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from scheduler.delivery import papers, presses
from scheduler.delivery.presses import Stand
from scheduler.domain.access import Actor
from scheduler.domain.intervals import DaySpan
from scheduler.domain.limits import PAPERS_BY_PERSON
from scheduler.errors import NotFound
from scheduler.services import certificates, limits, paperwork, records
from scheduler.services.context import Context

CERTIFICATES_AT_ONCE = 20  # laid out together; the bar moves so often


class Paper(StrEnum):
    """What is printed: every certificate of the days, or all tables of the report."""

    CERTIFICATES = "certificates"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class Work:
    """A paper about these days, and how far it is.  `count`: certificates, or lessons."""

    paper: Paper
    days: DaySpan
    count: int
    stand: Stand


@dataclass(frozen=True, slots=True)
class _Order:
    """What would be printed; `name` names all that it says."""

    days: DaySpan
    count: int
    name: str
    pages: list[str]


def look(
    ctx: Context, actor: Actor, paper: Paper, first: date | None = None, last: date | None = None
) -> Work:
    """How far it is; nothing is begun.  Raises NotFound where there is nothing to print."""
    found = _order(ctx, actor, paper, first, last, write=False)
    return Work(paper, found.days, found.count, presses.stand(_folder(ctx), found.name))


def begin(
    ctx: Context, actor: Actor, paper: Paper, first: date | None = None, last: date | None = None
) -> None:
    """Have it printed; whoever asks again meanwhile, or after it, gets the same one.

    Raises NotFound, TooMany, and Conflict while another one is printed.
    """
    limits.take(ctx, PAPERS_BY_PERSON, str(actor.person_id))
    found = _order(ctx, actor, paper, first, last, write=True)
    presses.begin(_folder(ctx), found.name, found.pages)


def take(
    ctx: Context, actor: Actor, paper: Paper, first: date | None = None, last: date | None = None
) -> bytes:
    """The printed paper; raises NotFound while it is not there."""
    found = _order(ctx, actor, paper, first, last, write=False)
    made = presses.take(_folder(ctx), found.name)
    if made is None:
        raise NotFound("This paper is not printed yet.")
    return made


def tidy(ctx: Context) -> int:
    """Throw away printed papers after a day; how many files."""
    return presses.tidy(_folder(ctx))


def _folder(ctx: Context) -> Path:
    return ctx.settings.var_dir / "papers"


def _order(
    ctx: Context, actor: Actor, paper: Paper, first: date | None, last: date | None, *, write: bool
) -> _Order:
    if paper is Paper.CERTIFICATES:
        found = certificates.look_at_all(ctx, actor, first, last)
        issued, days = found.issued, found.days
        if not issued:
            raise NotFound("No certificate is issued for these days yet.")
        pages = certificates.sheets(ctx, issued, CERTIFICATES_AT_ONCE) if write else []
        return _Order(days, len(issued), _name(paper, ctx.settings.base_url, *issued), pages)
    record = records.of_programme(ctx, actor, first, last)
    pages = [papers.page("record", paperwork.record(record))] if write else []
    lessons = sum(line.amount.lessons for line in record.lines)
    return _Order(record.days, lessons, _name(paper, record), pages)


def _name(paper: Paper, *told: object) -> str:
    return f"{paper.value}-{hashlib.sha256(repr(told).encode()).hexdigest()[:40]}"
