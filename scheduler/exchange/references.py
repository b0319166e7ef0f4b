"""Which school and which class a cell means: schools go by code or by name, classes in any case."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches

from scheduler.domain import names
from scheduler.domain.imports import Roster, SchoolEntry, TeacherEntry
from scheduler.errors import Text, text
from scheduler.exchange import layout
from scheduler.exchange.faults import Row
from scheduler.exchange.readers import Ask
from scheduler.exchange.words import letters, written
from scheduler.exchange.workbooks import Batch, Found

_CODE = re.compile(r"[^\s,;]{1,20}")
_CLASS = re.compile(r"(\d{1,2})\s*([A-Za-zĐđ]\d{0,2})")
_ALIKE = 0.8  # of the letters of two names
# How kinds of schools are written out, and how they are short.
_KINDS = {
    "pho thong dan toc ban tru": "ptdtbt",
    "pho thong dan toc noi tru": "ptdtnt",
    "tieu hoc": "th",
    "trung hoc co so": "thcs",
    "trung hoc pho thong": "thpt",
}
_KIND = re.compile(r"\b(?:truong|pt|ptdtbt|ptdtnt|th|thcs|thpt|va)\b|&")
_BRACKETS = re.compile(r"\(([^()]*)\)\s*$")


class Schools:
    """Schools by what people call them."""

    def __init__(self, schools: Iterable[SchoolEntry]) -> None:
        self._by_code = {letters(school.code): school for school in schools if school.code}
        self._by_name: dict[str, list[SchoolEntry]] = defaultdict(list)
        self._by_bare: dict[str, list[SchoolEntry]] = defaultdict(list)
        for school in self._by_code.values():
            self._by_name[_short(school.name)].append(school)
            self._by_bare[_bare(school.name)].append(school)

    def find(self, said: str) -> list[SchoolEntry]:
        """The schools that it may mean: by code, by name, or by the name without its kind."""
        by_code = self._by_code.get(letters(said))
        if by_code is not None:
            return [by_code]
        district = _BRACKETS.search(said)
        name = said[: district.start()] if district else said
        found = self._by_name.get(_short(name), [])
        if not found and _short(name) == _bare(name):
            found = self._by_bare.get(_bare(name), [])
        if district:
            found = [one for one in found if letters(one.district) == letters(district[1])]
        return found

    def near(self, said: str) -> SchoolEntry | None:
        """The school whose name is nearly this."""
        close = get_close_matches(_short(said), list(self._by_name), n=1, cutoff=_ALIKE)
        return self._by_name[close[0]][0] if close else None


def _short(name: str) -> str:
    said = names.fold(name)
    for long, short in _KINDS.items():
        said = said.replace(long, short)
    return letters(re.sub(r"\btruong\b|\bva\b", " ", said))


def _bare(name: str) -> str:
    said = names.fold(name)
    for long, short in _KINDS.items():
        said = said.replace(long, short)
    return letters(_KIND.sub(" ", said))


def settle(batch: Batch, held: Roster, schools: Schools) -> None:
    """Put codes in place of names, and classes as they are held, in all that the files say."""
    batch.bells[:] = [
        Found(
            found.row,
            replace(found.entry, school_code=_code(found.row, found.entry.school_code, schools)),
        )
        for found in batch.bells
    ]
    batch.teachers[:] = [Found(found.row, _teacher(found, schools)) for found in batch.teachers]
    classes = {(room.school_code, _class_key(room.name)): room.name for room in held.classes}
    known = {(room.school_code, room.name) for room in held.classes}
    for index, found in enumerate(batch.asks):
        asked = settled(found.row, found.entry, schools)
        if (asked.school_code, asked.class_name) not in known:
            key = (asked.school_code, _class_key(asked.class_name))
            name = classes.get(key, _class(asked.class_name))
            asked = replace(asked, class_name=name)
        batch.asks[index] = Found(found.row, asked)


def settled(row: Row, ask: Ask, schools: Schools) -> Ask:
    """A row of requests with the code of its school."""
    return replace(ask, school_code=_code(row, ask.school_code, schools))


def unknown(said: str, schools: Schools) -> Text:
    """What to say of a school that nobody knows."""
    if _CODE.fullmatch(said):
        return text(
            "There is no school with the code {code}. Correct it, or add the school to the sheet"
            " Trường.",
            code=said,
        )
    near = schools.near(said)
    if near is not None:
        return text(
            "There is no school “{found}”. If {name} is meant, write {code}.",
            found=said,
            name=near.name,
            code=near.code,
        )
    return text(
        "There is no school “{found}”. Write its code, or its name as in the sheet Trường.",
        found=said,
    )


def _code(row: Row, said: str, schools: Schools) -> str:
    if not said:
        return said
    found = _one(row, layout.CODE, said, schools)
    if found is None:
        return ""
    _check_name(row, found, schools)
    return found


def _check_name(row: Row, code: str, schools: Schools) -> None:
    """Where a list has the code and the name of a school, they must be the same school's."""
    name = row.value(layout.SCHOOL_NAME)
    if name is None or layout.SCHOOL_NAME not in row.columns:
        return
    meant = schools.find(written(name))
    if len(meant) == 1 and meant[0].code != code:
        what = text(
            "“{found}” is the school {right}, and the row says {code}. Correct one of them.",
            found=written(name),
            right=meant[0].code,
            code=code,
        )
        row.fault(layout.SCHOOL_NAME, what)


def _one(row: Row, column: str, said: str, schools: Schools) -> str | None:
    """The code of the one school meant, or what was said when it is none; None: it may be several,
    which is noted."""
    found = schools.find(said)
    if not found:
        return said.upper() if _CODE.fullmatch(said) else said
    if len(found) > 1:
        what = text(
            "“{found}” may be several schools: {schools}. Write the code of one.",
            found=said,
            schools=tuple(f"{one.code} ({one.district})" for one in found),
        )
        row.fault(column, what)
        return None
    if letters(said) != letters(found[0].code):
        row.faults.read(
            row.spot(column), row.where(column), column, said, f"{found[0].code} · {found[0].name}"
        )
    return found[0].code


def _teacher(found: Found[TeacherEntry], schools: Schools) -> TeacherEntry:
    pledge = found.entry.pledge
    if pledge is None or not pledge.wishes:
        return found.entry
    codes = {_one(found.row, layout.WISHES, said, schools) for said in pledge.wishes}
    wishes = tuple(sorted(code for code in codes if code is not None))
    return replace(found.entry, pledge=replace(pledge, wishes=wishes))


def _class_key(name: str) -> str:
    return "".join(name.split()).casefold()


def _class(name: str) -> str:
    """A class in the usual writing: 3A; names of another kind stay as they are."""
    usual = _CLASS.fullmatch(name)
    return f"{usual[1]}{usual[2].upper()}" if usual else name
