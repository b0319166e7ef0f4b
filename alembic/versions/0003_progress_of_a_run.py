"""How a run goes: its bound, speed and history, and the wish to stop it and keep the best."""

import sqlalchemy as sa

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column(
        "runs", sa.Column("stop_asked", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("runs", sa.Column("bound", sa.Float(), nullable=True))
    op.add_column("runs", sa.Column("moves_per_second", sa.Float(), nullable=True))
    op.add_column("runs", sa.Column("history", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("runs", "history")
    op.drop_column("runs", "moves_per_second")
    op.drop_column("runs", "bound")
    op.drop_column("runs", "stop_asked")
