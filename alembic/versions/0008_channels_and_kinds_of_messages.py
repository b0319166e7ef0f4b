"""Messages on several channels, gathered by day and by person, seen by their programme."""

import sqlalchemy as sa

from alembic import op

revision = "0008"
down_revision = "0007"

_WERE = (
    "day_before",
    "hour_before",
    "soon",
    "assigned",
    "moved",
    "handed_over",
    "called_off",
    "timetable",
    "sign_in",
)
_ARE = (
    "digest",
    "day_before",
    "hour_before",
    "soon",
    "changes",
    "called_off",
    "cover_wanted",
    "note",
    "sign_in",
)
_CHANNELS = "channel IN ('mail', 'push', 'sms', 'zalo')"
_OPEN = sa.text("state IN ('planned', 'leased')")


def _kinds(names: tuple[str, ...]) -> str:
    return "kind IN (" + ", ".join(f"'{name}'" for name in names) + ")"


def upgrade() -> None:
    with op.batch_alter_table("outbox") as outbox:
        outbox.drop_constraint(op.f("ck_outbox_kind"), type_="check")
        outbox.add_column(sa.Column("programme_id", sa.Integer(), nullable=True))
        outbox.add_column(sa.Column("follows_id", sa.Integer(), nullable=True))
        outbox.add_column(sa.Column("lease_owner", sa.String(length=80), nullable=True))
        outbox.add_column(
            sa.Column("maybe_twice", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        outbox.add_column(
            sa.Column("provider_reply", sa.String(length=500), nullable=False, server_default="")
        )
        outbox.create_foreign_key(
            op.f("fk_outbox_programme_id"), "programmes", ["programme_id"], ["id"]
        )
        outbox.create_foreign_key(op.f("fk_outbox_follows_id"), "outbox", ["follows_id"], ["id"])
    op.execute(
        "UPDATE outbox SET kind = 'changes' WHERE kind IN ('timetable', 'assigned', 'moved', 'handed_over')"
    )
    # From now on there is one a person and a day; the loop plans them anew.
    op.execute(
        "UPDATE outbox SET state = 'cancelled', lease_token = NULL, lease_until = NULL, "
        "last_error = 'planned anew, by day' "
        "WHERE kind = 'day_before' AND state IN ('planned', 'leased')"
    )
    op.execute(
        "UPDATE outbox SET programme_id = (SELECT terms.programme_id FROM lessons "
        "JOIN terms ON terms.id = lessons.term_id WHERE lessons.id = outbox.lesson_id)"
    )
    op.execute(
        "UPDATE outbox SET maybe_twice = (last_error = 'sent again: the first copy may have arrived')"
    )
    with op.batch_alter_table("outbox") as outbox:
        outbox.create_check_constraint(op.f("ck_outbox_kind"), _kinds(_ARE))
        outbox.create_check_constraint(op.f("ck_outbox_channel"), _CHANNELS)
    op.drop_index("ix_outbox_due", table_name="outbox")
    op.create_index("ix_outbox_state", "outbox", ["state", "next_try_at"])
    op.create_index("ix_outbox_person_id", "outbox", ["person_id"])
    op.create_index(
        "ix_outbox_open",
        "outbox",
        ["channel", "useless_after", "due_at", "id"],
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )


def downgrade() -> None:
    """What goes another way than by mail, or is of a new kind, is not sent any more."""
    op.drop_index("ix_outbox_open", table_name="outbox")
    op.drop_index("ix_outbox_person_id", table_name="outbox")
    op.drop_index("ix_outbox_state", table_name="outbox")
    op.create_index("ix_outbox_due", "outbox", ["state", "next_try_at"])
    with op.batch_alter_table("outbox") as outbox:
        outbox.drop_constraint(op.f("ck_outbox_kind"), type_="check")
        outbox.drop_constraint(op.f("ck_outbox_channel"), type_="check")
    op.execute(
        "UPDATE outbox SET state = 'cancelled', lease_token = NULL, lease_until = NULL "
        "WHERE state IN ('planned', 'leased') "
        "AND (channel <> 'mail' OR kind IN ('digest', 'day_before', 'cover_wanted', 'note'))"
    )
    op.execute(
        "UPDATE outbox SET kind = 'timetable' "
        "WHERE kind IN ('digest', 'changes', 'cover_wanted', 'note')"
    )
    with op.batch_alter_table("outbox") as outbox:
        outbox.create_check_constraint(op.f("ck_outbox_kind"), _kinds(_WERE))
        outbox.drop_constraint(op.f("fk_outbox_programme_id"), type_="foreignkey")
        outbox.drop_constraint(op.f("fk_outbox_follows_id"), type_="foreignkey")
        for name in ("programme_id", "follows_id", "lease_owner", "maybe_twice", "provider_reply"):
            outbox.drop_column(name)
