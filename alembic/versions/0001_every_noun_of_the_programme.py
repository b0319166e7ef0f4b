"""Every noun of the programme, and no teacher or class in two lessons at once."""

import sqlalchemy as sa

from alembic import op

revision = "0001"
down_revision = None

BOOKED = ("teacher", "class")  # who is never in two lessons at once


def postgresql_exclusion(who: str) -> None:
    """Equal ids as one-element ranges: needs no extension."""
    op.execute(
        f"ALTER TABLE lessons ADD CONSTRAINT ex_lessons_{who}_one_at_a_time EXCLUDE USING gist ("
        f"int4range({who}_id, {who}_id, '[]') WITH &&, "
        f"tstzrange(starts_at, ends_at) WITH &&) WHERE (state <> 'cancelled')"
    )


def sqlite_triggers(who: str) -> None:
    """SQLite's equal of the exclusion constraint."""
    for event in ("INSERT", "UPDATE"):
        op.execute(
            f"CREATE TRIGGER lessons_{who}_{event.lower()} BEFORE {event} ON lessons "
            f"WHEN NEW.state <> 'cancelled' AND EXISTS (SELECT 1 FROM lessons AS other "
            f"WHERE other.{who}_id = NEW.{who}_id AND other.id <> coalesce(NEW.id, -1) "
            f"AND other.state <> 'cancelled' "
            f"AND other.starts_at < NEW.ends_at AND NEW.starts_at < other.ends_at) "
            f"BEGIN SELECT RAISE(ABORT, 'a {who} would be in two lessons at once'); END"
        )


def upgrade() -> None:
    op.create_table(
        "feeds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("show_cancelled", sa.Boolean(), nullable=False),
        sa.Column("etag", sa.String(length=64), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dirty", sa.Boolean(), nullable=False),
        sa.Column("rendered_week", sa.String(length=10), nullable=True),
        sa.CheckConstraint(
            "kind IN ('teacher', 'class', 'school', 'donor_school', 'programme')",
            name=op.f("ck_feeds_kind"),
        ),
        sa.CheckConstraint("(etag IS NULL) = (changed_at IS NULL)", name=op.f("ck_feeds_body")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feeds")),
        sa.UniqueConstraint(
            "kind",
            "owner_id",
            "language",
            "show_cancelled",
            name=op.f("uq_feeds_kind_owner_id_language_show_cancelled"),
        ),
    )
    op.create_index("ix_feeds_dirty", "feeds", ["dirty"], unique=False)
    op.create_table(
        "persons",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("reminders", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("language IN ('vi', 'en')", name=op.f("ck_persons_language")),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_persons_email")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_persons")),
        sa.UniqueConstraint("email", name=op.f("uq_persons_email")),
    )
    op.create_table(
        "programmes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("zone", sa.String(length=60), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programmes")),
        sa.UniqueConstraint("code", name=op.f("uq_programmes_code")),
    )
    op.create_table(
        "switches",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_switches")),
    )
    op.create_table(
        "audits",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=60), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_audits_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audits")),
    )
    op.create_index(op.f("ix_audits_at"), "audits", ["at"], unique=False)
    op.create_index("ix_audits_subject", "audits", ["subject", "subject_id"], unique=False)
    op.create_table(
        "donor_schools",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("programme_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("district", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_donor_schools_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_donor_schools")),
        sa.UniqueConstraint(
            "programme_id",
            "name",
            "district",
            name=op.f("uq_donor_schools_programme_id_name_district"),
        ),
    )
    op.create_table(
        "feed_bodies",
        sa.Column("feed_id", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name=op.f("fk_feed_bodies_feed_id")),
        sa.PrimaryKeyConstraint("feed_id", name=op.f("pk_feed_bodies")),
    )
    op.create_table(
        "feed_links",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("feed_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reads", sa.Integer(), nullable=False),
        sa.Column("client", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name=op.f("fk_feed_links_feed_id")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_feed_links_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_feed_links_token_hash")),
    )
    op.create_index(op.f("ix_feed_links_feed_id"), "feed_links", ["feed_id"], unique=False)
    op.create_index(op.f("ix_feed_links_person_id"), "feed_links", ["person_id"], unique=False)
    op.create_table(
        "partnerships",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("programme_id", sa.Integer(), nullable=False),
        sa.Column("donor_unit", sa.String(length=200), nullable=False),
        sa.Column("receiving_unit", sa.String(length=200), nullable=False),
        sa.Column("lessons_pledged", sa.Integer(), nullable=False),
        sa.Column("joint_sessions_pledged", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "lessons_pledged >= 0 AND joint_sessions_pledged >= 0",
            name=op.f("ck_partnerships_pledged"),
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_partnerships_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partnerships")),
        sa.UniqueConstraint(
            "programme_id",
            "donor_unit",
            "receiving_unit",
            name=op.f("uq_partnerships_programme_id_donor_unit_receiving_unit"),
        ),
    )
    op.create_table(
        "receiving_schools",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("programme_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("district", sa.String(length=100), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("rooms", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "level IN ('primary', 'lower_secondary', 'upper_secondary')",
            name=op.f("ck_receiving_schools_level"),
        ),
        sa.CheckConstraint("rooms BETWEEN 1 AND 100", name=op.f("ck_receiving_schools_rooms")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_receiving_schools_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receiving_schools")),
        sa.UniqueConstraint(
            "programme_id", "code", name=op.f("uq_receiving_schools_programme_id_code")
        ),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_sessions_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sessions_token_hash")),
    )
    op.create_index(op.f("ix_sessions_person_id"), "sessions", ["person_id"], unique=False)
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("tries_left", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("tries_left >= 0", name=op.f("ck_sign_ins_tries")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_sign_ins_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ins")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_ins_token_hash")),
    )
    op.create_index(op.f("ix_sign_ins_person_id"), "sign_ins", ["person_id"], unique=False)
    op.create_table(
        "terms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("programme_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("gap_minutes", sa.Integer(), nullable=False),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_terms_days")),
        sa.CheckConstraint("gap_minutes BETWEEN 0 AND 240", name=op.f("ck_terms_gap")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_terms_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terms")),
        sa.UniqueConstraint("programme_id", "code", name=op.f("uq_terms_programme_id_code")),
    )
    op.create_table(
        "classes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("pupils", sa.Integer(), nullable=False),
        sa.Column("meeting_url", sa.String(length=500), nullable=True),
        sa.CheckConstraint(
            "level IN ('primary', 'lower_secondary', 'upper_secondary')",
            name=op.f("ck_classes_level"),
        ),
        sa.CheckConstraint("pupils BETWEEN 0 AND 200", name=op.f("ck_classes_pupils")),
        sa.ForeignKeyConstraint(
            ["school_id"], ["receiving_schools.id"], name=op.f("fk_classes_school_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_classes")),
        sa.UniqueConstraint("school_id", "name", name=op.f("uq_classes_school_id_name")),
    )
    op.create_table(
        "closed_days",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_closed_days_days")),
        sa.ForeignKeyConstraint(
            ["school_id"], ["receiving_schools.id"], name=op.f("fk_closed_days_school_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closed_days")),
    )
    op.create_index(op.f("ix_closed_days_school_id"), "closed_days", ["school_id"], unique=False)
    op.create_table(
        "holidays",
        sa.Column("term_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["term_id"], ["terms.id"], name=op.f("fk_holidays_term_id")),
        sa.PrimaryKeyConstraint("term_id", "day", name=op.f("pk_holidays")),
    )
    op.create_table(
        "joint_sessions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("partnership_id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("join_token", sa.String(length=43), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("meeting_url", sa.String(length=500), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('scheduled', 'cover', 'cancelled', 'held', 'not_held')",
            name=op.f("ck_joint_sessions_state"),
        ),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_joint_sessions_span")),
        sa.ForeignKeyConstraint(
            ["partnership_id"], ["partnerships.id"], name=op.f("fk_joint_sessions_partnership_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_joint_sessions")),
        sa.UniqueConstraint("join_token", name=op.f("uq_joint_sessions_join_token")),
        sa.UniqueConstraint("uid", name=op.f("uq_joint_sessions_uid")),
    )
    op.create_index(
        op.f("ix_joint_sessions_partnership_id"), "joint_sessions", ["partnership_id"], unique=False
    )
    op.create_table(
        "periods",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("half_day", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("start_minute", sa.Integer(), nullable=False),
        sa.Column("end_minute", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "half_day IN ('morning', 'afternoon', 'evening')", name=op.f("ck_periods_half_day")
        ),
        sa.CheckConstraint("number BETWEEN 1 AND 12", name=op.f("ck_periods_number")),
        sa.CheckConstraint(
            "start_minute >= 0 AND start_minute < end_minute AND end_minute <= 1440",
            name=op.f("ck_periods_clock"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["receiving_schools.id"], name=op.f("fk_periods_school_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_periods")),
        sa.UniqueConstraint(
            "school_id", "half_day", "number", name=op.f("uq_periods_school_id_half_day_number")
        ),
        sa.UniqueConstraint(
            "school_id", "start_minute", name=op.f("uq_periods_school_id_start_minute")
        ),
    )
    op.create_table(
        "plans",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("term_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("cost", sa.Float(), nullable=False),
        sa.Column("lower_bound", sa.Float(), nullable=False),
        sa.Column("requested", sa.Integer(), nullable=False),
        sa.Column("taught", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("input_hash", sa.String(length=64), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'draft') = (published_at IS NULL)", name=op.f("ck_plans_published_at")
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'published', 'superseded')", name=op.f("ck_plans_state")
        ),
        sa.CheckConstraint(
            "taught >= 0 AND requested >= 0 AND cost >= 0", name=op.f("ck_plans_figures")
        ),
        sa.ForeignKeyConstraint(["created_by"], ["persons.id"], name=op.f("fk_plans_created_by")),
        sa.ForeignKeyConstraint(["term_id"], ["terms.id"], name=op.f("fk_plans_term_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plans")),
    )
    op.create_index(
        "uq_plans_published",
        "plans",
        ["term_id"],
        unique=True,
        sqlite_where=sa.text("state = 'published'"),
        postgresql_where=sa.text("state = 'published'"),
    )
    op.create_table(
        "teachers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("programme_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("donor_school_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["donor_school_id"], ["donor_schools.id"], name=op.f("fk_teachers_donor_school_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_teachers_person_id")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_teachers_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teachers")),
        sa.UniqueConstraint(
            "programme_id", "person_id", name=op.f("uq_teachers_programme_id_person_id")
        ),
    )
    op.create_index(
        op.f("ix_teachers_donor_school_id"), "teachers", ["donor_school_id"], unique=False
    )
    op.create_table(
        "busy_times",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("teacher_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_busy_times_span")),
        sa.ForeignKeyConstraint(
            ["teacher_id"], ["teachers.id"], name=op.f("fk_busy_times_teacher_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_busy_times")),
    )
    op.create_index(op.f("ix_busy_times_teacher_id"), "busy_times", ["teacher_id"], unique=False)
    op.create_table(
        "grants",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("programme_id", sa.Integer(), nullable=False),
        sa.Column("teacher_id", sa.Integer(), nullable=True),
        sa.Column("school_id", sa.Integer(), nullable=True),
        sa.Column("donor_school_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(role = 'donor_head') = (donor_school_id IS NOT NULL)",
            name=op.f("ck_grants_donor_head"),
        ),
        sa.CheckConstraint(
            "(role = 'school') = (school_id IS NOT NULL)", name=op.f("ck_grants_school")
        ),
        sa.CheckConstraint(
            "(role = 'teacher') = (teacher_id IS NOT NULL)", name=op.f("ck_grants_teacher")
        ),
        sa.CheckConstraint(
            "role IN ('teacher', 'school', 'donor_head', 'coordinator', 'admin')",
            name=op.f("ck_grants_role"),
        ),
        sa.ForeignKeyConstraint(
            ["donor_school_id"], ["donor_schools.id"], name=op.f("fk_grants_donor_school_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_grants_person_id")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_grants_programme_id")
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["receiving_schools.id"], name=op.f("fk_grants_school_id")
        ),
        sa.ForeignKeyConstraint(["teacher_id"], ["teachers.id"], name=op.f("fk_grants_teacher_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
    )
    op.create_index(op.f("ix_grants_person_id"), "grants", ["person_id"], unique=False)
    op.create_table(
        "pledges",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("teacher_id", sa.Integer(), nullable=False),
        sa.Column("term_id", sa.Integer(), nullable=False),
        sa.Column("max_per_day", sa.Integer(), nullable=False),
        sa.Column("max_per_week", sa.Integer(), nullable=False),
        sa.Column("max_total", sa.Integer(), nullable=False),
        sa.CheckConstraint("max_per_day BETWEEN 1 AND 20", name=op.f("ck_pledges_max_per_day")),
        sa.CheckConstraint("max_per_week BETWEEN 1 AND 60", name=op.f("ck_pledges_max_per_week")),
        sa.CheckConstraint("max_total BETWEEN 1 AND 1000", name=op.f("ck_pledges_max_total")),
        sa.ForeignKeyConstraint(
            ["teacher_id"], ["teachers.id"], name=op.f("fk_pledges_teacher_id")
        ),
        sa.ForeignKeyConstraint(["term_id"], ["terms.id"], name=op.f("fk_pledges_term_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pledges")),
        sa.UniqueConstraint("teacher_id", "term_id", name=op.f("uq_pledges_teacher_id_term_id")),
    )
    op.create_table(
        "publications",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("term_id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Integer(), nullable=True),
        sa.Column("previous_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_publications_plan_id")),
        sa.ForeignKeyConstraint(
            ["previous_id"], ["publications.id"], name=op.f("fk_publications_previous_id")
        ),
        sa.ForeignKeyConstraint(
            ["published_by"], ["persons.id"], name=op.f("fk_publications_published_by")
        ),
        sa.ForeignKeyConstraint(["term_id"], ["terms.id"], name=op.f("fk_publications_term_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publications")),
    )
    op.create_index(op.f("ix_publications_term_id"), "publications", ["term_id"], unique=False)
    op.create_table(
        "requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("class_id", sa.Integer(), nullable=False),
        sa.Column("term_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("lessons_per_week", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_requests_days")),
        sa.CheckConstraint(
            "lessons_per_week BETWEEN 1 AND 6", name=op.f("ck_requests_lessons_per_week")
        ),
        sa.CheckConstraint("number >= 1", name=op.f("ck_requests_number")),
        sa.CheckConstraint("priority BETWEEN 1 AND 3", name=op.f("ck_requests_priority")),
        sa.ForeignKeyConstraint(["class_id"], ["classes.id"], name=op.f("fk_requests_class_id")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["persons.id"], name=op.f("fk_requests_created_by")
        ),
        sa.ForeignKeyConstraint(["term_id"], ["terms.id"], name=op.f("fk_requests_term_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
        sa.UniqueConstraint(
            "class_id", "term_id", "number", name=op.f("uq_requests_class_id_term_id_number")
        ),
    )
    op.create_index(op.f("ix_requests_term_id"), "requests", ["term_id"], unique=False)
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("term_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds_limit", sa.Float(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("elapsed", sa.Float(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=True),
        sa.Column("taught", sa.Integer(), nullable=True),
        sa.Column("requested", sa.Integer(), nullable=True),
        sa.Column("plan_id", sa.Integer(), nullable=True),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("cancel_asked", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_token", sa.String(length=64), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'done') = (plan_id IS NOT NULL)", name=op.f("ck_runs_plan")),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled')",
            name=op.f("ck_runs_state"),
        ),
        sa.CheckConstraint("seconds_limit BETWEEN 0 AND 86400", name=op.f("ck_runs_seconds_limit")),
        sa.ForeignKeyConstraint(["asked_by"], ["persons.id"], name=op.f("fk_runs_asked_by")),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_runs_plan_id")),
        sa.ForeignKeyConstraint(["term_id"], ["terms.id"], name=op.f("fk_runs_term_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    op.create_index(op.f("ix_runs_term_id"), "runs", ["term_id"], unique=False)
    op.create_index(
        "uq_runs_open",
        "runs",
        ["term_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('queued', 'running')"),
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.create_table(
        "absences",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pledge_id", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_absences_days")),
        sa.ForeignKeyConstraint(["pledge_id"], ["pledges.id"], name=op.f("fk_absences_pledge_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absences")),
    )
    op.create_index(op.f("ix_absences_pledge_id"), "absences", ["pledge_id"], unique=False)
    op.create_table(
        "availability",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pledge_id", sa.Integer(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("start_minute", sa.Integer(), nullable=False),
        sa.Column("end_minute", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("if_needed", sa.Boolean(), nullable=False),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_availability_days")),
        sa.CheckConstraint(
            "start_minute >= 0 AND start_minute < end_minute AND end_minute <= 1440",
            name=op.f("ck_availability_clock"),
        ),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_availability_weekday")),
        sa.ForeignKeyConstraint(
            ["pledge_id"], ["pledges.id"], name=op.f("fk_availability_pledge_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_availability")),
    )
    op.create_index(op.f("ix_availability_pledge_id"), "availability", ["pledge_id"], unique=False)
    op.create_table(
        "lessons",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("join_token", sa.String(length=43), nullable=False),
        sa.Column("term_id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("class_id", sa.Integer(), nullable=False),
        sa.Column("teacher_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moved_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("meeting_url", sa.String(length=500), nullable=True),
        sa.Column("cancel_reason", sa.String(length=200), nullable=False),
        sa.Column("cancelled_by", sa.String(length=200), nullable=False),
        sa.CheckConstraint(
            "state IN ('scheduled', 'cover', 'cancelled', 'held', 'not_held')",
            name=op.f("ck_lessons_state"),
        ),
        sa.CheckConstraint("created_at <= changed_at", name=op.f("ck_lessons_changed")),
        sa.CheckConstraint("sequence >= 0", name=op.f("ck_lessons_sequence")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_lessons_span")),
        sa.ForeignKeyConstraint(["class_id"], ["classes.id"], name=op.f("fk_lessons_class_id")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["requests.id"], name=op.f("fk_lessons_request_id")
        ),
        sa.ForeignKeyConstraint(
            ["teacher_id"], ["teachers.id"], name=op.f("fk_lessons_teacher_id")
        ),
        sa.ForeignKeyConstraint(["term_id"], ["terms.id"], name=op.f("fk_lessons_term_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lessons")),
        sa.UniqueConstraint("join_token", name=op.f("uq_lessons_join_token")),
        sa.UniqueConstraint("uid", name=op.f("uq_lessons_uid")),
    )
    op.create_index("ix_lessons_class_starts", "lessons", ["class_id", "starts_at"], unique=False)
    op.create_index(op.f("ix_lessons_request_id"), "lessons", ["request_id"], unique=False)
    op.create_index(
        "ix_lessons_teacher_starts", "lessons", ["teacher_id", "starts_at"], unique=False
    )
    op.create_index("ix_lessons_term_starts", "lessons", ["term_id", "starts_at"], unique=False)
    op.create_table(
        "plan_gaps",
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.CheckConstraint("missing > 0", name=op.f("ck_plan_gaps_missing")),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_plan_gaps_plan_id")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["requests.id"], name=op.f("fk_plan_gaps_request_id")
        ),
        sa.PrimaryKeyConstraint("plan_id", "request_id", "week", name=op.f("pk_plan_gaps")),
    )
    op.create_table(
        "plan_lessons",
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("start_minute", sa.Integer(), nullable=False),
        sa.Column("end_minute", sa.Integer(), nullable=False),
        sa.Column("teacher_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "start_minute >= 0 AND start_minute < end_minute AND end_minute <= 1440",
            name=op.f("ck_plan_lessons_clock"),
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_plan_lessons_plan_id")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["requests.id"], name=op.f("fk_plan_lessons_request_id")
        ),
        sa.ForeignKeyConstraint(
            ["teacher_id"], ["teachers.id"], name=op.f("fk_plan_lessons_teacher_id")
        ),
        sa.PrimaryKeyConstraint("plan_id", "request_id", "day", name=op.f("pk_plan_lessons")),
        sa.UniqueConstraint(
            "plan_id",
            "teacher_id",
            "day",
            "start_minute",
            name=op.f("uq_plan_lessons_plan_id_teacher_id_day_start_minute"),
        ),
    )
    op.create_table(
        "pledge_levels",
        sa.Column("pledge_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.CheckConstraint(
            "level IN ('primary', 'lower_secondary', 'upper_secondary')",
            name=op.f("ck_pledge_levels_level"),
        ),
        sa.ForeignKeyConstraint(
            ["pledge_id"], ["pledges.id"], name=op.f("fk_pledge_levels_pledge_id")
        ),
        sa.PrimaryKeyConstraint("pledge_id", "level", name=op.f("pk_pledge_levels")),
    )
    op.create_table(
        "request_slots",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("start_minute", sa.Integer(), nullable=False),
        sa.Column("end_minute", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.CheckConstraint("rank BETWEEN 0 AND 9", name=op.f("ck_request_slots_rank")),
        sa.CheckConstraint(
            "start_minute >= 0 AND start_minute < end_minute AND end_minute <= 1440",
            name=op.f("ck_request_slots_clock"),
        ),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_request_slots_weekday")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["requests.id"], name=op.f("fk_request_slots_request_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_slots")),
        sa.UniqueConstraint(
            "request_id",
            "weekday",
            "start_minute",
            name=op.f("uq_request_slots_request_id_weekday_start_minute"),
        ),
    )
    op.create_table(
        "school_wishes",
        sa.Column("pledge_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pledge_id"], ["pledges.id"], name=op.f("fk_school_wishes_pledge_id")
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["receiving_schools.id"], name=op.f("fk_school_wishes_school_id")
        ),
        sa.PrimaryKeyConstraint("pledge_id", "school_id", name=op.f("pk_school_wishes")),
    )
    op.create_table(
        "handovers",
        sa.Column("lesson_id", sa.Integer(), nullable=False),
        sa.Column("teacher_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["lesson_id"], ["lessons.id"], name=op.f("fk_handovers_lesson_id")),
        sa.ForeignKeyConstraint(
            ["teacher_id"], ["teachers.id"], name=op.f("fk_handovers_teacher_id")
        ),
        sa.PrimaryKeyConstraint("lesson_id", "teacher_id", name=op.f("pk_handovers")),
    )
    op.create_index("ix_handovers_teacher", "handovers", ["teacher_id"], unique=False)
    op.create_table(
        "offers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lesson_id", sa.Integer(), nullable=False),
        sa.Column("teacher_id", sa.Integer(), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted", sa.Boolean(), nullable=True),
        sa.CheckConstraint(
            "(answered_at IS NULL) = (accepted IS NULL)", name=op.f("ck_offers_answer")
        ),
        sa.ForeignKeyConstraint(["lesson_id"], ["lessons.id"], name=op.f("fk_offers_lesson_id")),
        sa.ForeignKeyConstraint(["teacher_id"], ["teachers.id"], name=op.f("fk_offers_teacher_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offers")),
        sa.UniqueConstraint(
            "lesson_id", "teacher_id", "wave", name=op.f("uq_offers_lesson_id_teacher_id_wave")
        ),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("lesson_id", sa.Integer(), nullable=True),
        sa.Column("lesson_sequence", sa.Integer(), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("useless_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_token", sa.String(length=64), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("phase", sa.String(length=20), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'leased') = (lease_token IS NOT NULL)", name=op.f("ck_outbox_lease")
        ),
        sa.CheckConstraint(
            "(state = 'sent') = (sent_at IS NOT NULL)", name=op.f("ck_outbox_sent_at")
        ),
        sa.CheckConstraint(
            "kind IN ('day_before', 'hour_before', 'soon', 'assigned', 'moved', 'handed_over', 'called_off', 'timetable', 'sign_in')",
            name=op.f("ck_outbox_kind"),
        ),
        sa.CheckConstraint("phase IN ('waiting', 'transmitting')", name=op.f("ck_outbox_phase")),
        sa.CheckConstraint(
            "state IN ('planned', 'leased', 'sent', 'failed', 'expired', 'cancelled', 'unknown')",
            name=op.f("ck_outbox_state"),
        ),
        sa.ForeignKeyConstraint(["lesson_id"], ["lessons.id"], name=op.f("fk_outbox_lesson_id")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_outbox_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_key")),
    )
    op.create_index("ix_outbox_due", "outbox", ["state", "next_try_at"], unique=False)
    op.create_index(op.f("ix_outbox_lesson_id"), "outbox", ["lesson_id"], unique=False)
    op.create_table(
        "reports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lesson_id", sa.Integer(), nullable=False),
        sa.Column("side", sa.String(length=20), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("reported_by", sa.Integer(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("side IN ('teacher', 'school')", name=op.f("ck_reports_side")),
        sa.ForeignKeyConstraint(["lesson_id"], ["lessons.id"], name=op.f("fk_reports_lesson_id")),
        sa.ForeignKeyConstraint(
            ["reported_by"], ["persons.id"], name=op.f("fk_reports_reported_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sa.UniqueConstraint("lesson_id", "side", name=op.f("uq_reports_lesson_id_side")),
    )
    op.create_index(
        "uq_grants_once",
        "grants",
        [
            "person_id",
            "role",
            "programme_id",
            sa.text("coalesce(teacher_id, school_id, donor_school_id, 0)"),
        ],
        unique=True,
    )
    if op.get_bind().dialect.name == "sqlite":
        for who in BOOKED:
            sqlite_triggers(who)
    else:
        for who in BOOKED:
            postgresql_exclusion(who)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for who in BOOKED:
            op.execute(f"DROP TRIGGER lessons_{who}_insert")
            op.execute(f"DROP TRIGGER lessons_{who}_update")
    op.drop_table("reports")
    op.drop_index(op.f("ix_outbox_lesson_id"), table_name="outbox")
    op.drop_index("ix_outbox_due", table_name="outbox")
    op.drop_table("outbox")
    op.drop_table("offers")
    op.drop_index("ix_handovers_teacher", table_name="handovers")
    op.drop_table("handovers")
    op.drop_table("school_wishes")
    op.drop_table("request_slots")
    op.drop_table("pledge_levels")
    op.drop_table("plan_lessons")
    op.drop_table("plan_gaps")
    op.drop_index("ix_lessons_term_starts", table_name="lessons")
    op.drop_index("ix_lessons_teacher_starts", table_name="lessons")
    op.drop_index(op.f("ix_lessons_request_id"), table_name="lessons")
    op.drop_index("ix_lessons_class_starts", table_name="lessons")
    op.drop_table("lessons")
    op.drop_index(op.f("ix_availability_pledge_id"), table_name="availability")
    op.drop_table("availability")
    op.drop_index(op.f("ix_absences_pledge_id"), table_name="absences")
    op.drop_table("absences")
    op.drop_index(
        "uq_runs_open",
        table_name="runs",
        sqlite_where=sa.text("state IN ('queued', 'running')"),
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.drop_index(op.f("ix_runs_term_id"), table_name="runs")
    op.drop_table("runs")
    op.drop_index(op.f("ix_requests_term_id"), table_name="requests")
    op.drop_table("requests")
    op.drop_index(op.f("ix_publications_term_id"), table_name="publications")
    op.drop_table("publications")
    op.drop_table("pledges")
    op.drop_index(op.f("ix_grants_person_id"), table_name="grants")
    op.drop_table("grants")
    op.drop_index(op.f("ix_busy_times_teacher_id"), table_name="busy_times")
    op.drop_table("busy_times")
    op.drop_index(op.f("ix_teachers_donor_school_id"), table_name="teachers")
    op.drop_table("teachers")
    op.drop_index(
        "uq_plans_published",
        table_name="plans",
        sqlite_where=sa.text("state = 'published'"),
        postgresql_where=sa.text("state = 'published'"),
    )
    op.drop_table("plans")
    op.drop_table("periods")
    op.drop_index(op.f("ix_joint_sessions_partnership_id"), table_name="joint_sessions")
    op.drop_table("joint_sessions")
    op.drop_table("holidays")
    op.drop_index(op.f("ix_closed_days_school_id"), table_name="closed_days")
    op.drop_table("closed_days")
    op.drop_table("classes")
    op.drop_table("terms")
    op.drop_index(op.f("ix_sign_ins_person_id"), table_name="sign_ins")
    op.drop_table("sign_ins")
    op.drop_index(op.f("ix_sessions_person_id"), table_name="sessions")
    op.drop_table("sessions")
    op.drop_table("receiving_schools")
    op.drop_table("partnerships")
    op.drop_index(op.f("ix_feed_links_person_id"), table_name="feed_links")
    op.drop_index(op.f("ix_feed_links_feed_id"), table_name="feed_links")
    op.drop_table("feed_links")
    op.drop_table("feed_bodies")
    op.drop_table("donor_schools")
    op.drop_index("ix_audits_subject", table_name="audits")
    op.drop_index(op.f("ix_audits_at"), table_name="audits")
    op.drop_table("audits")
    op.drop_table("switches")
    op.drop_table("programmes")
    op.drop_table("persons")
    op.drop_index("ix_feeds_dirty", table_name="feeds")
    op.drop_table("feeds")
