"""Lessons that no plan may touch, as commands."""

from datetime import datetime

import click

from scheduler import console
from scheduler.commands import opening, telling
from scheduler.domain.lessons import LessonId
from scheduler.locale import wording
from scheduler.services import accounts, pins, programmes
from scheduler.services.pins import PinnedLesson


@click.group()
def pin() -> None:
    """Lessons that no plan may touch: add, remove, list."""


@pin.command("add")
@click.argument("lesson_ids", type=int, nargs=-1, required=True)
@click.option("--note", required=True, help="Why, for whoever comes across it.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The last day.")
@console.json_option
def pin_add(lesson_ids: tuple[int, ...], note: str, until: datetime | None, as_json: bool) -> None:
    """Keep lessons as they stand, whatever is planned."""
    with opening.ready_context() as ctx:
        ids = [LessonId(each) for each in lesson_ids]
        pins.put(ctx, accounts.operator(ctx), ids, note, until.date() if until else None)
        console.show(as_json, {"pinned": sorted(set(ids))})


@pin.command("remove")
@click.argument("lesson_ids", type=int, nargs=-1, required=True)
@console.json_option
def pin_remove(lesson_ids: tuple[int, ...], as_json: bool) -> None:
    """Let plans touch lessons again."""
    with opening.ready_context() as ctx:
        ids = [LessonId(each) for each in lesson_ids]
        console.show(as_json, {"unpinned": pins.remove(ctx, accounts.operator(ctx), ids)})


@pin.command("list")
@console.json_option
def pin_list(as_json: bool) -> None:
    """The pins of the present term that hold today, by the lessons' time."""
    with opening.ready_context() as ctx:
        actor = accounts.operator(ctx)
        found = pins.of_term(ctx, actor, programmes.present(ctx, actor).id)
        console.show(
            as_json,
            {"pins": [_told(each) for each in found]},
            lambda: "\n".join(map(_line, found)) or "-",
        )


def _told(each: PinnedLesson) -> dict[str, object]:
    lesson, held = each.lesson, each.pin
    return {
        "lesson": lesson.id,
        "class": lesson.class_name,
        "school": lesson.school_name,
        "teacher": lesson.teacher_name,
        "starts_at": lesson.starts_at.isoformat(),
        "owner": held.owner,
        "note": held.note,
        "until": held.until and held.until.isoformat(),
    }


def _line(each: PinnedLesson) -> str:
    lesson, held = each.lesson, each.pin
    until = f" – {wording.date_short(held.until, telling.language())}" if held.until else ""
    return f"{telling.lesson(lesson)}: {held.note} ({held.owner}{until})"
