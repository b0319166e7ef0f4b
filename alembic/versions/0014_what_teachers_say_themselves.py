"""Whether a teacher wants more lessons or fewer, and when the promise was confirmed."""

import sqlalchemy as sa

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    with op.batch_alter_table("pledges") as pledges:
        pledges.add_column(
            sa.Column("wanted", sa.String(length=20), nullable=False, server_default="same")
        )
        pledges.add_column(sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
        pledges.create_check_constraint(
            op.f("ck_pledges_wanted"), "wanted IN ('fewer', 'same', 'more')"
        )


def downgrade() -> None:
    with op.batch_alter_table("pledges") as pledges:
        pledges.drop_constraint(op.f("ck_pledges_wanted"), type_="check")
        pledges.drop_column("confirmed_at")
        pledges.drop_column("wanted")
