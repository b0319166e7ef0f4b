"""Second factors, sessions that can be listed, limits, invitations, and a sealed record."""

import sqlalchemy as sa

from alembic import op

revision = "0013"
down_revision = "0012"

_KINDS = (
    "digest", "day_before", "hour_before", "soon", "changes", "called_off", "cover_wanted", "note",
    "sign_in",
)  # fmt: skip
_NEW_KINDS = ("factor_notice", "invitation", "new_address", "address_notice")
_KEPT = ("audits", "audit_seals")
_ROLES = ("teacher", "school", "donor_head", "coordinator", "admin")


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _whole(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _large(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _words(name: str, length: int, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), nullable=nullable)


def _filled(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), nullable=False, server_default="")


def _to(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))


def _first(table: str, column: str = "id") -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(column, name=op.f(f"pk_{table}"))


def _once(table: str, column: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(column, name=op.f(f"uq_{table}_{column}"))


def upgrade() -> None:
    op.add_column("persons", _instant("erased_at", nullable=True))
    op.add_column("teachers", _instant("left_at", nullable=True))
    _sign_ins()
    _sessions()
    _factors()
    _tokens()
    _invitations()
    _messages((*_KINDS, *_NEW_KINDS))
    _record()


def _sign_ins() -> None:
    with op.batch_alter_table("sign_ins") as sign_ins:
        sign_ins.alter_column("person_id", nullable=True)
        sign_ins.add_column(_words("email", 254, nullable=True))
        sign_ins.add_column(_filled("mailbox", 32))
        sign_ins.add_column(_filled("address", 45))
        sign_ins.add_column(_filled("request_id", 12))
        sign_ins.create_check_constraint(
            op.f("ck_sign_ins_wish"), "person_id IS NULL OR email IS NULL"
        )
    for column in ("email", "mailbox"):
        op.create_index(op.f(f"ix_sign_ins_{column}"), "sign_ins", [column])


def _sessions() -> None:
    with op.batch_alter_table("sessions") as sessions:
        sessions.add_column(_words("series_hash", 64, nullable=True))
        sessions.add_column(_instant("renewed_at", nullable=True))
        sessions.add_column(_instant("renew_at", nullable=True))
        sessions.add_column(_words("former_hash", 64, nullable=True))
        sessions.add_column(_instant("former_until", nullable=True))
        sessions.add_column(_instant("proved_at", nullable=True))
        sessions.add_column(_words("challenge", 100, nullable=True))
        sessions.add_column(_instant("challenge_until", nullable=True))
        sessions.add_column(_filled("device", 100))
        sessions.add_column(_filled("address", 45))
    # Browsers from before have a new secret at their next request.
    op.execute(
        "UPDATE sessions SET series_hash = token_hash, renewed_at = created_at, "
        "renew_at = created_at"
    )
    with op.batch_alter_table("sessions") as sessions:
        for column in ("series_hash", "renewed_at", "renew_at"):
            sessions.alter_column(column, nullable=False)
        sessions.create_unique_constraint(op.f("uq_sessions_series_hash"), ["series_hash"])
        sessions.create_check_constraint(
            op.f("ck_sessions_former"), "former_hash IS NOT NULL OR former_until IS NULL"
        )
        sessions.create_check_constraint(
            op.f("ck_sessions_challenge"), "(challenge IS NULL) = (challenge_until IS NULL)"
        )


def _factors() -> None:
    op.create_table(
        "authenticators",
        _whole("person_id"),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        _instant("created_at"),
        _instant("last_used_at"),
        _large("last_step"),
        _to("authenticators", "person_id", "persons"),
        _first("authenticators", "person_id"),
    )
    op.create_table(
        "passkeys",
        _whole("id"),
        _whole("person_id"),
        _words("credential_id", 1400),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        _large("sign_count"),
        _words("name", 60),
        _instant("created_at"),
        _instant("last_used_at", nullable=True),
        _to("passkeys", "person_id", "persons"),
        _first("passkeys"),
        _once("passkeys", "credential_id"),
    )
    op.create_index(op.f("ix_passkeys_person_id"), "passkeys", ["person_id"])
    op.create_table(
        "recovery_codes",
        _whole("id"),
        _whole("person_id"),
        _words("code_hash", 64),
        _instant("created_at"),
        _instant("used_at", nullable=True),
        _to("recovery_codes", "person_id", "persons"),
        _first("recovery_codes"),
    )
    op.create_index(op.f("ix_recovery_codes_person_id"), "recovery_codes", ["person_id"])


def _tokens() -> None:
    op.create_table(
        "access_tokens",
        _whole("id"),
        _whole("person_id"),
        _words("name", 60),
        _words("jti", 40),
        _instant("created_at"),
        _instant("expires_at"),
        _instant("revoked_at", nullable=True),
        _instant("last_used_at", nullable=True),
        sa.Column("proved", sa.Boolean(), nullable=False),
        _to("access_tokens", "person_id", "persons"),
        _first("access_tokens"),
        _once("access_tokens", "jti"),
    )
    op.create_index(op.f("ix_access_tokens_person_id"), "access_tokens", ["person_id"])
    op.create_table("buckets", _words("name", 64), _large("full_at"), _first("buckets", "name"))
    op.create_index(op.f("ix_buckets_full_at"), "buckets", ["full_at"])


def _invitations() -> None:
    roles = ", ".join(f"'{role}'" for role in _ROLES)
    op.create_table(
        "invitations",
        _whole("id"),
        _words("token_hash", 64),
        _words("email", 254),
        _words("name", 200),
        _words("language", 2),
        _words("role", 20),
        _whole("programme_id"),
        _whole("school_id", nullable=True),
        _whole("donor_school_id", nullable=True),
        _whole("invited_by", nullable=True),
        _instant("created_at"),
        _instant("expires_at"),
        _instant("accepted_at", nullable=True),
        _whole("accepted_by", nullable=True),
        _instant("revoked_at", nullable=True),
        sa.CheckConstraint(f"role IN ({roles})", name=op.f("ck_invitations_role")),
        sa.CheckConstraint(
            "(role = 'school') = (school_id IS NOT NULL)", name=op.f("ck_invitations_school")
        ),
        sa.CheckConstraint(
            "(role IN ('donor_head', 'teacher')) = (donor_school_id IS NOT NULL)",
            name=op.f("ck_invitations_donor_school"),
        ),
        sa.CheckConstraint(
            "(accepted_at IS NULL) = (accepted_by IS NULL)", name=op.f("ck_invitations_accepted")
        ),
        _to("invitations", "programme_id", "programmes"),
        _to("invitations", "school_id", "receiving_schools"),
        _to("invitations", "donor_school_id", "donor_schools"),
        _to("invitations", "invited_by", "persons"),
        _to("invitations", "accepted_by", "persons"),
        _first("invitations"),
        _once("invitations", "token_hash"),
    )
    op.create_index(op.f("ix_invitations_programme_id"), "invitations", ["programme_id"])
    op.create_table(
        "address_changes",
        _whole("id"),
        _whole("person_id"),
        _words("email", 254),
        _words("token_hash", 64),
        _instant("created_at"),
        _instant("expires_at"),
        _instant("used_at", nullable=True),
        _to("address_changes", "person_id", "persons"),
        _first("address_changes"),
        _once("address_changes", "token_hash"),
    )
    op.create_index(op.f("ix_address_changes_person_id"), "address_changes", ["person_id"])


def _messages(kinds: tuple[str, ...]) -> None:
    names = ", ".join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table("outbox") as outbox:
        outbox.drop_constraint(op.f("ck_outbox_kind"), type_="check")
        outbox.create_check_constraint(op.f("ck_outbox_kind"), f"kind IN ({names})")


def _forget_words() -> None:
    """From now on no line can be changed: what people said of themselves must be gone by then."""
    op.execute(
        "UPDATE audits SET reason = '' WHERE action IN "
        "('ask_for_cover', 'decline_lesson', 'report_lesson', 'absence')"
    )
    op.execute(
        "UPDATE audits SET before = 'null', after = 'null' WHERE action IN "
        "('write_brief', 'correct_address', 'try_address', 'import')"
    )


def _record() -> None:
    _forget_words()
    op.add_column("audits", _filled("request_id", 12))
    op.add_column("audits", _filled("network", 45))
    op.create_table(
        "audit_origins",
        _whole("audit_id"),
        _words("address", 45),
        _to("audit_origins", "audit_id", "audits"),
        _first("audit_origins", "audit_id"),
    )
    op.create_table(
        "audit_seals",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        _whole("audit_id"),
        sa.Column("day", sa.Date(), nullable=False),
        _words("kid", 12),
        _words("seal", 64),
        _to("audit_seals", "audit_id", "audits"),
        _first("audit_seals", "position"),
        _once("audit_seals", "audit_id"),
    )
    op.create_index(op.f("ix_audit_seals_day"), "audit_seals", ["day"])
    if op.get_bind().dialect.name == "sqlite":
        for table in _KEPT:
            for event in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_{event.lower()} BEFORE {event} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, 'the record is only ever added to'); END"
                )
        return
    op.execute(
        "CREATE FUNCTION only_added_to() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN RAISE EXCEPTION 'the record is only ever added to'; END$$"
    )
    for table in _KEPT:
        op.execute(
            f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION only_added_to()"
        )


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for table in _KEPT:
        for name in ("update", "delete") if sqlite else ("kept",):
            op.execute(f"DROP TRIGGER {table}_{name}" + ("" if sqlite else f" ON {table}"))
    if not sqlite:
        op.execute("DROP FUNCTION only_added_to()")
    for table in (
        "audit_seals", "audit_origins", "address_changes", "invitations", "buckets",
        "access_tokens", "recovery_codes", "passkeys", "authenticators",
    ):  # fmt: skip
        op.drop_table(table)
    new = ", ".join(f"'{kind}'" for kind in _NEW_KINDS)
    op.execute(
        "UPDATE outbox SET state = 'cancelled', lease_owner = NULL, lease_token = NULL, "
        f"lease_until = NULL WHERE kind IN ({new}) AND state IN ('planned', 'leased')"
    )
    op.execute(f"UPDATE outbox SET kind = 'sign_in', payload = '{{}}' WHERE kind IN ({new})")
    _messages(_KINDS)
    for column in ("network", "request_id"):
        op.drop_column("audits", column)
    with op.batch_alter_table("sessions") as sessions:
        sessions.drop_constraint(op.f("ck_sessions_challenge"), type_="check")
        sessions.drop_constraint(op.f("ck_sessions_former"), type_="check")
        sessions.drop_constraint(op.f("uq_sessions_series_hash"), type_="unique")
        for column in (
            "address", "device", "challenge_until", "challenge", "proved_at", "former_until",
            "former_hash", "renew_at", "renewed_at", "series_hash",
        ):  # fmt: skip
            sessions.drop_column(column)
    op.execute("DELETE FROM sign_ins WHERE person_id IS NULL")
    for column in ("email", "mailbox"):
        op.drop_index(op.f(f"ix_sign_ins_{column}"), "sign_ins")
    with op.batch_alter_table("sign_ins") as sign_ins:
        sign_ins.drop_constraint(op.f("ck_sign_ins_wish"), type_="check")
        for column in ("request_id", "address", "mailbox", "email"):
            sign_ins.drop_column(column)
        sign_ins.alter_column("person_id", nullable=False)
    op.drop_column("teachers", "left_at")
    op.drop_column("persons", "erased_at")
