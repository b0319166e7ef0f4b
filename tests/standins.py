"""More teachers than the cast has, and a lesson whose teacher cannot come."""

from datetime import UTC, datetime

from scheduler.domain.access import Grant, Role
from scheduler.domain.answers import Excuse, Reason, Reply
from scheduler.services import answers
from scheduler.services.context import Context
from scheduler.store import accounts, covers, lessons, offers, tables
from tests.cast import FIRST, LAST, T0, Cast, minutes
from tests.faults.kit import book

WEDNESDAY = datetime(2023, 10, 4, 0, 30, tzinfo=UTC)  # 07:30 in Hà Nội, morning period 1
ILL = Excuse(Reason.SICK)


def put(db, table, **values):
    row = tables.metadata.tables[table]
    return int(db.execute(row.insert().values(**values).returning(row.c.id)).scalar_one())


def school(ctx: Context, cast: Cast, name: str) -> int:
    with ctx.transaction() as db:
        return put(db, "donor_schools", programme_id=cast["programme"], name=name, district="X")


def join(ctx: Context, cast: Cast, name: str, at: int | None = None, **pledge: int) -> int:
    """A teacher who can come on every morning; by default of the cast's donor school."""
    with ctx.transaction() as db:
        person = put(
            db, "persons", email=f"{name}@x.example", name=f"Cô {name}", phone="", language="vi",
            active=True, reminders=True, created_at=T0,
        )  # fmt: skip
        first = tables.teachers.select().where(tables.teachers.c.id == cast["teacher1"])
        donor = at or db.execute(first).one().donor_school_id
        teacher = put(
            db, "teachers", programme_id=cast["programme"], person_id=person, donor_school_id=donor
        )
        limits = {"max_per_day": 2, "max_per_week": 4, "max_total": 40} | pledge
        promise = put(db, "pledges", teacher_id=teacher, term_id=cast["term"], **limits)
        db.execute(tables.pledge_levels.insert().values(pledge_id=promise, level="lower_secondary"))
        for weekday in range(5):
            put(
                db, "availability", pledge_id=promise, weekday=weekday,
                start_minute=minutes("07:00"), end_minute=minutes("11:30"), if_needed=False,
            )  # fmt: skip
        accounts.add_grant(db, person, Grant(Role.TEACHER, cast["programme"], teacher_id=teacher))
        return teacher


def cannot(ctx: Context, cast: Cast, lesson: int) -> None:
    """Teacher 1 cannot come."""
    asked = answers.of_actor(cast.actors["teacher1"], lesson)
    answers.reply(ctx, asked, Reply.CANNOT, ILL)


def get(ctx: Context, lesson: int):
    with ctx.reading() as db:
        return lessons.get(db, lesson)


def asked(ctx: Context, lesson: int):
    """Everybody who was ever asked to give the lesson, in that order."""
    with ctx.reading() as db:
        return offers.of_lesson(db, lesson)


def call(ctx: Context, lesson: int):
    with ctx.reading() as db:
        return covers.of_lessons(db, [lesson]).get(lesson)


def calls(ctx: Context):
    """How each call for cover ended, or None."""
    with ctx.reading() as db:
        row = tables.cover_calls
        return list(db.scalars(row.select().with_only_columns(row.c.end).order_by(row.c.id)))


def neighbour(ctx: Context, cast: Cast, starts_at: datetime) -> int:
    """A lesson by teacher 2 of class 7B, of the same school and level as 7A."""
    with ctx.transaction() as db:
        cast.ids["7B"] = put(
            db, "classes", school_id=cast["A"], name="7B", level="lower_secondary", pupils=28
        )
        cast.ids["request_7B"] = put(
            db, "requests", class_id=cast["7B"], term_id=cast["term"], number=1,
            lessons_per_week=1, first_day=FIRST, last_day=LAST, priority=1, created_at=T0,
        )  # fmt: skip
    return book(ctx, cast, starts_at, "7B", "teacher2")
