"""What becomes of a lesson: reports, check-ins, briefs, its history, pins, swaps and certificates."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from alembic import op

revision = "0012"
down_revision = "0011"

_WERE = ("scheduled", "cover", "cancelled", "held", "not_held")
_ARE = (*_WERE, "disputed")


def _states(names: tuple[str, ...]) -> str:
    return "state IN (" + ", ".join(f"'{name}'" for name in names) + ")"


@contextmanager
def _keeping_triggers(table: str) -> Iterator[None]:
    """SQLite rewrites a table whose checks change, and drops its triggers on the way."""
    found = []
    if op.get_bind().dialect.name == "sqlite":
        query = sa.text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :t")
        found = list(op.get_bind().scalars(query, {"t": table}))
    yield
    for trigger in found:
        op.execute(trigger)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _whole(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _words(name: str, length: int, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), nullable=nullable)


def _to(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    with _keeping_triggers("lessons"), op.batch_alter_table("lessons") as lessons:
        lessons.drop_constraint(op.f("ck_lessons_state"), type_="check")
        lessons.create_check_constraint(op.f("ck_lessons_state"), _states(_ARE))
        lessons.add_column(
            sa.Column("cause", sa.String(length=20), nullable=False, server_default="")
        )
        lessons.add_column(_whole("merged_into_id", nullable=True))
        lessons.create_foreign_key(
            op.f("fk_lessons_merged_into_id"), "lessons", ["merged_into_id"], ["id"]
        )
    with op.batch_alter_table("joint_sessions") as sessions:
        sessions.drop_constraint(op.f("ck_joint_sessions_state"), type_="check")
        sessions.create_check_constraint(op.f("ck_joint_sessions_state"), _states(_ARE))
    _pins()
    _reports()
    _offers()
    _history()
    _swaps()
    _drafts()
    _records()
    op.create_index(
        "ix_outbox_follows",
        "outbox",
        ["follows_id"],
        sqlite_where=sa.text("follows_id IS NOT NULL"),
        postgresql_where=sa.text("follows_id IS NOT NULL"),
    )


def _pins() -> None:
    op.create_table(
        "pins",
        _whole("lesson_id"),
        _whole("owner_id", nullable=True),
        _words("note", 200),
        sa.Column("until", sa.Date(), nullable=True),
        _instant("made_at"),
        _to("pins", "lesson_id", "lessons"),
        _to("pins", "owner_id", "persons"),
        sa.PrimaryKeyConstraint("lesson_id", name=op.f("pk_pins")),
    )
    op.execute(
        "INSERT INTO pins (lesson_id, note, made_at) "
        "SELECT id, '', changed_at FROM lessons WHERE pinned"
    )
    with _keeping_triggers("lessons"), op.batch_alter_table("lessons") as lessons:
        lessons.drop_column("pinned")


def _reports() -> None:
    op.add_column(
        "reports", sa.Column("minutes_late", sa.Integer(), server_default="0", nullable=False)
    )
    op.create_table(
        "check_ins",
        _whole("lesson_id"),
        _words("side", 20),
        _whole("person_id", nullable=True),
        _instant("at"),
        sa.CheckConstraint("side IN ('teacher', 'school')", name=op.f("ck_check_ins_side")),
        _to("check_ins", "lesson_id", "lessons"),
        _to("check_ins", "person_id", "persons"),
        sa.PrimaryKeyConstraint("lesson_id", "side", name=op.f("pk_check_ins")),
    )
    op.create_table(
        "briefs",
        _whole("lesson_id"),
        _words("unit", 200),
        _words("pages", 60),
        _words("done", 1000),
        _words("next", 1000),
        _whole("written_by"),
        _instant("written_at"),
        _to("briefs", "lesson_id", "lessons"),
        _to("briefs", "written_by", "persons"),
        sa.PrimaryKeyConstraint("lesson_id", name=op.f("pk_briefs")),
    )


def _offers() -> None:
    op.drop_table("offers")  # nothing wrote to it yet
    op.create_table(
        "offers",
        _whole("id"),
        _whole("call_id"),
        _whole("teacher_id"),
        _whole("wave"),
        _instant("asked_at"),
        _instant("deadline"),
        _instant("seen_at", nullable=True),
        _instant("ended_at", nullable=True),
        _words("end", 20, nullable=True),
        sa.Column("reason", sa.String(length=200), server_default="", nullable=False),
        sa.CheckConstraint(
            "\"end\" IN ('accepted', 'declined', 'lapsed', 'taken', 'withdrawn')",
            name=op.f("ck_offers_end"),
        ),
        sa.CheckConstraint('(ended_at IS NULL) = ("end" IS NULL)', name=op.f("ck_offers_ended")),
        _to("offers", "call_id", "cover_calls"),
        _to("offers", "teacher_id", "teachers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offers")),
        sa.UniqueConstraint("call_id", "teacher_id", name=op.f("uq_offers_call_id_teacher_id")),
    )
    op.create_index(op.f("ix_offers_teacher_id"), "offers", ["teacher_id"])
    op.add_column(
        "cover_calls", sa.Column("wave", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("cover_calls", _instant("next_wave_at", nullable=True))
    op.add_column("cover_calls", _instant("exhausted_at", nullable=True))
    op.add_column("cover_calls", _words("end", 20, nullable=True))
    # Nobody is asked by itself for what people look after already; it ends when the lesson begins.
    op.execute(
        "UPDATE cover_calls SET next_wave_at = (SELECT starts_at FROM lessons "
        "WHERE lessons.id = cover_calls.lesson_id) WHERE ended_at IS NULL"
    )
    op.add_column(
        "programmes",
        sa.Column("asks_for_cover", sa.Boolean(), server_default=sa.true(), nullable=False),
    )
    op.create_index(
        "ix_cover_calls_next",
        "cover_calls",
        ["next_wave_at"],
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _history() -> None:
    op.create_table(
        "lesson_history",
        _whole("id"),
        _whole("lesson_id"),
        _instant("at"),
        _words("deed", 20),
        _whole("person_id", nullable=True),
        _words("reason", 200),
        _whole("publication_id", nullable=True),
        _words("state", 20),
        _whole("teacher_id"),
        _instant("starts_at"),
        _instant("ends_at"),
        _whole("sequence"),
        _to("lesson_history", "lesson_id", "lessons"),
        _to("lesson_history", "person_id", "persons"),
        _to("lesson_history", "publication_id", "publications"),
        _to("lesson_history", "teacher_id", "teachers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lesson_history")),
    )
    op.create_index("ix_lesson_history_lesson", "lesson_history", ["lesson_id", "id"])
    op.create_index("ix_lesson_history_publication", "lesson_history", ["publication_id"])
    op.execute(
        "INSERT INTO lesson_history "
        "(lesson_id, at, deed, reason, state, teacher_id, starts_at, ends_at, sequence) "
        "SELECT id, changed_at, 'kept', '', state, teacher_id, starts_at, ends_at, sequence "
        "FROM lessons ORDER BY id"
    )


def _swaps() -> None:
    op.create_table(
        "swaps",
        _whole("id"),
        _whole("given_id"),
        _whole("given_sequence"),
        _whole("asker_id"),
        _whole("wanted_id"),
        _whole("wanted_sequence"),
        _whole("asked_id"),
        _words("words", 200),
        _instant("asked_at"),
        _instant("deadline"),
        _instant("ended_at", nullable=True),
        _words("end", 20, nullable=True),
        sa.CheckConstraint(
            "\"end\" IN ('agreed', 'declined', 'withdrawn', 'lapsed', 'overtaken')",
            name=op.f("ck_swaps_end"),
        ),
        sa.CheckConstraint('(ended_at IS NULL) = ("end" IS NULL)', name=op.f("ck_swaps_ended")),
        _to("swaps", "given_id", "lessons"),
        _to("swaps", "wanted_id", "lessons"),
        _to("swaps", "asker_id", "teachers"),
        _to("swaps", "asked_id", "teachers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_swaps")),
    )
    for who in ("asker_id", "asked_id"):
        op.create_index(op.f(f"ix_swaps_{who}"), "swaps", [who])
    op.create_index(
        "uq_swaps_open",
        "swaps",
        ["given_id", "wanted_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _drafts() -> None:
    """Where a draft comes from, and what a run may change of the timetable in force."""
    op.add_column(
        "plans", sa.Column("origin", sa.String(length=20), server_default="run", nullable=False)
    )
    op.add_column(
        "plans", sa.Column("note", sa.String(length=200), server_default="", nullable=False)
    )
    op.add_column("plans", sa.Column("from_day", sa.Date(), nullable=True))
    op.add_column("plans", _whole("undoes_id", nullable=True))
    op.add_column("runs", sa.Column("from_day", sa.Date(), nullable=True))
    op.add_column("runs", _whole("most_lessons", nullable=True))
    op.add_column("runs", _whole("most_teachers", nullable=True))
    op.create_table(
        "plan_marks",
        _whole("plan_id"),
        _whole("request_id"),
        sa.Column("day", sa.Date(), nullable=False),
        _words("called_off", 200),
        _to("plan_marks", "plan_id", "plans"),
        _to("plan_marks", "request_id", "requests"),
        sa.PrimaryKeyConstraint("plan_id", "request_id", "day", name=op.f("pk_plan_marks")),
    )
    with op.batch_alter_table("publications") as publications:
        publications.add_column(_whole("undoes_id", nullable=True))
        publications.create_foreign_key(
            op.f("fk_publications_undoes_id"), "publications", ["undoes_id"], ["id"]
        )


def _records() -> None:
    op.create_table(
        "school_pledges",
        _whole("donor_school_id"),
        _whole("term_id"),
        _whole("lessons"),
        sa.CheckConstraint("lessons BETWEEN 0 AND 100000", name=op.f("ck_school_pledges_lessons")),
        _to("school_pledges", "donor_school_id", "donor_schools"),
        _to("school_pledges", "term_id", "terms"),
        sa.PrimaryKeyConstraint("donor_school_id", "term_id", name=op.f("pk_school_pledges")),
    )
    op.create_table(
        "certificates",
        _whole("id"),
        _words("code", 20),
        _whole("teacher_id"),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        _words("name", 200),
        _words("school", 300),
        _words("programme", 200),
        _whole("lessons"),
        _whole("minutes"),
        sa.Column("months", sa.JSON(), nullable=False),
        _instant("issued_at"),
        _whole("issued_by", nullable=True),
        _instant("withdrawn_at", nullable=True),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_certificates_days")),
        sa.CheckConstraint("lessons >= 0 AND minutes >= 0", name=op.f("ck_certificates_figures")),
        _to("certificates", "teacher_id", "teachers"),
        _to("certificates", "issued_by", "persons"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificates")),
        sa.UniqueConstraint("code", name=op.f("uq_certificates_code")),
    )
    op.create_index(op.f("ix_certificates_teacher_id"), "certificates", ["teacher_id"])


def downgrade() -> None:
    op.drop_index("ix_outbox_follows", table_name="outbox")
    for table in (
        "plan_marks",
        "certificates",
        "school_pledges",
        "swaps",
        "lesson_history",
        "briefs",
        "check_ins",
    ):
        op.drop_table(table)
    with op.batch_alter_table("publications") as publications:
        publications.drop_constraint(op.f("fk_publications_undoes_id"), type_="foreignkey")
        publications.drop_column("undoes_id")
    for table, columns in (
        ("runs", ("most_teachers", "most_lessons", "from_day")),
        ("plans", ("undoes_id", "from_day", "note", "origin")),
    ):
        for column in columns:
            op.drop_column(table, column)
    op.drop_column("programmes", "asks_for_cover")
    op.drop_index("ix_cover_calls_next", table_name="cover_calls")
    for column in ("end", "exhausted_at", "next_wave_at", "wave"):
        op.drop_column("cover_calls", column)
    op.drop_table("offers")
    op.create_table(
        "offers",
        _whole("id"),
        _whole("lesson_id"),
        _whole("teacher_id"),
        _whole("wave"),
        _instant("asked_at"),
        _instant("deadline"),
        _instant("answered_at", nullable=True),
        sa.Column("accepted", sa.Boolean(), nullable=True),
        sa.CheckConstraint(
            "(answered_at IS NULL) = (accepted IS NULL)", name=op.f("ck_offers_answer")
        ),
        _to("offers", "lesson_id", "lessons"),
        _to("offers", "teacher_id", "teachers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offers")),
        sa.UniqueConstraint(
            "lesson_id", "teacher_id", "wave", name=op.f("uq_offers_lesson_id_teacher_id_wave")
        ),
    )
    op.drop_column("reports", "minutes_late")
    op.execute("UPDATE lessons SET state = 'scheduled' WHERE state = 'disputed'")
    op.execute("UPDATE joint_sessions SET state = 'scheduled' WHERE state = 'disputed'")
    with _keeping_triggers("lessons"), op.batch_alter_table("lessons") as lessons:
        lessons.add_column(
            sa.Column("pinned", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        lessons.drop_constraint(op.f("ck_lessons_state"), type_="check")
        lessons.create_check_constraint(op.f("ck_lessons_state"), _states(_WERE))
        lessons.drop_constraint(op.f("fk_lessons_merged_into_id"), type_="foreignkey")
        lessons.drop_column("merged_into_id")
        lessons.drop_column("cause")
    op.execute("UPDATE lessons SET pinned = true WHERE id IN (SELECT lesson_id FROM pins)")
    op.drop_table("pins")
    with op.batch_alter_table("joint_sessions") as sessions:
        sessions.drop_constraint(op.f("ck_joint_sessions_state"), type_="check")
        sessions.create_check_constraint(op.f("ck_joint_sessions_state"), _states(_WERE))
