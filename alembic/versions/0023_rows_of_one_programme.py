"""Indexes by which a programme's own rows are found among those of a hundred others."""

import sqlalchemy as sa

from alembic import op

revision = "0023"
down_revision = "0022"
serves = "0022"
alone = True

_INDEXES = {
    "ix_grants_programme": ("grants", ["programme_id", "role"]),
    "ix_grants_school_id": ("grants", ["school_id"]),
    "ix_grants_donor_school_id": ("grants", ["donor_school_id"]),
    "ix_teachers_person_id": ("teachers", ["person_id"]),
    "ix_pledges_term_id": ("pledges", ["term_id"]),
    "ix_plans_term_id": ("plans", ["term_id"]),
    "ix_runs_plan_id": ("runs", ["plan_id"]),
    "ix_outbox_programme": ("outbox", ["programme_id", "state"]),
    "ix_confirmations_person_id": ("confirmations", ["person_id"]),
    "ix_lesson_history_teacher": ("lesson_history", ["teacher_id", "starts_at"]),
    "ix_feeds_rendered_week": ("feeds", ["rendered_week"]),
}
_FAULTY = "ix_persons_mail_fault"


def upgrade() -> None:
    for name, (table, columns) in _INDEXES.items():
        _make(name, table, columns)
    faulty = sa.text("mail_fault IS NOT NULL")
    _make(_FAULTY, "persons", ["mail_fault_at"], sqlite_where=faulty, postgresql_where=faulty)


def _make(name: str, table: str, columns: list[str], **where: sa.TextClause) -> None:
    """Beside those who write; what a broken attempt left cannot be used."""
    op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)
    op.create_index(name, table, columns, postgresql_concurrently=True, **where)


def downgrade() -> None:
    op.drop_index(_FAULTY, "persons")
    for name, (table, _) in reversed(_INDEXES.items()):
        op.drop_index(name, table)
