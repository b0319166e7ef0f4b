"""The schema's version: to head, what it is, and whether a program that runs may go on with it.

On PostgreSQL one migrates at a time, and no change of a table is waited for longer than its
readers wait: it is given up, undone, and tried again.  A migration may say two things of itself:

- `serves = "0022"`: programs that were made for 0022 may go on beside it (it only adds);
- `alone = True`: it runs outside of any transaction, as CREATE INDEX CONCURRENTLY must, and can be
  run again when it was broken off.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import groupby
from random import SystemRandom

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, inspect
from sqlalchemy.exc import DBAPIError

from alembic import command
from scheduler.config import data_dir
from scheduler.errors import Busy, Conflict, text
from scheduler.store.database import Database

# Seconds between tries; with what each waits for a lock a minute and a half in all.
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0)
_HELD = ("55P03", "40P01")  # the lock did not come in time; a deadlock, ended at our cost
_HOLDER = """
SELECT concat(nullif(application_name, ''), ' (', pid, ')') FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
ORDER BY xact_start LIMIT 1
"""
# In the comment on the table of versions, of the revision that stands there.
_NOTED = "{revision} serves {oldest}"
_STANDS = "SELECT version_num FROM alembic_version"
_STANDS_NOTED = """
SELECT version_num, obj_description('alembic_version'::regclass, 'pg_class') FROM alembic_version
"""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Program:
    """The revisions that this program knows, the newest first; as it was when it began: an
    installation may be renewed under the feet of those who still run."""

    steps: tuple[Script, ...]

    @property
    def head(self) -> str:
        return self.steps[0].revision

    def knows(self, revision: str) -> bool:
        return any(step.revision == revision for step in self.steps)

    def lets_on(self, revision: str, noted: str | None) -> bool:
        """Whether a newer program's schema, by its own note, leaves this one what it needs."""
        notes = {_NOTED.format(revision=revision, oldest=step.revision) for step in self.steps}
        return not self.knows(revision) and noted in notes

    def between(self, found: str, wanted: str) -> tuple[Script, ...]:
        """The steps from one revision (empty: from nothing) up to another, in order."""
        names = [step.revision for step in self.steps]
        ends = names.index(found) if found else len(names)
        return self.steps[names.index(wanted) : ends][::-1]

    def oldest_served(self, revision: str) -> str:
        """The oldest program's revision that every step since allows to go on."""
        names = [step.revision for step in self.steps]
        oldest = start = names.index(revision)
        reach = len(names)
        for here, step in enumerate(self.steps[start:-1], start):
            reach = min(reach, names.index(getattr(step.module, "serves", step.revision)))
            if reach <= here:
                break
            oldest = here + 1
        return names[oldest]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(data_dir("alembic")))
    return config


@lru_cache(maxsize=1)
def _program() -> _Program:
    return _Program(tuple(ScriptDirectory.from_config(_config()).walk_revisions()))


def head() -> str:
    """The newest revision this program knows."""
    return _program().head


def refuse_newer(revision: str) -> None:
    """Raises Conflict for a revision that a newer program made."""
    if revision and not _program().knows(revision):
        raise Conflict(
            text(
                "The database was made by a newer version ({revision}). Install that version.",
                revision=revision,
            )
        )


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the schema to `revision`, all or nothing up to a migration that runs alone.

    Raises Conflict for a schema that is newer than this program, Busy when others keep a table
    or migrate themselves for longer than a minute: nothing is changed then, or a part as said.
    """
    wanted = head() if revision == "head" else revision
    with database.migrating() as connection:
        with connection.begin():
            found = _found(connection)
        refuse_newer(found)
        steps = _program().between(found, wanted)
        for alone, part in groupby(steps, lambda step: bool(getattr(step.module, "alone", False))):
            to = [step.revision for step in part][-1]
            _patiently(connection, partial(_go, database, connection, to, alone))


def _go(database: Database, connection: Connection, to: str, alone: bool) -> None:
    if not alone or database.is_sqlite:
        _in_one_go(database, connection, lambda config: command.upgrade(config, to))
        return
    usual = connection.default_isolation_level
    connection.execution_options(isolation_level="AUTOCOMMIT")
    try:
        _in_one_go(database, connection, lambda config: command.upgrade(config, to))
    finally:
        connection.execution_options(isolation_level=usual)


def _in_one_go(database: Database, connection: Connection, step: Callable[[Config], None]) -> None:
    config = _config()
    config.attributes["connection"] = connection
    with connection.begin():
        step(config)
        if database.broken_references(connection):
            raise RuntimeError("a migration left rows that refer to nothing")
        if not database.is_sqlite and (found := _found(connection)):
            noted = _NOTED.format(revision=found, oldest=_program().oldest_served(found))
            connection.exec_driver_sql(f"COMMENT ON TABLE alembic_version IS '{noted}'")


def _patiently(connection: Connection, work: Callable[[], None]) -> None:
    """Again and again while somebody keeps a table; between tries everybody else goes on."""
    for pause in (*PAUSES, None):
        try:
            work()
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _HELD:
                raise
            holder = _holder(connection)
            if pause is None:
                raise Busy(
                    text(
                        "Somebody works with the tables that must be changed: {who}. Nothing was "
                        "changed. Try again later, or end that work first.",
                        who=holder,
                    )
                ) from error
            _log.warning("a table is in use: tried again soon", extra={"holder": holder})
            time.sleep(pause * (0.5 + SystemRandom().random()))
        else:
            return


def _holder(connection: Connection) -> str:
    """By name and process of the server: who has been in a transaction for longest."""
    with connection.begin():
        return connection.exec_driver_sql(_HOLDER).scalar() or "?"


def downgrade(database: Database, revision: str) -> None:
    """Take the schema back to `revision`; data of what is taken back is lost."""
    _run(database, lambda config: command.downgrade(config, revision))


def _run(database: Database, step: Callable[[Config], None]) -> None:
    with database.migrating() as connection:
        _in_one_go(database, connection, step)


def current(database: Database) -> str:
    """The revision the database stands at; empty before the first migration."""
    with database.looking() as connection:
        return _found(connection)


def _found(connection: Connection) -> str:
    if "alembic_version" not in inspect(connection).get_table_names():
        return ""
    return MigrationContext.configure(connection).get_current_revision() or ""


def is_ours(database: Database) -> bool:
    """Whether this program may work with the schema as it is at this moment.

    A single question, for those who ask each second.
    """
    query = _STANDS if database.is_sqlite else _STANDS_NOTED
    try:
        with database.looking() as connection:
            row = connection.exec_driver_sql(query).first()
    except DBAPIError:  # no table of versions: nothing of ours at all
        return False
    revision, *noted = row or ("",)
    if revision == head():
        return True
    return _program().lets_on(revision, noted[0] if noted else None)
