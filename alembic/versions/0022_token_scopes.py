"""What each access token may do; null for those of before, which may all or only read."""

import sqlalchemy as sa

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.add_column("access_tokens", sa.Column("scopes", sa.JSON()))


def downgrade() -> None:
    with op.batch_alter_table("access_tokens") as batch:
        batch.drop_column("scopes")
