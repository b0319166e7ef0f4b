"""What a partnership means for matching: nothing, a wish, or a rule."""

import sqlalchemy as sa

from alembic import op

revision = "0018"
down_revision = "0017"

_CHECK = "binding IN ('none', 'wish', 'rule')"


def upgrade() -> None:
    with op.batch_alter_table("partnerships") as table:
        table.add_column(sa.Column("binding", sa.String(20), nullable=False, server_default="none"))
        table.create_check_constraint(op.f("ck_partnerships_binding"), _CHECK)


def downgrade() -> None:
    with op.batch_alter_table("partnerships") as table:
        table.drop_constraint(op.f("ck_partnerships_binding"), type_="check")
        table.drop_column("binding")
