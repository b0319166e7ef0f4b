"""PostgreSQL tells whoever listens that something a calendar read looks up has changed.

By triggers, not by the functions that write: a person disabled by hand in psql, or by code that is
yet to be written, is told of like any other, and no writer can forget it.  Statements are counted,
not rows, and the note says nothing more: PostgreSQL joins equal notes of one transaction, so that
one which marks 500 feeds sends one.  Whoever hears it forgets all; that costs a read a link.

Columns are named, so that the stamps of last reads, written each minute, are not told.  New links
and bodies are not either: nobody remembers what was not there, or a body by anything but its time.
"""

from alembic import op

revision = "0007"
down_revision = "0006"

TOLD = {
    "feed_links": "UPDATE OF feed_id, person_id, token_hash, revoked_at OR DELETE OR TRUNCATE",
    "feeds": "UPDATE OF etag, changed_at, dirty, rendered_week, language OR DELETE OR TRUNCATE",
    "persons": "UPDATE OF active OR DELETE OR TRUNCATE",
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":  # readers ask SQLite itself, in microseconds
        return
    op.execute(
        "CREATE FUNCTION feeds_changed() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN NOTIFY chungtay_feeds; RETURN NULL; END $$"
    )
    for table, events in TOLD.items():
        op.execute(
            f"CREATE TRIGGER {table}_told AFTER {events} ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION feeds_changed()"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    for table in TOLD:
        op.execute(f"DROP TRIGGER {table}_told ON {table}")
    op.execute("DROP FUNCTION feeds_changed()")
