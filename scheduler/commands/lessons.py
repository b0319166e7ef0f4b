"""One lesson, as an operator looks after it: what was said of it, and what is decided."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from scheduler import console
from scheduler.commands import opening, telling
from scheduler.domain.briefs import Written
from scheduler.domain.checkins import Presence
from scheduler.domain.intervals import end_of
from scheduler.domain.lessons import Cause, Lesson, LessonId
from scheduler.domain.reminders import Side
from scheduler.domain.reports import Filed, Report, Waiting
from scheduler.errors import text
from scheduler.services import accounts, briefs, checkins, lessons, reports, sides
from scheduler.services.checkins import Watched
from scheduler.services.context import Context
from scheduler.services.reports import Account, OpenQuestion, Settlement
from scheduler.services.sides import Speaker
from scheduler.services.words import CAUSES, DEEDS, STATES, report_words
from scheduler.store.history import Version

lesson_argument = click.argument("lesson_id", type=click.IntRange(1, 2**31 - 1), metavar="ID")
side_option = click.option(
    "--side",
    type=click.Choice([side.value for side in Side]),
    help="For which side; needed by who stands on neither.",
)
held_option = click.option("--held/--not-held", required=True, help="Whether it took place.")
cause_option = click.option(
    "--cause",
    type=click.Choice([cause.value for cause in Cause]),
    help="Why it was not held.",
)


@click.group()
def lesson() -> None:
    """One lesson: show, report, settle, history, check-in; and what waits for a decision."""


@lesson.command("show")
@lesson_argument
@console.json_option
def lesson_show(lesson_id: int, as_json: bool) -> None:
    """How a lesson stands: its state, both reports, who checked in, its brief."""
    with opening.ready_context() as ctx:
        actor, wanted = accounts.operator(ctx), LessonId(lesson_id)
        brief = briefs.of_lesson(ctx, actor, wanted)
        account = reports.seen(ctx, actor, wanted)
        found = _told(account)
        arrived = checkins.seen(ctx, actor, wanted).arrived
        found["check_ins"] = {side.value: at for side, at in arrived.items()}
        found["level"] = brief.level.value
        found["brief"], found["last_brief"] = _brief(brief.own), _brief(brief.last)
        lines = [*_account_lines(account), *_arrived_lines(arrived, account.lesson.zone)]
        lines += [f"        {_brief_line(each)}" for each in (brief.last, brief.own) if each]
        console.show(as_json, found, lambda: "\n".join(lines))


@lesson.command("report")
@lesson_argument
@side_option
@held_option
@click.option("--late", default=0, metavar="MINUTES", help="How late it began.")
@cause_option
@click.option("--note", default="", help="A few words.  Name no pupil.")
@console.json_option
def lesson_report(
    lesson_id: int, side: str | None, held: bool, late: int, cause: str | None, note: str,
    as_json: bool,
) -> None:  # fmt: skip
    """Write down what one side of a lesson says of it, for example on the telephone."""
    with opening.ready_context() as ctx:
        speaker = _speaker(ctx, lesson_id, side)
        said = Report(held, late, Cause(cause) if cause else None, note)
        done = reports.report(ctx, speaker, said)
        console.show(as_json, _told(done), lambda: "\n".join(_account_lines(done)))


@lesson.command("settle")
@lesson_argument
@held_option
@cause_option
@click.option("--why", required=True, metavar="WORDS", help="Why it is decided so.")
@console.json_option
def lesson_settle(lesson_id: int, held: bool, cause: str | None, why: str, as_json: bool) -> None:
    """Decide for both sides how a lesson went."""
    with opening.ready_context() as ctx:
        made = Settlement(held, Cause(cause) if cause else None, why)
        actor = accounts.operator(ctx)
        done = reports.settle(ctx, actor, LessonId(lesson_id), made)
        console.show(as_json, _told(done), lambda: "\n".join(_account_lines(done)))


@lesson.command("open")
@console.json_option
def lesson_open(as_json: bool) -> None:
    """The lessons that wait for a decision: both sides differ, or one alone has told."""
    with opening.ready_context() as ctx:
        found = reports.open_questions(ctx, accounts.operator(ctx))
        console.show(
            as_json,
            {
                "open": [
                    {"why": x.why.value, **_lesson(x.lesson), "reports": _reports(x.filed)}
                    for x in found
                ]
            },
            lambda: "\n".join(line for x in found for line in _question_lines(x)) or "-",
        )


@lesson.command("history")
@lesson_argument
@click.option(
    "--on",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Only how it looked at the end of that day, like 2023-10-02.",
)
@console.json_option
def lesson_history(lesson_id: int, on: datetime | None, as_json: bool) -> None:
    """All that became of a lesson, the oldest first; or what it looked like on a day."""
    with opening.ready_context() as ctx:
        actor, wanted = accounts.operator(ctx), LessonId(lesson_id)
        found = lessons.visible_lesson(ctx, actor, wanted)
        if on is None:
            versions = lessons.history(ctx, actor, wanted)
        else:
            then = lessons.as_of(ctx, actor, wanted, end_of(on.date(), found.zone))
            versions = (then,) if then else ()
        console.show(
            as_json,
            {"lesson": lesson_id, "versions": [_version(x) for x in versions]},
            lambda: "\n".join(_version_line(x, found.zone) for x in versions) or "-",
        )


@lesson.command("check-in")
@lesson_argument
@side_option
@console.json_option
def lesson_check_in(lesson_id: int, side: str | None, as_json: bool) -> None:
    """Note that a side of a lesson is there."""
    with opening.ready_context() as ctx:
        found = checkins.check_in(ctx, _speaker(ctx, lesson_id, side))
        arrived = {each.value: at for each, at in found.arrived.items()}
        console.show(
            as_json,
            {"lesson": lesson_id, "check_ins": arrived},
            lambda: "\n".join(_arrived_lines(found.arrived, found.lesson.zone)),
        )


@lesson.command("now")
@console.json_option
def lesson_now(as_json: bool) -> None:
    """The lessons that run or begin within 15 minutes, and who is missing."""
    with opening.ready_context() as ctx:
        found = checkins.board(ctx, accounts.operator(ctx))
        shown = [
            {**_lesson(x.lesson), "red": x.red, "sides": {k.value: v for k, v in x.sides.items()}}
            for x in found
        ]
        console.show(
            as_json,
            {"lessons": shown},
            lambda: "\n".join(line for x in found for line in _board_lines(x)) or "-",
        )


def _speaker(ctx: Context, lesson_id: int, side: str | None) -> Speaker:
    wanted = Side(side) if side else None
    return sides.of_actor(ctx, accounts.operator(ctx), LessonId(lesson_id), wanted)


def _told(found: Account) -> dict[str, object]:
    return {**_lesson(found.lesson), "reports": _reports(found.filed)}


def _lesson(found: Lesson) -> dict[str, object]:
    return {
        "lesson": found.id,
        "state": found.state.value,
        "cause": found.cause.value if found.cause else None,
        "class": found.class_name,
        "school": found.school_name,
        "teacher": found.teacher_name,
        "starts_at": found.starts_at.astimezone(ZoneInfo(found.zone)).isoformat(),
        "ends_at": found.ends_at.astimezone(ZoneInfo(found.zone)).isoformat(),
    }


def _reports(filed: Mapping[Side, Filed]) -> list[dict[str, object]]:
    return [
        {"side": side.value, **asdict(each.report), "by": each.by_name, "at": each.at}
        for side, each in filed.items()
    ]


def _brief(written: Written | None) -> dict[str, object] | None:
    if written is None:
        return None
    return {"lesson": written.lesson_id, **asdict(written.brief), "by": written.by_name}


def _version(found: Version) -> dict[str, object]:
    return {name: value for name, value in asdict(found).items() if name != "lesson_id"}


# -- in words

_SIDES = {Side.TEACHER: text("the teacher"), Side.SCHOOL: text("the school")}
_WAITING = {
    Waiting.DISPUTED: text("Both sides differ"),
    Waiting.ONE_SIDED: text("One side alone has told"),
}
_STANDING = {
    Presence.IN: text("there"),
    Presence.AWAITED: text("not there yet"),
    Presence.MISSING: text("missing"),
}


def _account_lines(found: Account | OpenQuestion) -> Iterator[str]:
    """The lesson, its state, and what each side said, a line each."""
    lesson = found.lesson
    cause = f" ({telling.say(CAUSES[lesson.cause])})" if lesson.cause else ""
    yield f"{telling.lesson(lesson)}  {telling.say(STATES[lesson.state])}{cause}"
    for side, each in found.filed.items():
        said = telling.say(report_words(each.report))
        when = telling.moment(each.at, lesson.zone)
        note = f" “{each.report.note}”" if each.report.note else ""
        yield f"        {telling.say(_SIDES[side])} ({each.by_name}, {when}): {said}{note}"


def _question_lines(found: OpenQuestion) -> Iterator[str]:
    yield from _account_lines(found)
    yield f"        {telling.say(_WAITING[found.why])}"


def _arrived_lines(arrived: Mapping[Side, datetime], zone: str) -> Iterator[str]:
    for side, at in arrived.items():
        when, who = telling.moment(at, zone), telling.say(_SIDES[side])
        yield f"        {telling.say(text('{side} was there at {when}', side=who, when=when))}"


def _board_lines(found: Watched) -> Iterator[str]:
    red = "! " if found.red else ""
    sides = (
        f"{telling.say(_SIDES[k])} {telling.say(_STANDING[v])}" for k, v in found.sides.items()
    )
    yield f"{telling.lesson(found.lesson)}  {red}{', '.join(sides)}"


def _brief_line(written: Written) -> str:
    told = written.brief
    return " · ".join(x for x in (told.unit, told.pages, told.done, told.next) if x)


def _version_line(found: Version, zone: str) -> str:
    """When it became so and by whom; then how it stood."""
    by = f" {found.by}" if found.by else ""
    reason = f" ({found.reason})" if found.reason else ""
    return (
        f"{telling.moment(found.at, zone)}{by}: {telling.say(DEEDS[found.deed])}{reason}"
        f"  ->  {telling.span(found.starts_at, found.ends_at, zone)}, {found.teacher_name}, "
        f"{telling.say(STATES[found.state])}"
    )
