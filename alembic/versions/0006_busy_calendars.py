"""Teachers' own calendars, and which busy times they told; times entered otherwise stay."""

import sqlalchemy as sa

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    for name in ("soft", "from_calendar"):
        op.add_column(
            "busy_times", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
        )
    op.create_table(
        "busy_sources",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("teacher_id", sa.Integer(), nullable=False),
        sa.Column("sealed_address", sa.Text(), nullable=False),
        sa.Column("all_day", sa.Boolean(), nullable=False),
        sa.Column("shown_free", sa.Boolean(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("last_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_good_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("known_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("fault", sa.JSON(), nullable=True),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("free", sa.Integer(), nullable=False),
        sa.Column("all_day_left_out", sa.Integer(), nullable=False),
        sa.Column("ours", sa.Integer(), nullable=False),
        sa.Column("unclear", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(last_good_at IS NULL) = (known_until IS NULL)", name=op.f("ck_busy_sources_known")
        ),
        sa.CheckConstraint("failures >= 0", name=op.f("ck_busy_sources_failures")),
        sa.ForeignKeyConstraint(
            ["teacher_id"], ["teachers.id"], name=op.f("fk_busy_sources_teacher_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_busy_sources")),
        sa.UniqueConstraint("teacher_id", name=op.f("uq_busy_sources_teacher_id")),
    )
    op.create_index(
        op.f("ix_busy_sources_next_try_at"), "busy_sources", ["next_try_at"], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_busy_sources_next_try_at"), table_name="busy_sources")
    op.drop_table("busy_sources")
    # Without their column they would look like times entered by hand, and stay for ever.
    op.execute(sa.text("DELETE FROM busy_times WHERE from_calendar"))
    op.drop_column("busy_times", "from_calendar")
    op.drop_column("busy_times", "soft")
