"""Some of a teacher's lessons: ahead, past, without a report, of one class; plain links."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode

from scheduler.domain.lessons import Lesson, LessonId
from scheduler.errors import Text, text


class Show(StrEnum):
    ALL = ""
    AHEAD = "ahead"
    PAST = "past"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class Choice:
    """A link that shows `count` lessons; `current`: those are the ones shown."""

    label: Text | str
    count: int
    href: str
    current: bool


@dataclass(frozen=True, slots=True)
class Chosen:
    """The lessons that are shown, with the links that show others; `some`: not all of them."""

    ahead: tuple[Lesson, ...]
    past: tuple[Lesson, ...]
    times: tuple[Choice, ...]
    classes: tuple[Choice, ...]
    some: bool


_LABELS = {
    Show.ALL: text("All"),
    Show.AHEAD: text("Ahead"),
    Show.PAST: text("Past"),
    Show.REPORT: text("Waiting for my report"),
}


def chosen(
    ahead: tuple[Lesson, ...],
    past: tuple[Lesson, ...],
    unreported: Collection[LessonId],
    show: str,
    of: str,
) -> Chosen:
    """What the address asks for; a word that it does not know asks for all.

    Each link says how many lessons it leads to, the other choice as it is.
    """
    every = (*ahead, *past)
    shown = next((each for each in Show if each == show), Show.ALL)
    name = next((x.class_name for x in every if str(x.class_id) == of), None)
    kept = of if name is not None else ""
    by_time = {
        Show.ALL: every,
        Show.AHEAD: ahead,
        Show.PAST: past,
        Show.REPORT: tuple(x for x in past if x.id in unreported),
    }
    ours = {key: tuple(x for x in found if _is_of(x, kept)) for key, found in by_time.items()}
    here = frozenset(x.id for x in ours[shown])
    return Chosen(
        ahead=tuple(x for x in ahead if x.id in here),
        past=tuple(x for x in past if x.id in here),
        times=tuple(
            Choice(_LABELS[key], len(found), _href(key, kept), key is shown)
            for key, found in ours.items()
        ),
        classes=_classes(every, by_time[shown], shown, kept),
        some=bool(shown or kept),
    )


def _classes(
    every: tuple[Lesson, ...], there: tuple[Lesson, ...], shown: Show, kept: str
) -> tuple[Choice, ...]:
    """All classes of the term, where there are several; two schools may have a class of a name."""
    schools = {x.class_id: x.school_name for x in every}
    names = {x.class_id: x.class_name for x in every}
    if len(names) < 2:
        return ()
    twice = Counter(names.values())
    counts = Counter(x.class_id for x in there)
    one_by_one = (
        Choice(
            name if twice[name] == 1 else f"{name}, {schools[key]}",
            counts[key],
            _href(shown, str(key)),
            str(key) == kept,
        )
        for key, name in sorted(names.items(), key=lambda pair: (pair[1], pair[0]))
    )
    return Choice(text("All classes"), len(there), _href(shown, ""), not kept), *one_by_one


def _is_of(lesson: Lesson, kept: str) -> bool:
    return kept in ("", str(lesson.class_id))


def _href(show: Show, of: str) -> str:
    asked = urlencode([(key, value) for key, value in (("show", show.value), ("of", of)) if value])
    return f"/teacher/lessons?{asked}" if asked else "/teacher/lessons"
