"""What a list would do, entry by entry, in words: new, changed and where, not named and kept."""

from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass, fields
from typing import Any

from scheduler.domain.availability import Pledge
from scheduler.domain.imports import (
    Changes,
    ClassEntry,
    Count,
    DonorSchoolEntry,
    PeriodEntry,
    RequestEntry,
    Roster,
    SchoolEntry,
    Split,
    TeacherEntry,
    TermEntry,
)
from scheduler.domain.intervals import clock_text
from scheduler.domain.requests import NewRequest
from scheduler.errors import Text, text
from scheduler.exchange.cells import HALF_DAY_WORDS
from scheduler.exchange.faults import Reading

SHOWN = 50  # entries of one kind, before it is said how many more there are

READ = 20  # ways of writing of one column, before it is said how many more there are

NOUNS = {
    "terms": text("Terms"),
    "schools": text("Receiving schools"),
    "periods": text("Bell times"),
    "donor_schools": text("Donor schools"),
    "teachers": text("Teachers"),
    "classes": text("Classes"),
    "requests": text("Requests"),
}
_FIELDS = {
    "name": text("name"),
    "phone": text("telephone"),
    "school": text("school"),
    "district": text("district"),
    "level": text("level"),
    "levels": text("levels"),
    "rooms": text("rooms"),
    "contacts": text("contact"),
    "pupils": text("pupils"),
    "max_per_day": text("lessons a day"),
    "max_per_week": text("lessons a week"),
    "max_total": text("lessons a term"),
    "windows": text("free times"),
    "absences": text("days away"),
    "wishes": text("wishes"),
    "pledge": text("promise for the term"),
    "first_day": text("first day"),
    "last_day": text("last day"),
    "gap_minutes": text("rest between lessons"),
    "zone": text("time zone"),
    "holidays": text("holidays"),
    "lessons_per_week": text("lessons a week"),
    "priority": text("priority"),
    "slots": text("wished times"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One entry; `what` changes of it, empty where all of it is new."""

    name: str
    what: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """The entries of one noun: how many, and the first of each kind."""

    label: Text
    count: Count
    gone: int
    kept: int
    new: tuple[Item, ...]
    changed: tuple[Item, ...]
    ended: tuple[Item, ...]
    unnamed: tuple[Item, ...]

    @property
    def here(self) -> bool:
        """Whether the lists are about these at all."""
        return any((*astuple(self.count), self.gone, self.kept))


@dataclass(frozen=True, slots=True)
class Readings:
    """What cells of one column were taken for: how many cells, and the first ways of writing."""

    column: str
    cells: int
    shown: tuple[Reading, ...]
    more: int


def readings(found: Iterable[Reading]) -> list[Readings]:
    """What was understood although it is written otherwise, column by column."""
    columns: dict[str, list[Reading]] = {}
    for each in found:
        columns.setdefault(each.column, []).append(each)
    return [
        Readings(column, sum(x.count for x in told), tuple(told[:READ]), len(told[READ:]))
        for column, told in columns.items()
    ]


def groups(changes: Changes | None, unnamed: Roster) -> list[Group]:
    """What lists do, noun by noun; nothing while they have faults.  `unnamed`: what stays."""
    if changes is None:
        return []
    return [_group(noun, split, unnamed) for noun, split in changes.by_noun.items()]


def _group(noun: str, split: Split[Any], unnamed: Roster) -> Group:
    call = _CALLED[noun]
    pairs = list(zip(split.before, split.changed, strict=True))
    ended = [old for old, new in pairs if _is_given_up(new)]
    changed = [(old, new) for old, new in pairs if not _is_given_up(new)]
    rest = getattr(unnamed, noun, ())
    return Group(
        label=NOUNS[noun],
        count=Count(len(split.new), len(changed), split.unchanged),
        gone=len(ended),
        kept=len(rest),
        new=_items(split.new, call),
        changed=tuple(Item(call(new), tuple(_differ(old, new))) for old, new in _few(changed)),
        ended=_items(ended, call),
        unnamed=_items(rest, call),
    )


def _is_given_up(entry: object) -> bool:
    """A bell period that its school rings no more."""
    return isinstance(entry, PeriodEntry) and entry.start is None


def _items(entries: Iterable[Any], call: Callable[[Any], str]) -> tuple[Item, ...]:
    return tuple(Item(call(each)) for each in _few(entries))


def _few(entries: Iterable[Any]) -> list[Any]:
    return [each for each, _ in zip(entries, range(SHOWN), strict=False)]


def _differ(old: Any, new: Any) -> Iterable[Text]:
    """The names of the fields in which two entries differ, those inside a promise or ask too."""
    for name in (field.name for field in fields(old)) if not isinstance(old, tuple) else ():
        before, after = getattr(old, name), getattr(new, name)
        if isinstance(before, Pledge | NewRequest) and isinstance(after, Pledge | NewRequest):
            yield from _differ(before, after)
        elif before != after and name in _FIELDS:
            yield _FIELDS[name]


def _period(bell: PeriodEntry) -> str:
    clock = "" if bell.start is None else f", {clock_text(bell.start)}–{clock_text(bell.end or 0)}"
    half_day = HALF_DAY_WORDS[bell.half_day]  # as the lists themselves have it
    return f"{bell.school_code} · {half_day} {bell.number}{clock}"


def _request(one: RequestEntry) -> str:
    second = f"#{one.number}" if one.number > 1 else ""
    return f"{one.school_code} · {one.ask.class_name}{second}"


def _term(term: TermEntry) -> str:
    return f"{term.code} · {term.name}"


def _school(school: SchoolEntry) -> str:
    return f"{school.code} · {school.name}"


def _donor(donor: DonorSchoolEntry) -> str:
    return f"{donor.name} ({donor.district})"


def _teacher(teacher: TeacherEntry) -> str:
    return f"{teacher.name} · {teacher.school}"


def _class(room: ClassEntry) -> str:
    return f"{room.school_code} · {room.name}"


_CALLED: dict[str, Callable[[Any], str]] = {
    "terms": _term,
    "schools": _school,
    "periods": _period,
    "donor_schools": _donor,
    "teachers": _teacher,
    "classes": _class,
    "requests": _request,
}
