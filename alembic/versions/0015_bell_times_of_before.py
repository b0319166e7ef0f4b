"""Bell times of a school as they were before a day: what lessons before it are called by."""

import sqlalchemy as sa

from alembic import op

revision = "0015"
down_revision = "0014"

_HALF_DAYS = "half_day IN ('morning', 'afternoon', 'evening')"


def upgrade() -> None:
    op.create_table(
        "former_periods",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("before_day", sa.Date(), nullable=False),
        sa.Column("half_day", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("start_minute", sa.Integer(), nullable=False),
        sa.Column("end_minute", sa.Integer(), nullable=False),
        sa.CheckConstraint(_HALF_DAYS, name=op.f("ck_former_periods_half_day")),
        sa.CheckConstraint("number BETWEEN 1 AND 12", name=op.f("ck_former_periods_number")),
        sa.CheckConstraint(
            "start_minute >= 0 AND start_minute < end_minute AND end_minute <= 1440",
            name=op.f("ck_former_periods_clock"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["receiving_schools.id"], name=op.f("fk_former_periods_school_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_periods")),
        sa.UniqueConstraint(
            "school_id",
            "before_day",
            "start_minute",
            name=op.f("uq_former_periods_school_id_before_day_start_minute"),
        ),
    )


def downgrade() -> None:
    op.drop_table("former_periods")
