"""Lessons that look for cover, as commands."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from scheduler import console
from scheduler.commands import opening
from scheduler.domain.cover import Offer, Ranked, Reply
from scheduler.domain.intervals import clock_text, minute_of
from scheduler.domain.lessons import LessonId
from scheduler.domain.people import TeacherId
from scheduler.locale import Language, translate
from scheduler.services import accounts, offers, rungs
from scheduler.services import cover as cases
from scheduler.services.cover import Board, Search
from scheduler.services.rungs import Host, Time

_lesson = click.argument("lesson_id", metavar="LESSON", type=int)
_teacher = click.argument("teacher_id", metavar="TEACHER", type=int)


@click.group()
def cover() -> None:
    """Who stands in: list, show, ask, offer, accept, decline, take, close, automatic; ways,
    move, merge."""


@cover.command("list")
@console.json_option
def cover_list(as_json: bool) -> None:
    """The lessons that look for cover, the most urgent first."""
    with opening.ready_context() as ctx:
        found = cases.searches(ctx, accounts.operator(ctx))
        told = [
            {"lesson": each.lesson.id, "starts_at": each.lesson.starts_at, **_call(each)}
            for each in found
        ]
        console.show(as_json, {"covers": told}, lambda: "\n".join(map(_line, found)) or "-")


def _call(search: Search) -> dict[str, Any]:
    call = search.call
    return {
        "reason": call.reason,
        "wave": call.wave.value,
        "next": call.look_at,
        "exhausted": call.exhausted_at is not None,
        "offers": list(map(_offer, search.offers)),
    }


def _line(search: Search) -> str:
    lesson, asked = search.lesson, search.offers
    open_ = sum(offer.end is None for offer in asked)
    starts = lesson.starts_at.astimezone(ZoneInfo(lesson.zone))
    return (
        f"{lesson.id:6} {starts:%Y-%m-%d %H:%M} {lesson.class_name} "
        f"{lesson.school_name}: {lesson.teacher_name}, {len(asked)} asked, {open_} open"
    )


@cover.command("show")
@_lesson
@console.json_option
def cover_show(lesson_id: int, as_json: bool) -> None:
    """Who was asked to give a lesson, and who could."""
    with opening.ready_context() as ctx:
        board = cases.board(ctx, accounts.operator(ctx), LessonId(lesson_id))
        told = {
            "lesson": lesson_id,
            "state": board.lesson.state.value,
            "teacher": board.lesson.teacher_name,
            "call": asdict(board.call) if board.call else None,
            "offers": list(map(_offer, board.offers)),
            "candidates": list(map(_candidate, board.ranked)),
        }
        console.show(as_json, told, lambda: "\n".join(_board_lines(board)) or "-")


def _board_lines(board: Board) -> Iterator[str]:
    """Who was asked, then who could be."""
    zone = ZoneInfo(board.lesson.zone)
    for offer in board.offers:
        until = offer.deadline.astimezone(zone)
        end = offer.end.value if offer.end else f"open until {until:%Y-%m-%d %H:%M}"
        yield f"{offer.teacher_id:5} {offer.name}, asked: {end}"
    yield from map(_candidate_line, board.ranked)


def _offer(offer: Offer) -> dict[str, Any]:
    names = ("teacher_id", "name", "asked_at", "deadline", "seen_at", "end", "ended_at", "reason")
    return {"wave": offer.wave.value} | {name: getattr(offer, name) for name in names}


def _candidate(line: Ranked) -> dict[str, Any]:
    who = line.who
    return {
        "teacher": who.teacher_id,
        "name": who.name,
        "donor_school": who.donor_school,
        "fits": line.fits,
        "obstacles": [obstacle.value for obstacle in line.obstacles],
        "ask_first": line.ask_first,
        "if_needed": line.if_needed,
        "class_lessons": who.class_lessons,
        "same_school": line.same_school,
        "lessons": who.total,
        "max_total": who.max_total,
        "wished": line.wished,
        "asked_at": who.asked_at,
    }


def _candidate_line(line: Ranked) -> str:
    who, why = line.who, ", ".join(obstacle.value for obstacle in line.obstacles)
    return (
        f"{who.teacher_id:5} {who.name} ({who.donor_school}): {who.total}/{who.max_total}, "
        f"{who.class_lessons} with the class{'; ' + why if why else ''}"
    )


@cover.command("ask")
@_lesson
@click.option("--reason", required=True, help="Why its teacher cannot come.")
@console.json_option
def cover_ask(lesson_id: int, reason: str, as_json: bool) -> None:
    """Look for cover for a teacher who telephoned."""
    with opening.ready_context() as ctx:
        lesson = cases.ask(ctx, accounts.operator(ctx), LessonId(lesson_id), reason)
        console.show(as_json, {"lesson": lesson.id, "state": lesson.state.value})


@cover.command("offer")
@_lesson
@_teacher
@console.json_option
def cover_offer(lesson_id: int, teacher_id: int, as_json: bool) -> None:
    """Ask one teacher, chosen by hand."""
    with opening.ready_context() as ctx:
        actor = accounts.operator(ctx)
        until = cases.offer(ctx, actor, LessonId(lesson_id), TeacherId(teacher_id))
        console.show(as_json, {"lesson": lesson_id, "teacher": teacher_id, "deadline": until})


@cover.command("accept")
@_lesson
@_teacher
@console.json_option
def cover_accept(lesson_id: int, teacher_id: int, as_json: bool) -> None:
    """Note that a teacher who was asked gives the lesson."""
    _answer(lesson_id, teacher_id, Reply.ACCEPT, "", as_json)


@cover.command("decline")
@_lesson
@_teacher
@click.option("--reason", default="", help="Why, in a few words.")
@console.json_option
def cover_decline(lesson_id: int, teacher_id: int, reason: str, as_json: bool) -> None:
    """Note that a teacher who was asked cannot give the lesson."""
    _answer(lesson_id, teacher_id, Reply.DECLINE, reason, as_json)


def _answer(lesson_id: int, teacher_id: int, said: Reply, reason: str, as_json: bool) -> None:
    with opening.ready_context() as ctx:
        actor, teacher = accounts.operator(ctx), TeacherId(teacher_id)
        found = offers.reply_for(ctx, actor, LessonId(lesson_id), teacher, said, reason)
        told = {"lesson": lesson_id, "teacher": teacher_id, "standing": found.standing.value}
        console.show(as_json, told)


@cover.command("take")
@_lesson
@_teacher
@click.option("--reason", required=True, help="What was agreed, kept in the history.")
@console.json_option
def cover_take(lesson_id: int, teacher_id: int, reason: str, as_json: bool) -> None:
    """Give a lesson to a teacher who agreed by telephone."""
    with opening.ready_context() as ctx:
        actor, teacher = accounts.operator(ctx), TeacherId(teacher_id)
        lesson = cases.take(ctx, actor, LessonId(lesson_id), teacher, reason)
        console.show(as_json, {"lesson": lesson.id, "teacher": lesson.teacher_id})


@cover.command("close")
@_lesson
@console.json_option
def cover_close(lesson_id: int, as_json: bool) -> None:
    """End the search: the teacher comes after all."""
    with opening.ready_context() as ctx:
        lesson = cases.close(ctx, accounts.operator(ctx), LessonId(lesson_id))
        console.show(as_json, {"lesson": lesson.id, "state": lesson.state.value})


@cover.command("automatic")
@click.argument("switch", type=click.Choice(["on", "off"]), required=False)
@console.json_option
def cover_automatic(switch: str | None, as_json: bool) -> None:
    """Whether teachers are asked by themselves, wave after wave."""
    with opening.ready_context() as ctx:
        wanted = None if switch is None else switch == "on"
        on = cases.automatic(ctx, accounts.operator(ctx), on=wanted)
        console.show(as_json, {"automatic": on})


# -- the last rungs


@cover.command("ways")
@_lesson
@console.json_option
def cover_ways(lesson_id: int, as_json: bool) -> None:
    """Where a lesson could move, and which ones its class could join."""
    with opening.ready_context() as ctx:
        found = rungs.ways(ctx, accounts.operator(ctx), LessonId(lesson_id))
        language = Language(ctx.settings.locale)
        told = {
            "lesson": lesson_id,
            "times": [_time(each, language) for each in found.times],
            "merges": [_host(each, language) for each in found.hosts],
        }
        console.show(as_json, told, lambda: "\n".join(_way_lines(told)) or "-")


def _time(time: Time, language: Language) -> dict[str, Any]:
    place = time.place
    own = None if time.hindrances is None else [each.value for each in time.hindrances]
    return {
        "day": place.day,
        "start": clock_text(place.start),
        "end": clock_text(place.end),
        "fits": time.fits,
        "fault": translate(time.fault, language) if time.fault else None,
        "own_teacher": own,
        "others": [
            {"teacher": who.teacher_id, "name": who.name, "donor_school": who.donor_school}
            for who in time.others
        ],
    }


def _host(host: Host, language: Language) -> dict[str, Any]:
    lesson = host.lesson
    return {
        "lesson": lesson.id,
        "class": lesson.class_name,
        "starts_at": lesson.starts_at,
        "teacher": lesson.teacher_name,
        "fits": host.fault is None,
        "fault": translate(host.fault, language) if host.fault else None,
    }


def _way_lines(told: dict[str, Any]) -> Iterator[str]:
    for each in told["times"]:
        why = each["fault"] or f"{len(each['others'])} others"
        if not each["fault"] and each["own_teacher"] == []:
            why = f"its teacher, {why}"
        tick = "+" if each["fits"] else "-"
        yield f"{tick} move --day {each['day']} --start {each['start']}: {why}"
    for each in told["merges"]:
        why = each["fault"] or f"{each['class']} {each['starts_at']:%H:%M}Z, {each['teacher']}"
        yield f"{'+' if each['fits'] else '-'} merge {each['lesson']}: {why}"


@cover.command("move")
@_lesson
@click.option("--day", required=True, type=click.DateTime(["%Y-%m-%d"]), help="YYYY-MM-DD.")
@click.option("--start", required=True, type=click.DateTime(["%H:%M"]), help="HH:MM, on the wall.")
@click.option("--teacher", "teacher_id", type=int, help="Who gives it then, if somebody else.")
@console.json_option
def cover_move(
    lesson_id: int, day: datetime, start: datetime, teacher_id: int | None, as_json: bool
) -> None:
    """Give the lesson at another time of its week that the class asked for."""
    with opening.ready_context() as ctx:
        actor, teacher = accounts.operator(ctx), TeacherId(teacher_id) if teacher_id else None
        at = day.date(), minute_of(start)
        lesson = rungs.move(ctx, actor, LessonId(lesson_id), *at, teacher)
        told = {
            "lesson": lesson.id,
            "starts_at": lesson.starts_at,
            "teacher": lesson.teacher_id,
            "state": lesson.state.value,
        }
        console.show(as_json, told)


@cover.command("merge")
@_lesson
@click.argument("into_id", metavar="INTO", type=int)
@console.json_option
def cover_merge(lesson_id: int, into_id: int, as_json: bool) -> None:
    """Let the class join another lesson of its school and level on that day."""
    with opening.ready_context() as ctx:
        actor = accounts.operator(ctx)
        lesson = rungs.merge(ctx, actor, LessonId(lesson_id), LessonId(into_id))
        told = {
            "lesson": lesson.id,
            "state": lesson.state.value,
            "merged_into": lesson.merged_into_id,
            "reason": lesson.cancel_reason,
        }
        console.show(as_json, told)
