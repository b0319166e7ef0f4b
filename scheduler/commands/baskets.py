"""Changes by hand as commands: a basket in a file, and what could be done about one lesson."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from scheduler import console
from scheduler.commands import opening
from scheduler.config import load
from scheduler.domain.intervals import clock_text
from scheduler.domain.lessons import LessonId
from scheduler.errors import Invalid, Text, text
from scheduler.locale import Language, translate
from scheduler.services import accounts, basket_files, baskets, programmes, suggestions
from scheduler.services.baskets import Check
from scheduler.services.standing import Told
from scheduler.services.suggestions import BARS, Suggestions
from scheduler.services.words import obstacle_words

_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group()
def basket() -> None:
    """Changes by hand: several lessons at once, looked at together.

    FILE holds {"moves": [...]}; a move names a "lesson" by number with another "teacher" (mail),
    "date", "start", "end", or with "call_off" and the reason; or a "request" (SCHOOL/CLASS) with
    date, start, end and teacher of one more lesson.
    """


@basket.command("check")
@_file
@console.json_option
def basket_check(file: Path, as_json: bool) -> None:
    """What the basket would break, and what it costs; nothing is changed."""
    with opening.ready_context() as ctx:
        actor = accounts.operator(ctx)
        term = programmes.present(ctx, actor)
        moves = basket_files.read(ctx, actor, term.id, _read(file))
        seen = baskets.check(ctx, actor, term.id, moves)
        console.show(as_json, _check_json(seen), lambda: "\n".join(_check_lines(seen)))


@basket.command("draft")
@_file
@click.option("--note", default="", help="Why, for the history and for pins.")
@console.json_option
def basket_draft(file: Path, note: str, as_json: bool) -> None:
    """Keep the basket as a draft: see it with `plan diff`, make it true with `plan publish`."""
    with opening.ready_context() as ctx:
        actor = accounts.operator(ctx)
        term = programmes.present(ctx, actor)
        moves = basket_files.read(ctx, actor, term.id, _read(file))
        made = baskets.draft(ctx, actor, term.id, moves, note)
        console.show(as_json, {"plan": made}, lambda: str(made))


@click.command()
@click.argument("lesson", type=int)
@console.json_option
def suggest(lesson: int, as_json: bool) -> None:
    """Other teachers and other times for a lesson, with what stands in the way."""
    with opening.ready_context() as ctx:
        found = suggestions.of_lesson(ctx, accounts.operator(ctx), LessonId(lesson))
        console.show(as_json, asdict(found), lambda: "\n".join(_suggestion_lines(found)))


def _read(file: Path) -> object:
    try:
        return json.loads(file.read_bytes())
    except ValueError as error:
        raise Invalid(
            text("This is no basket: write {shape}.", shape=basket_files.SHAPE)
        ) from error


def _check_json(seen: Check) -> dict[str, Any]:
    return {
        "clashes": [
            {"rule": clash.rule.msgid, "lessons": [asdict(x) for x in clash.lessons]}
            for clash in seen.clashes
        ],
        "cautions": [
            {"kind": caution.kind.value, "lesson": asdict(caution.lesson)}
            for caution in seen.cautions
        ],
        "dearer": seen.dearer,
        "before": {charge.term: charge.points for charge in seen.before},
        "after": {charge.term: charge.points for charge in seen.after},
    }


def _check_lines(seen: Check) -> Iterable[str]:
    for clash in seen.clashes:
        yield f"- {_say(clash.rule)}"
        yield from (f"    {_lesson(each)}" for each in clash.lessons)
    for caution in seen.cautions:
        yield f"  {_say(baskets.CAUTIONS[caution.kind])}: {_lesson(caution.lesson)}"
    before = {charge.term: charge.points for charge in seen.before}
    after = {charge.term: charge.points for charge in seen.after}
    for term in dict.fromkeys((*before, *after)):
        more = after.get(term, 0.0) - before.get(term, 0.0)
        if round(more):
            yield f"  {term} {more:+.0f}"
    yield f"  = {seen.dearer:+.0f}"


def _suggestion_lines(found: Suggestions) -> Iterable[str]:
    yield _lesson(found.lesson)
    for who in found.teachers:
        why = ", ".join(_say(obstacle_words(each)) for each in who.obstacles)
        cost = "" if who.dearer is None else f"{who.dearer:+.0f}"
        yield f"  {who.name} ({who.donor_school}) {cost or why} · {who.total}/{who.max_total}"
    for at in found.times:
        why = " ".join(_say(BARS[each]) for each in at.bars)
        why = why or ", ".join(_say(obstacle_words(each)) for each in at.obstacles)
        cost = "" if at.dearer is None else f"{at.dearer:+.0f} "
        others = f"{at.others}: {at.other} {at.other_dearer:+.0f}" if at.other_dearer else ""
        yield f"  {at.day} {clock_text(at.start)} {cost}{why} {others}".rstrip()


def _lesson(told: Told) -> str:
    when = f"{told.day} {clock_text(told.start)}–{clock_text(told.end)}"
    return f"{when} {told.class_name} ({told.school_name}) {told.teacher_name}"


def _say(words: Text) -> str:
    return translate(words, Language(load().locale))
