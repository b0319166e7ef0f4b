"""How a calendar link tells its times, whether it rings, and what it says once it has ended."""

import sqlalchemy as sa

from alembic import op

revision = "0005"
down_revision = "0004"

_WAS = "uq_feeds_kind_owner_id_language_show_cancelled"
_IS = "uq_feeds_kind_owner_id_language_show_cancelled_zoned_alarms"
_KEY = ["kind", "owner_id", "language", "show_cancelled"]


def upgrade() -> None:
    with op.batch_alter_table("feeds") as feeds:
        for name in ("zoned", "alarms"):
            feeds.add_column(
                sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
            )
        feeds.drop_constraint(_WAS, type_="unique")
        feeds.create_unique_constraint(_IS, [*_KEY, "zoned", "alarms"])
    with op.batch_alter_table("feed_links") as links:
        links.add_column(
            sa.Column("farewell", sa.Boolean(), nullable=False, server_default=sa.false())
        )


def downgrade() -> None:
    """Links to feeds of the new kinds end: nothing could render them any more."""
    theirs = "(SELECT id FROM feeds WHERE zoned OR alarms)"
    op.execute(f"DELETE FROM feed_links WHERE feed_id IN {theirs}")
    op.execute(f"DELETE FROM feed_bodies WHERE feed_id IN {theirs}")
    op.execute("DELETE FROM feeds WHERE zoned OR alarms")
    with op.batch_alter_table("feed_links") as links:
        links.drop_column("farewell")
    with op.batch_alter_table("feeds") as feeds:
        feeds.drop_constraint(_IS, type_="unique")
        feeds.create_unique_constraint(_WAS, _KEY)
        feeds.drop_column("alarms")
        feeds.drop_column("zoned")
