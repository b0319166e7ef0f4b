"""A migration in a process of its own, killed before a given statement; and what it left."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
import sqlalchemy.dialects.postgresql.psycopg
import sqlalchemy.dialects.sqlite.pysqlite
from sqlalchemy import event

from scheduler.store import migrations
from scheduler.store.database import Database
from tests.faults.forks import SERVER

# What only looks changes nothing: to be killed before it is to be killed before what follows.
_LOOKS = ("SELECT", "PRAGMA", "SHOW", "BEGIN")
_PG_SCHEMA = """
SELECT concat_ws(' ', 'column', table_name, column_name, data_type, character_maximum_length,
                 is_nullable, column_default)
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, convalidated,
                           pg_get_constraintdef(oid))
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
ORDER BY 1
"""
_SQLITE_SCHEMA = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"


def opened(url: str) -> Database:
    """Without waiting for the disk: kill -9 takes nothing from it, a power cut would."""
    database = Database(url)
    if database.is_sqlite:
        event.listen(database.writer, "connect", _hurry)
    return database


def _hurry(connection, _record) -> None:
    connection.execute("PRAGMA synchronous=OFF")


@contextmanager
def changes(reached) -> Iterator[None]:
    """Call `reached` before each statement that changes something, and before each commit."""

    def statement(_connection, _cursor, told, *_more):
        if not told.lstrip().upper().startswith(_LOOKS):
            reached()

    def commit(_connection):
        reached()

    event.listen(sa.Engine, "before_cursor_execute", statement)
    event.listen(sa.Engine, "commit", commit)
    try:
        yield
    finally:
        event.remove(sa.Engine, "before_cursor_execute", statement)
        event.remove(sa.Engine, "commit", commit)


def upgrade(url: str, revision: str) -> int:
    """To this revision; how many times it could have been killed on the way."""
    count = 0

    def reached():
        nonlocal count
        count += 1

    database = opened(url)
    with changes(reached):
        migrations.upgrade(database, revision)
    database.close()
    return count


def killed(url: str, revision: str, place: int) -> None:
    """The same in another process, which is killed at the place of this number."""
    child = SERVER.Process(target=_killed, args=(url, revision, place), daemon=True)
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL, f"it came past place {place}"


def _killed(url: str, revision: str, place: int) -> None:
    left = place

    def reached():
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    with changes(reached):
        migrations.upgrade(opened(url), revision)


def state(url: str) -> tuple[str, list, dict[str, list]]:
    """The revision, all of the schema, and all rows by table; sound in itself."""
    database = opened(url)
    with database.reader.connect() as connection:
        _sound(database, connection)
        query = _SQLITE_SCHEMA if database.is_sqlite else _PG_SCHEMA
        schema = [tuple(map(_sorted, row)) for row in connection.exec_driver_sql(query)]
        rows = {
            name: sorted(map(str, connection.exec_driver_sql(f'SELECT * FROM "{name}"').all()))
            for name in sa.inspect(connection).get_table_names()
        }
    database.close()
    revision = "".join(rows.pop("alembic_version", ()))
    return revision, schema, rows


def _sorted(told: str | None) -> list[str]:
    """Alembic writes the constraints of a table that it makes anew in an order by chance."""
    return sorted(line.strip().rstrip(",") for line in (told or "").splitlines())


def _sound(database: Database, connection: sa.Connection) -> None:
    if database.is_sqlite:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        return
    unsure = "SELECT count(*) FROM pg_constraint WHERE NOT convalidated"
    assert connection.exec_driver_sql(unsure).scalar() == 0
