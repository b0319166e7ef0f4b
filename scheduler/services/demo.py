"""The demo: the example programme imported, matched and published in a fresh database."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduler import clock, config
from scheduler.domain.access import Actor, Role
from scheduler.domain.lessons import LessonState
from scheduler.domain.terms import TermId
from scheduler.errors import NotFound
from scheduler.services import accounts, feeds, imports, outbox, plans, runs, system
from scheduler.services.context import Context
from scheduler.store import figures, lessons, terms

STARTS = datetime.fromisoformat("2023-10-02T13:29:00+07:00")
COORDINATOR = "dieu-phoi@chungtay.example"
COORDINATOR_NAME = "Phạm Thu Hà"
LINK_LIFE = timedelta(hours=12)
MATCHING_SECONDS = 10.0
_ROLES = (Role.TEACHER, Role.SCHOOL, Role.COORDINATOR)


@dataclass(frozen=True, slots=True)
class DemoFigures:
    """What the finished demo holds, counted in its database."""

    teachers: int
    donor_schools: int
    receiving_schools: int
    classes: int
    requested: int
    taught: int
    cost: float
    violations: int
    feeds: int
    events: int
    reminders_planned: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Invitation:
    """A sign-in link for one role."""

    role: Role
    actor: Actor
    url: str


def clear(settings: config.Settings) -> None:
    """Take away what an earlier demo left in its folder."""
    if settings.demo:
        shutil.rmtree(settings.var_dir, ignore_errors=True)


def examples() -> list[tuple[str, bytes]]:
    """The workbooks of the example programme, each with its name."""
    paths = sorted(config.data_dir("examples").glob("*.xlsx"))
    return [(path.name, path.read_bytes()) for path in paths]


def build(
    ctx: Context,
    seconds: float = MATCHING_SECONDS,
    workbooks: Sequence[tuple[str, bytes]] | None = None,
) -> DemoFigures:
    """Migrate, import the workbooks (the example's, if none are given), match for some seconds,
    publish, and render every feed."""
    began = clock.monotonic()
    system.migrate(ctx)
    imports.import_files(ctx, examples() if workbooks is None else workbooks)
    coordinator = accounts.add_user(ctx, COORDINATOR, Role.COORDINATOR, name=COORDINATOR_NAME)
    term_id = _publish(ctx, coordinator, seconds)
    calendars = feeds.ensure_all(ctx)
    verdict = runs.verdict(ctx, term_id)
    with ctx.reading() as db:
        term = terms.get(db, term_id)
        if term is None:
            raise NotFound("There is no term yet.")
        counted = figures.of_term(db, term)
    return DemoFigures(
        teachers=counted.teachers,
        donor_schools=counted.donor_schools,
        receiving_schools=counted.receiving_schools,
        classes=counted.classes,
        requested=verdict.requested,
        taught=counted.lessons,
        cost=round(verdict.cost, 3),
        violations=len(verdict.violations),
        feeds=calendars.feeds,
        events=calendars.events,
        reminders_planned=outbox.reminders_planned(ctx),
        seconds=round(clock.monotonic() - began, 1),
    )


def _publish(ctx: Context, coordinator: Actor, seconds: float) -> TermId:
    with ctx.reading() as db:
        term = terms.find(db, None)
    if term is None:
        raise NotFound("There is no term yet.")
    run_id = runs.start(ctx, coordinator, term.id, seconds)
    done = runs.work_here(ctx, run_id)
    if done is None or done.plan_id is None:
        raise NotFound("The matching run gave no plan.")
    seen = plans.preview(ctx, coordinator, done.plan_id)
    plans.publish(ctx, coordinator, done.plan_id, seen.fingerprint)
    return term.id


def invitations(ctx: Context) -> tuple[Invitation, ...]:
    """One link a role: a teacher and a school with lessons just ahead, and the coordinator."""
    with ctx.reading() as db:
        ahead = lessons.find(db, since=ctx.now(), until=ctx.now() + timedelta(days=7))
        live = [lesson for lesson in ahead if lesson.state is LessonState.SCHEDULED]
    if not live:
        raise NotFound("There are no lessons in the week ahead.")
    by_role = {role: {a.person_id: a for a in accounts.people_with(ctx, role)} for role in _ROLES}
    teacher = by_role[Role.TEACHER][live[0].teacher_person_id]
    school = next(
        a
        for a in by_role[Role.SCHOOL].values()
        if any(grant.school_id == live[0].school_id for grant in a.grants)
    )
    coordinator = next(iter(by_role[Role.COORDINATOR].values()))
    chosen = zip(_ROLES, (teacher, school, coordinator), strict=True)
    return tuple(
        Invitation(role, a, accounts.operator_link(ctx, a.email, LINK_LIFE)) for role, a in chosen
    )
