"""Commands for days on which something comes between: a teacher away, schools closed, a storm."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import click

from scheduler import config, console
from scheduler.commands import opening
from scheduler.domain.access import Actor
from scheduler.domain.disruptions import Choice, Disruption, Way
from scheduler.domain.intervals import DaySpan, clock_text, minute_of
from scheduler.domain.lessons import LessonId
from scheduler.domain.plans import Fingerprint, Placement
from scheduler.errors import Text, text
from scheduler.locale import Language, translate, wording
from scheduler.services import accounts, disruptions
from scheduler.services.context import Context
from scheduler.services.disruptions import Line, Preview

_WAYS = {
    Way.LEAVE: text("stays as it is"),
    Way.COVER: text("look for cover"),
    Way.MOVE: text("move"),
    Way.CALL_OFF: text("call off"),
}


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """What all three commands can be told."""
    day = click.DateTime(["%Y-%m-%d"])
    shared = (
        click.option("--from", "first", type=day, required=True, help="The first day."),
        click.option("--to", "last", type=day, help="The last day; the first if left out."),
        click.option("--choose", "chosen", metavar="LESSON=WAY", multiple=True, help=_CHOOSE),
        click.option("--apply", is_flag=True, help="Do what was shown; needs --seen."),
        click.option("--seen", default="", metavar="FINGERPRINT", help="What the preview printed."),
        click.option("--withdraw", is_flag=True, help="Take these days back; lessons stay."),
        console.json_option,
    )
    for each in reversed(shared):
        command = each(command)
    return command


_CHOOSE = "For one lesson another WAY: leave, cover, call_off, or a time like 2023-10-05T08:25."


@click.command()
@click.argument("email")
@click.option("--reason", default="", help="Why, in a few words; those concerned read it.")
@_options
def absence(email: str, reason: str, **given: Any) -> None:
    """A teacher is away: what to do with each lesson of these days.

    Without --apply nothing is done.
    """
    words = reason or translate(text("The teacher is away."), Language(config.load().locale))
    _run(given, lambda ctx, a, span: disruptions.absence_of(ctx, a, email, span, words))


@click.command()
@click.argument("school")
@click.option("--reason", required=True, help="Why, in a few words; those concerned read it.")
@_options
def closure(school: str, reason: str, **given: Any) -> None:
    """A school, by its code, takes no lessons: what to do with each lesson of these days.

    Without --apply nothing is done.
    """
    _run(
        given,
        lambda ctx, a, span: disruptions.closure_of(ctx, a, span, reason, codes=[school]),
    )


@click.command()
@click.option("--school", "schools", metavar="CODE", multiple=True, help="A school; repeatable.")
@click.option("--district", "districts", metavar="NAME", multiple=True, help="All its schools.")
@click.option("--all", "everywhere", is_flag=True, help="Every school of the programme.")
@click.option("--reason", required=True, help="Why, in a few words; those concerned read it.")
@_options
def storm(
    schools: Sequence[str],
    districts: Sequence[str],
    everywhere: bool,
    reason: str,
    **given: Any,
) -> None:
    """Many schools are closed at once: what to do with each lesson of these days.

    Without --apply nothing is done.
    """
    if not (schools or districts or everywhere):
        raise click.UsageError("Say where: --school CODE, --district NAME, or --all.")
    _run(
        given,
        lambda ctx, a, span: disruptions.closure_of(
            ctx, a, span, reason, codes=schools, districts=districts, everywhere=everywhere
        ),
    )


def _run(given: dict[str, Any], named: Callable[[Context, Actor, DaySpan], Disruption]) -> None:
    first, last = given["first"].date(), (given["last"] or given["first"]).date()
    if given["apply"] and not given["seen"]:
        raise click.UsageError("--apply needs --seen FINGERPRINT: look first, then apply.")
    choices = dict(map(_choice, given["chosen"]))
    language = Language(config.load().locale)
    with opening.ready_context() as ctx:
        actor = accounts.operator(ctx)
        asked = named(ctx, actor, DaySpan(first, last))
        if given["withdraw"]:
            disruptions.withdraw(ctx, actor, asked)
            done = text("Taken back. The lessons stay as they stand by now.")
            console.show(given["as_json"], {"withdrawn": True}, lambda: translate(done, language))
            return
        if given["apply"]:
            seen = disruptions.apply(ctx, actor, asked, Fingerprint(given["seen"]), choices)
        else:
            seen = disruptions.preview(ctx, actor, asked)
        applied = bool(given["apply"])
        console.show(given["as_json"], _data(seen, applied), lambda: _told(seen, applied, language))


def _choice(written: str) -> tuple[LessonId, Choice]:
    """LESSON=WAY, where a time means to move the lesson there."""
    lesson, _, way = written.partition("=")
    ways = {each.value: each for each in Way if each is not Way.MOVE}
    try:
        if way in ways:
            return LessonId(int(lesson)), Choice(ways[way])
        when = datetime.fromisoformat(way)
        return LessonId(int(lesson)), Choice(Way.MOVE, when.date(), minute_of(when))
    except ValueError as error:
        raise click.BadParameter(f"{written}: {_CHOOSE}") from error


def _data(seen: Preview, applied: bool) -> dict[str, Any]:
    return {
        "applied": applied,
        "fingerprint": seen.fingerprint,
        **{way.value: count for way, count in seen.counts.items()},
        "lessons": [_row(line) for line in seen.lines],
    }


def _row(line: Line) -> dict[str, Any]:
    before, after = line.proposal.before, line.proposal.after
    return {
        "lesson": line.lesson.id,
        "class": line.lesson.class_name,
        "school": line.lesson.school_name,
        "teacher": line.lesson.teacher_name,
        "day": before.day,
        "start": clock_text(before.start),
        "way": line.proposal.way,
        "why": str(line.proposal.why),
        "could_come": line.proposal.could_come,
        "new_day": after and after.day,
        "new_start": after and clock_text(after.start),
        "new_teacher": line.teacher or None,
    }


def _told(seen: Preview, applied: bool, language: Language) -> str:
    def say(what: Text) -> str:
        return translate(what, language)

    lines = [_line(line, language) for line in seen.lines]
    counts = ", ".join(f"{say(_WAYS[way])}: {n}" for way, n in seen.counts.items() if n)
    lines = lines or [say(text("No lesson is concerned."))]
    if applied:
        return "\n".join([*lines, say(text("Done: {counts}.", counts=counts or "0"))])
    look = say(text("Proposed: {counts}.", counts=counts or "0"))
    return "\n".join([*lines, look, f"--apply --seen {seen.fingerprint}"])


def _line(line: Line, language: Language) -> str:
    """One lesson a line: when and what it was, then what becomes of it and why."""
    lesson, before, after = line.lesson, line.proposal.before, line.proposal.after
    found = (
        f"{lesson.id:5}  {_when(before, language)}  {lesson.class_name} {lesson.school_name}, "
        f"{lesson.teacher_name}  ->  {translate(_WAYS[line.proposal.way], language)}"
    )
    if after is not None:
        found += f" {_when(after, language)}"
    return f"{found}. {translate(line.proposal.why, language)}"


def _when(place: Placement, language: Language) -> str:
    return f"{wording.date_short(place.day, language)} {clock_text(place.start)}"
