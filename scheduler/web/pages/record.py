"""The record of changes for coordinators: who did what, and a lesson as it stood on a day."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from scheduler.domain.deeds import DEEDS, SUBJECTS, deed, subject
from scheduler.domain.lessons import Deed, LessonId
from scheduler.domain.remarks import joined, storable
from scheduler.errors import Invalid, Text, text
from scheduler.services import audit_search
from scheduler.services.audit_search import LONGEST_WORDS, Search
from scheduler.store.audit_search import Entry
from scheduler.store.history import Version
from scheduler.web.forms import read_day
from scheduler.web.guard import LARGEST_ID, CoordinatorActor, Ctx
from scheduler.web.view import render

router = APIRouter()

HERE = "/coordinator/record"
_Typed = Annotated[str, Query(max_length=300)]
_LAST_NUMBER = re.compile(r"(\d{1,10})\D*$", re.ASCII)
BECAME: dict[Deed, Text] = {
    Deed.KEPT: text("It stood so when its history began"),
    Deed.PUBLISHED: text("Published"),
    Deed.UNDONE: text("A publication was undone"),
    Deed.CALLED_OFF: text("Called off"),
    Deed.RESTORED: text("Takes place after all"),
    Deed.COVER_ASKED: text("Cover was asked for"),
    Deed.COVER_WITHDRAWN: text("Cover is not needed any more"),
    Deed.TAKEN_OVER: text("Taken over by another teacher"),
    Deed.SWAPPED: text("Swapped"),
    Deed.MOVED: text("Moved"),
    Deed.MERGED: text("Joined with another lesson"),
    Deed.REPORTED: text("Reported"),
    Deed.SETTLED: text("Decided by a coordinator"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed: its name, and what it was before and after."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line ready to print; `href`: the lesson's history, for a line about one."""

    entry: Entry
    deed: Text
    subject: Text
    changes: tuple[Change, ...]
    href: str | None


@router.get(HERE)
def page(
    request: Request,
    ctx: Ctx,
    actor: CoordinatorActor,
    who: _Typed = "",
    action: _Typed = "",
    subject: _Typed = "",
    number: _Typed = "",
    first_day: _Typed = "",
    last_day: _Typed = "",
    words: _Typed = "",
    before: _Typed = "",
) -> Response:
    typed = {
        "who": who, "action": action, "subject": subject, "number": number,
        "first_day": first_day, "last_day": last_day, "words": words,
    }  # fmt: skip
    days, errors = _days(typed)
    search = Search(
        who=_searched(who),
        action=action if action in DEEDS else "",
        subject=subject if subject in SUBJECTS else "",
        subject_id=_number(number),
        first_day=days.get("first_day"),
        last_day=days.get("last_day"),
        words=_searched(words),
        before=_number(before),
    )
    try:
        found = audit_search.find(ctx, actor, search)
    except Invalid as fault:
        errors |= fault.fields
        found = audit_search.find(ctx, actor, Search())
    return render(
        request,
        "coordinator/record.html",
        status=422 if errors else 200,
        zone=found.zone,
        rows=[_row(entry, found.zone) for entry in found.entries],
        deeds=[("", text("Everything")), *DEEDS.items()],
        subjects=[("", text("Everything")), *SUBJECTS.items()],
        typed=typed,
        errors=errors,
        older=_address(typed, found.older) if found.older else None,
        newest=_address(typed, None) if before else None,
    )


@router.get(f"{HERE}/lesson")
def lesson(
    request: Request, ctx: Ctx, actor: CoordinatorActor, lesson: _Typed = "", day: _Typed = ""
) -> Response:
    """A lesson as it stood at the end of a day; its number, or an address that ends with it."""
    number, on = _number(lesson), read_day(day)
    errors = {"day": on} if isinstance(on, Text) and (day or lesson) else {}
    if number is None and (day or lesson):
        errors["lesson"] = text("Write the number of the lesson, or the address of its page.")
    found = None
    if number is not None and isinstance(on, date):
        found = audit_search.lesson_on(ctx, actor, LessonId(number), on)
    return render(
        request,
        "coordinator/record_lesson.html",
        status=422 if errors else 200,
        found=found,
        then=_version(found.then) if found and found.then else None,
        versions=[_version(each) for each in found.versions] if found else (),
        zone=found.lesson.zone if found else "",
        on=on if found else None,
        typed={"lesson": lesson, "day": day},
        errors=errors,
    )


def _version(found: Version) -> tuple[Version, Text]:
    return found, BECAME[found.deed]


def _row(entry: Entry, zone: str) -> Row:
    line = entry.line
    about_lesson = line.subject == "lesson" and line.subject_id is not None
    that_day = f"{line.at.astimezone(ZoneInfo(zone)):%d/%m/%Y}"
    ask = urlencode({"lesson": line.subject_id, "day": that_day})
    return Row(
        entry,
        deed(line.action),
        subject(line.subject),
        tuple(_changes(line.before, line.after)),
        f"{HERE}/lesson?{ask}" if about_lesson else None,
    )


def _changes(
    before: Mapping[str, object] | None, after: Mapping[str, object] | None
) -> Iterator[Change]:
    before, after = before or {}, after or {}
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name, ""), after.get(name, "")
        if old != new:
            yield Change(name, _short(old), _short(new))


def _short(value: object) -> str:
    said = "" if value is None else str(value)
    return said if len(said) <= 200 else f"{said[:199]}…"


def _days(typed: Mapping[str, str]) -> tuple[dict[str, date], dict[str, Text]]:
    read = {
        name: read_day(typed[name]) for name in ("first_day", "last_day") if typed[name].strip()
    }
    days = {name: day for name, day in read.items() if isinstance(day, date)}
    return days, {name: fault for name, fault in read.items() if isinstance(fault, Text)}


def _searched(typed: str) -> str:
    """What can stand in the record at all."""
    words = joined(typed)[:LONGEST_WORDS]
    return words if storable(words) else ""


def _number(typed: str) -> int | None:
    found = _LAST_NUMBER.search(typed.strip())
    number = int(found[1]) if found else 0
    return number if 1 <= number <= LARGEST_ID else None


def _address(typed: Mapping[str, str], before: int | None) -> str:
    given = {name: value for name, value in typed.items() if value}
    if before is not None:
        given["before"] = str(before)
    return f"{HERE}?{urlencode(given)}#list"
