"""What would cover a missing lesson, and which requests have the teachers who could have come."""

import sqlalchemy as sa

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("plan_gaps", sa.Column("rivals", sa.JSON(), nullable=True))
    op.add_column("plan_gaps", sa.Column("fixes", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("plan_gaps", "fixes")
    op.drop_column("plan_gaps", "rivals")
