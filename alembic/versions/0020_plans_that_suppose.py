"""Plans that try a change before it is so, and the runs that make them."""

import sqlalchemy as sa

from alembic import op

revision = "0020"
down_revision = "0018"


def upgrade() -> None:
    for table in ("plans", "runs"):
        op.add_column(table, sa.Column("supposes", sa.JSON(none_as_null=True)))


def downgrade() -> None:
    for table in ("runs", "plans"):
        with op.batch_alter_table(table) as batch:
            batch.drop_column("supposes")
