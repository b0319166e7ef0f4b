"""What the engine is to avoid: a programme's weights, and those a plan was made with."""

import sqlalchemy as sa

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("programmes", sa.Column("weights", sa.JSON(), nullable=True))
    op.add_column("plans", sa.Column("weights", sa.JSON(), nullable=True))
    op.add_column("plans", sa.Column("terms", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("plans", "terms")
    op.drop_column("plans", "weights")
    op.drop_column("programmes", "weights")
