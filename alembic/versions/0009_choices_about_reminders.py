"""What readers chose about reminders, where they live, and what they answered to them."""

import sqlalchemy as sa

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    with op.batch_alter_table("persons") as persons:
        persons.add_column(sa.Column("zone", sa.String(length=64), nullable=True))
        persons.add_column(sa.Column("mail_fault", sa.String(length=500), nullable=True))
        persons.add_column(sa.Column("mail_fault_at", sa.DateTime(timezone=True), nullable=True))
        persons.create_check_constraint(
            op.f("ck_persons_mail_fault"), "(mail_fault IS NULL) = (mail_fault_at IS NULL)"
        )
    op.create_table(
        "reminder_choices",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Boolean(), nullable=False),
        sa.Column("day_before", sa.Boolean(), nullable=False),
        sa.Column("hour_before", sa.Boolean(), nullable=False),
        sa.Column("soon", sa.Boolean(), nullable=False),
        sa.Column("after_confirming", sa.Boolean(), nullable=False),
        sa.Column("invitations", sa.Boolean(), nullable=False),
        sa.Column("quiet_from", sa.Integer(), nullable=True),
        sa.Column("quiet_until", sa.Integer(), nullable=True),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "(quiet_from IS NULL) = (quiet_until IS NULL)", name=op.f("ck_reminder_choices_quiet")
        ),
        sa.CheckConstraint(
            "quiet_from BETWEEN 0 AND 1439", name=op.f("ck_reminder_choices_quiet_from")
        ),
        sa.CheckConstraint(
            "quiet_until BETWEEN 0 AND 1439", name=op.f("ck_reminder_choices_quiet_until")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_reminder_choices_person_id")
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_reminder_choices")),
    )
    op.create_table(
        "confirmations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lesson_id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lessons.id"], name=op.f("fk_confirmations_lesson_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_confirmations_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmations")),
        sa.UniqueConstraint(
            "lesson_id",
            "sequence",
            "person_id",
            name=op.f("uq_confirmations_lesson_id_sequence_person_id"),
        ),
    )
    op.create_table(
        "cover_calls",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lesson_id", sa.Integer(), nullable=False),
        sa.Column("teacher_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lessons.id"], name=op.f("fk_cover_calls_lesson_id")
        ),
        sa.ForeignKeyConstraint(
            ["teacher_id"], ["teachers.id"], name=op.f("fk_cover_calls_teacher_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cover_calls")),
    )
    op.create_index(op.f("ix_cover_calls_lesson_id"), "cover_calls", ["lesson_id"])
    op.create_index(
        "uq_cover_calls_open",
        "cover_calls",
        ["lesson_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("uq_cover_calls_open", table_name="cover_calls")
    op.drop_index(op.f("ix_cover_calls_lesson_id"), table_name="cover_calls")
    op.drop_table("cover_calls")
    op.drop_table("confirmations")
    op.drop_table("reminder_choices")
    with op.batch_alter_table("persons") as persons:
        persons.drop_constraint(op.f("ck_persons_mail_fault"), type_="check")
        for name in ("mail_fault_at", "mail_fault", "zone"):
            persons.drop_column(name)
