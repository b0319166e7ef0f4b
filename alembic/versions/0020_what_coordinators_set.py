"""Plans that try a change before it is so, with their runs; where a programme's lessons meet."""

import sqlalchemy as sa

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    for table in ("plans", "runs"):
        op.add_column(table, sa.Column("supposes", sa.JSON(none_as_null=True)))
    op.add_column("programmes", sa.Column("meeting_url", sa.String(500)))


def downgrade() -> None:
    for table, column in (
        ("programmes", "meeting_url"), ("runs", "supposes"), ("plans", "supposes"),
    ):  # fmt: skip
        with op.batch_alter_table(table) as batch:
            batch.drop_column(column)
