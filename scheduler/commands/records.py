"""Commands for records of service, certificates, fairness and pledges."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from scheduler import console
from scheduler.commands import opening
from scheduler.domain.certificates import Certificate
from scheduler.domain.fairness import Share, Spread
from scheduler.domain.records import Outcome, Sums
from scheduler.errors import Invalid, text
from scheduler.services import accounts, certificates, fairness, records, statements
from scheduler.services.records import Part, Record

_DAY = click.DateTime(["%Y-%m-%d", "%d/%m/%Y"])
_first_option = click.option("--from", "first", type=_DAY, help="First day; else the term's.")
_last_option = click.option("--to", "last", type=_DAY, help="Last day; else the term's.")

_WRITERS: dict[str, Callable[[Record], bytes]] = {
    ".pdf": statements.paper,
    ".xlsx": statements.workbook,
    ".csv": statements.table,
}


@click.command()
@click.argument("email", required=False)
@_first_option
@_last_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Write a paper, a workbook or a table: a name that ends in .pdf, .xlsx or .csv.",
)
@console.json_option
def record(
    email: str | None,
    first: datetime | None,
    last: datetime | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """What was given and what was lost: by the teacher EMAIL, or by the whole programme."""
    with opening.ready_context() as ctx:
        write = _writer(output) if output else None
        actor, days = accounts.operator(ctx), (_day(first), _day(last))
        if email is None:
            found = records.of_programme(ctx, actor, *days)
        else:
            teacher = records.teacher_of(ctx, actor, email)
            found = records.of_teacher(ctx, actor, teacher, *days)
        if output and write:
            output.write_bytes(write(found))
        console.show(as_json, _record(found), lambda: "\n".join(_record_lines(found)))


def _writer(output: Path) -> Callable[[Record], bytes]:
    if output.suffix.lower() not in _WRITERS:
        raise Invalid(text("Choose a file name that ends in .pdf, .xlsx or .csv."))
    return _WRITERS[output.suffix.lower()]


def _day(given: datetime | None) -> date | None:
    return given.date() if given else None


def _record(found: Record) -> dict[str, Any]:
    return {
        "programme": found.programme.name,
        "from": found.days.first_day,
        "to": found.days.last_day,
        "teacher": found.whose or None,
        **_sums(found.whole),
        "months": {f"{month:%Y-%m}": _sums(sums) for month, sums in found.months.items()},
        "teachers": _parts(found.teachers),
        "donor_schools": _parts(found.donor_schools),
        "schools": _parts(found.schools),
        "classes": _parts(found.classes),
        "joint_sessions": {
            "sessions": found.met.sessions,
            "minutes": found.met.minutes,
            "came": found.met.came,
        },
    }


def _parts(parts: Sequence[Part]) -> list[dict[str, Any]]:
    return [{"name": part.name, **_sums(part.sums)} for part in parts]


def _sums(sums: Sums) -> dict[str, Any]:
    causes = {cause.value if cause else "": lost.lessons for cause, lost in sums.causes.items()}
    return {
        "lessons": {outcome.value: sums.of(outcome).lessons for outcome in Outcome},
        "minutes_given": sums.given.minutes,
        "causes": causes,
    }


def _record_lines(found: Record) -> list[str]:
    whole = found.whole
    counts = " ".join(f"{outcome.value} {whole.of(outcome).lessons}" for outcome in Outcome)
    return [f"{found.whose or found.programme.name}: {whole.given.minutes} min", counts]


@click.group()
def certificate() -> None:
    """Certificates of service, which anybody can check by their code."""


@certificate.command("issue")
@click.argument("email", required=False)
@click.option("--all", "everybody", is_flag=True, help="For all who gave a lesson.")
@_first_option
@_last_option
@console.output_option("The folder to write them into.")
@console.json_option
def certificate_issue(
    email: str | None,
    everybody: bool,
    first: datetime | None,
    last: datetime | None,
    output: Path,
    as_json: bool,
) -> None:
    """Issue to the teacher EMAIL, or to all; the same figures give the same certificate again."""
    with opening.ready_context() as ctx:
        if everybody == (email is not None):
            raise Invalid(text("Write a teacher's address, or --all."))
        actor, days = accounts.operator(ctx), (_day(first), _day(last))
        if email is None:
            issued = certificates.issue_all(ctx, actor, *days)
        else:
            teacher = records.teacher_of(ctx, actor, email)
            issued = (certificates.issue(ctx, actor, teacher, *days),)
        output.mkdir(parents=True, exist_ok=True)
        for each, paper in zip(issued, certificates.printed(ctx, issued), strict=True):
            (output / f"{each.code}.pdf").write_bytes(paper)
        console.show(as_json, {"certificates": [_issued(each) for each in issued]})


@certificate.command("withdraw")
@click.argument("code")
@console.json_option
def certificate_withdraw(code: str, as_json: bool) -> None:
    """Take a certificate back: its page then says that it is no longer valid."""
    with opening.ready_context() as ctx:
        found = certificates.withdraw(ctx, accounts.operator(ctx), code)
        console.show(as_json, _issued(found))


def _issued(found: Certificate) -> dict[str, Any]:
    return {
        "code": found.code,
        "name": found.facts.name,
        "lessons": found.facts.held.lessons,
        "minutes": found.facts.held.minutes,
        "withdrawn": found.withdrawn_at is not None,
    }


@click.command("fairness")
@click.option(
    "--weeks", default=fairness.WEEKS, show_default=True, help="How many weeks to look at."
)
@click.option("--until", type=_DAY, help="A day of the last week; else the present one.")
@console.json_option
def fairness_command(weeks: int, until: datetime | None, as_json: bool) -> None:
    """Who had how much of what was due: teachers, donor schools, receiving schools."""
    with opening.ready_context() as ctx:
        found = fairness.figures(ctx, accounts.operator(ctx), weeks, _day(until))
        groups = {
            "teachers": found.teachers,
            "donor_schools": found.donor_schools,
            "schools": found.schools,
        }
        data: dict[str, Any] = {"from": found.days.first_day, "to": found.days.last_day}
        data |= {name: _spread(spread) for name, spread in groups.items()}
        console.show(
            as_json,
            data,
            lambda: "\n".join(line for item in groups.items() for line in _spread_lines(*item)),
        )


def _spread(spread: Spread) -> dict[str, Any]:
    return {
        "median": _ratio(spread.middle),
        "far_above": [share.name for share in spread.above],
        "far_below": [share.name for share in spread.below],
        "shares": [_share(share) for share in spread.shares],
    }


def _share(share: Share) -> dict[str, Any]:
    return {
        "name": share.name,
        "given": share.given,
        "planned": share.planned,
        "outside": share.outside,
        "due": round(float(share.due), 2),
        "share": _ratio(share.ratio),
        "coverage": _ratio(share.coverage),
    }


def _ratio(ratio: Fraction | None) -> float | None:
    return None if ratio is None else round(float(ratio), 4)


def _spread_lines(name: str, spread: Spread) -> list[str]:
    marks = {1: "+", 0: " ", -1: "-"}
    middle = "-" if spread.middle is None else f"{float(spread.middle):.0%}"
    return [
        f"{name}: median {middle}",
        *(
            f"{marks[share.off]} {'-' if share.ratio is None else f'{float(share.ratio):.0%}':>5} "
            f"{share.counted:4}/{float(share.due):.1f} {share.name}"
            for share in spread.shares
        ),
    ]


@click.command()
@click.argument("school")
@click.argument("lessons", type=int)
@console.json_option
def pledge(school: str, lessons: int, as_json: bool) -> None:
    """Note that the donor SCHOOL pledges so many LESSONS for the term that runs."""
    with opening.ready_context() as ctx:
        found = fairness.pledge(ctx, accounts.operator(ctx), school, lessons)
        data = {"school": found.label, "lessons": lessons}
        console.show(as_json, data, lambda: f"{found.label}: {lessons}")
