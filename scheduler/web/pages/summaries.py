"""The programme's report: by month, school or teacher, as a page and as files; certificates."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import partial
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from scheduler.domain.access import Actor
from scheduler.domain.limits import PAPERS_BY_PERSON
from scheduler.domain.people import SchoolId, TeacherId
from scheduler.domain.plans import Fingerprint
from scheduler.domain.records import Sums
from scheduler.errors import Conflict, Invalid, Text, text
from scheduler.locale import Language
from scheduler.services import (
    certificates,
    limits,
    paperwork,
    records,
    statements,
    summaries,
    thanks,
)
from scheduler.services.certificates import Round
from scheduler.services.context import Context
from scheduler.services.records import Part, Record
from scheduler.services.summaries import Ends, Summary
from scheduler.web import charts, frame, guard
from scheduler.web.charts import Heaps
from scheduler.web.forms import Fields, read_day
from scheduler.web.guard import CoordinatorActor, Ctx, Form
from scheduler.web.pages.imports import XLSX, download, zipped
from scheduler.web.pages.people import pages_of
from scheduler.web.view import render, see_other

router = APIRouter()

HERE = "/coordinator/reports"
CERTIFICATES = f"{HERE}/certificates"
AT_ONCE = 50
MOST_MONTHS = 14  # of a picture that can be read
_Typed = Annotated[str, Query(max_length=20)]
First = Annotated[str, Query(alias="from", max_length=20)]
Last = Annotated[str, Query(alias="to", max_length=20)]
_Page = Annotated[int, Query(alias="page", ge=1, le=10_000)]


class By(StrEnum):
    MONTHS = "months"
    SCHOOLS = "schools"
    DONOR_SCHOOLS = "donor_schools"
    TEACHERS = "teachers"


WORDS = {
    By.MONTHS: text("By month"),
    By.SCHOOLS: text("By receiving school"),
    By.DONOR_SCHOOLS: text("By donor school"),
    By.TEACHERS: text("By teacher"),
}


@dataclass(frozen=True, slots=True)
class Days:
    """The days as they were typed, and as they are meant; both empty: the newest term's."""

    typed: Mapping[str, str]
    first: date | None
    last: date | None
    errors: Mapping[str, Text]

    def at(self, path: str, **more: object) -> str:
        """The address of another page or file about the same days."""
        asked = {name: value for name, value in self.typed.items() if value} | more
        return f"{path}?{urlencode(asked)}" if asked else path


@dataclass(frozen=True, slots=True)
class Row:
    """A part of the report; `asked`: of a receiving school, else None."""

    name: str
    sums: Sums
    ends: Ends
    href: str | None
    asked: int | None


@dataclass(frozen=True, slots=True)
class Lost:
    cause: Text
    lessons: int
    share: int


@router.get(HERE)
def page(
    request: Request,
    ctx: Ctx,
    actor: CoordinatorActor,
    first: First = "",
    last: Last = "",
    by: _Typed = "",
    number: _Page = 1,
) -> Response:
    days, chosen = _days(first, last), By(by) if by in set(By) else By.MONTHS
    found, days = _found(ctx, actor, days)
    rows = _rows(found, chosen)
    return render(
        request,
        "coordinator/summary.html",
        status=422 if days.errors else 200,
        summary=found,
        ends=summaries.ends(found.record.whole),
        days=days,
        by=chosen,
        ways=[(each, word, days.at(HERE, by=each.value)) for each, word in WORDS.items()],
        rows=rows[(number - 1) * AT_ONCE : number * AT_ONCE],
        pages=pages_of(HERE, len(rows), number, dict(days.typed) | {"by": chosen}, AT_ONCE),
        chart=_chart(found.record),
        lost=_lost(found.record.whole),
        time_given=paperwork.length(found.record.whole.given.minutes, _language(request)),
        files={kind: days.at(f"{HERE}.{kind}") for kind in ("xlsx", "pdf", "csv")}
        | {"certificates": days.at(CERTIFICATES), "whole": days.at(f"{HERE}/papers/report")},
    )


def _found(ctx: Context, actor: Actor, days: Days) -> tuple[Summary, Days]:
    """The report on these days; of the newest term, with a fault, where they cannot be meant."""
    try:
        return summaries.of_programme(ctx, actor, days.first, days.last), days
    except Invalid as fault:
        return summaries.of_programme(ctx, actor), Days(
            days.typed, None, None, {"to": fault.message}
        )


def _days(first: str, last: str) -> Days:
    typed = {"from": first.strip(), "to": last.strip()}
    read = {name: read_day(value) for name, value in typed.items() if value}
    errors = {name: fault for name, fault in read.items() if isinstance(fault, Text)}
    meant = {name: day for name, day in read.items() if isinstance(day, date) and not errors}
    return Days(typed, meant.get("from"), meant.get("to"), errors)


def _language(request: Request) -> Language:
    return frame.language_of(request, guard.seen(request))


def _rows(found: Summary, by: By) -> list[Row]:
    record = found.record
    return [_row(found, by, part) for part in _divided(record, by)]


def _divided(record: Record, by: By) -> Sequence[Part]:
    match by:
        case By.MONTHS:
            return [Part(f"{month:%m/%Y}", sums) for month, sums in record.months.items()]
        case By.SCHOOLS:
            return record.schools
        case By.DONOR_SCHOOLS:
            return record.donor_schools
        case By.TEACHERS:
            return record.teachers


def _row(found: Summary, by: By, part: Part) -> Row:
    href, asked = None, None
    if by is By.SCHOOLS and part.key is not None:
        href = f"/coordinator/schools/{part.key}"
        asked = found.asked.get(SchoolId(part.key))
    if by is By.TEACHERS and part.key is not None:
        person = found.people.get(TeacherId(part.key))
        href = f"/coordinator/people/{person}" if person else None
    return Row(part.name, part.sums, summaries.ends(part.sums), href, asked)


def _chart(record: Record) -> Heaps | None:
    """Months as columns; none where there are too many to be read, or one alone."""
    if not 2 <= len(record.months) <= MOST_MONTHS:
        return None
    heaps = [summaries.ends(sums) for sums in record.months.values()]
    return charts.heaped([(x.given, x.lost + x.called_off, x.open) for x in heaps])


def _lost(whole: Sums) -> list[Lost]:
    found = sorted(whole.causes.items(), key=lambda item: -item[1].lessons)
    most = max((amount.lessons for _, amount in found), default=0)
    return [
        Lost(paperwork.CAUSES[cause], amount.lessons, 100 * amount.lessons // most)
        for cause, amount in found
    ]


# -- as files


@router.get(f"{HERE}.xlsx")
def workbook(ctx: Ctx, actor: CoordinatorActor, first: First = "", last: Last = "") -> Response:
    return _file(ctx, actor, first, last, "xlsx", XLSX, statements.workbook)


@router.get(f"{HERE}.csv")
def table(ctx: Ctx, actor: CoordinatorActor, first: First = "", last: Last = "") -> Response:
    return _file(ctx, actor, first, last, "csv", "text/csv; charset=utf-8", statements.table)


@router.get(f"{HERE}.pdf")
def paper(
    request: Request, ctx: Ctx, actor: CoordinatorActor, first: First = "", last: Last = ""
) -> Response:
    limits.take(ctx, PAPERS_BY_PERSON, str(actor.person_id))
    write = partial(statements.short_paper, language=_language(request))
    return _file(ctx, actor, first, last, "pdf", "application/pdf", write)


def _file(
    ctx: Context,
    actor: Actor,
    first: str,
    last: str,
    ending: str,
    kind: str,
    write: Callable[[Record], bytes],
) -> Response:
    days = sound(first, last)
    found = records.of_programme(ctx, actor, days.first, days.last)
    name = f"bao-cao-{found.days.first_day}-{found.days.last_day}.{ending}"
    return download(name, kind, write(found))


def sound(first: str, last: str) -> Days:
    """The days of an address; raises Invalid for what is no day."""
    days = _days(first, last)
    if days.errors:
        raise Invalid("Some fields need another look.", fields=days.errors)
    return days


# -- certificates


@router.get(CERTIFICATES)
def certificates_page(
    request: Request, ctx: Ctx, actor: CoordinatorActor, first: First = "", last: Last = ""
) -> Response:
    """Who would get one; nothing is issued by looking."""
    days = sound(first, last)
    return _certificates(request, ctx, actor, days, None)


@router.post(CERTIFICATES)
def issue(request: Request, ctx: Ctx, actor: CoordinatorActor, form: Form) -> Response:
    fields = Fields(form)
    days = sound(fields.typed("from"), fields.typed("to"))
    try:
        seen = Fingerprint(fields.typed("seen"))
        made = certificates.issue_seen(ctx, actor, seen, days.first, days.last)
    except Conflict as fault:
        return _certificates(request, ctx, actor, days, fault.message)
    said = text("Certificates issued: {count}.", count=len(made))
    return see_other(days.at(CERTIFICATES) + "#papers", said)


def _certificates(
    request: Request, ctx: Context, actor: Actor, days: Days, refused: Text | None
) -> Response:
    found = certificates.look_at_all(ctx, actor, days.first, days.last)
    return render(
        request,
        "coordinator/certificates.html",
        status=409 if refused else 200,
        section=HERE,
        round=found,
        rows=[
            (each, paperwork.length(each.facts.held.minutes, _language(request)))
            for each in found.due
        ],
        new=len(found.due) - len(found.issued),
        parts=_parts(found, days),
        days=days,
        back=days.at(HERE),
        whole=days.at(f"{HERE}/papers/certificates"),
        thanks=days.at(f"{CERTIFICATES}/thanks"),
        refused=refused,
    )


def _parts(found: Round, days: Days) -> list[tuple[int, int, str]]:
    """From which to which, by name, and where the papers of these are."""
    size, count = certificates.PAPERS_AT_ONCE, len(found.issued)
    return [
        (start + 1, min(start + size, count), days.at(f"{CERTIFICATES}.zip", part=number))
        for number, start in enumerate(range(0, count, size), start=1)
    ]


# -- thanks


@router.get(f"{CERTIFICATES}/thanks")
def thanks_page(
    request: Request, ctx: Ctx, actor: CoordinatorActor, first: First = "", last: Last = ""
) -> Response:
    """Who would be thanked, and one of the mails as it reads; nothing is sent by looking."""
    return _thanks(request, ctx, actor, sound(first, last), None)


@router.post(f"{CERTIFICATES}/thanks")
def thank(request: Request, ctx: Ctx, actor: CoordinatorActor, form: Form) -> Response:
    fields = Fields(form)
    days = sound(fields.typed("from"), fields.typed("to"))
    try:
        seen = Fingerprint(fields.typed("seen"))
        done = thanks.send(ctx, actor, seen, days.first, days.last)
    except Conflict as fault:
        return _thanks(request, ctx, actor, days, fault.message)
    said = text(
        "Thanks on their way: {mails}. Certificates issued with them: {new}.",
        mails=done.mails, new=done.issued,
    )  # fmt: skip
    return see_other(days.at(CERTIFICATES), said)


def _thanks(
    request: Request, ctx: Context, actor: Actor, days: Days, refused: Text | None
) -> Response:
    return render(
        request,
        "coordinator/thanks.html",
        status=409 if refused else 200,
        section=HERE,
        thanks=thanks.look(ctx, actor, days.first, days.last),
        days=days,
        above=days.at(CERTIFICATES),
        refused=refused,
    )


@router.get(f"{CERTIFICATES}.zip")
def papers(
    ctx: Ctx,
    actor: CoordinatorActor,
    first: First = "",
    last: Last = "",
    part: Annotated[int, Query(ge=1, le=1000)] = 1,
) -> Response:
    """Some of the papers, each a PDF by its teacher's name."""
    days = sound(first, last)
    made = certificates.papers_of_part(ctx, actor, part, days.first, days.last)
    return download(f"giay-xac-nhan-{part}.zip", "application/zip", zipped(made))
