"""Whom joint sessions invite, what became of them, and the messages that tell so."""

import sqlalchemy as sa

from alembic import op

revision = "0019"
down_revision = "0018"

_KINDS = (
    "digest", "day_before", "hour_before", "soon", "changes", "called_off", "cover_wanted", "note",
    "sign_in", "factor_notice", "invitation", "new_address", "address_notice",
)  # fmt: skip
_NEW_KINDS = ("joint_day", "joint_hour", "joint_news")
_TABLE = "joint_session_attendees"


def _to(column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{_TABLE}_{column}"))


def upgrade() -> None:
    with op.batch_alter_table("joint_sessions") as sessions:
        sessions.add_column(sa.Column("moved_from", sa.DateTime(timezone=True)))
        for name in ("cancel_reason", "cancelled_by"):
            sessions.add_column(sa.Column(name, sa.String(200), nullable=False, server_default=""))
    op.create_table(
        _TABLE,
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("teacher_id", sa.Integer()),
        sa.Column("school_id", sa.Integer()),
        sa.Column("invited", sa.Boolean(), nullable=False),
        sa.Column("answer", sa.String(20)),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
        sa.Column("attended", sa.Boolean()),
        sa.CheckConstraint("answer IN ('coming', 'cannot')", name=op.f(f"ck_{_TABLE}_answer")),
        sa.CheckConstraint(
            "(teacher_id IS NULL) <> (school_id IS NULL)", name=op.f(f"ck_{_TABLE}_side")
        ),
        _to("session_id", "joint_sessions"),
        _to("person_id", "persons"),
        _to("teacher_id", "teachers"),
        _to("school_id", "receiving_schools"),
        sa.PrimaryKeyConstraint("session_id", "person_id", name=op.f(f"pk_{_TABLE}")),
    )
    for column in ("person_id", "teacher_id", "school_id"):
        op.create_index(op.f(f"ix_{_TABLE}_{column}"), _TABLE, [column])
    _messages((*_KINDS, *_NEW_KINDS))


def _messages(kinds: tuple[str, ...]) -> None:
    names = ", ".join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table("outbox") as outbox:
        outbox.drop_constraint(op.f("ck_outbox_kind"), type_="check")
        outbox.create_check_constraint(op.f("ck_outbox_kind"), f"kind IN ({names})")


def downgrade() -> None:
    new = ", ".join(f"'{kind}'" for kind in _NEW_KINDS)
    op.execute(
        "UPDATE outbox SET state = 'cancelled', lease_owner = NULL, lease_token = NULL, "
        f"lease_until = NULL WHERE kind IN ({new}) AND state IN ('planned', 'leased')"
    )
    op.execute(f"UPDATE outbox SET kind = 'sign_in', payload = '{{}}' WHERE kind IN ({new})")
    _messages(_KINDS)
    op.drop_table(_TABLE)
    with op.batch_alter_table("joint_sessions") as sessions:
        for name in ("cancelled_by", "cancel_reason", "moved_from"):
            sessions.drop_column(name)
