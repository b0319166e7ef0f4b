"""The schema's version: to head, and what it is."""

from collections.abc import Callable

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from alembic import command
from scheduler.config import data_dir
from scheduler.store.database import Database


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(data_dir("alembic")))
    return config


def head() -> str:
    """The newest revision this program knows."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def known(revision: str) -> bool:
    """False for a revision that a newer program made."""
    found = ScriptDirectory.from_config(_config()).walk_revisions()
    return any(script.revision == revision for script in found)


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the schema to `revision`, all or nothing."""
    _run(database, lambda config: command.upgrade(config, revision))


def downgrade(database: Database, revision: str) -> None:
    """Take the schema back to `revision`; data of what is taken back is lost."""
    _run(database, lambda config: command.downgrade(config, revision))


def current(database: Database) -> str:
    """The revision the database stands at; empty before the first migration."""
    with database.looking() as connection:
        if "alembic_version" not in inspect(connection).get_table_names():
            return ""
        return MigrationContext.configure(connection).get_current_revision() or ""


def _run(database: Database, step: Callable[[Config], None]) -> None:
    config = _config()
    with database.migrating() as connection:
        config.attributes["connection"] = connection
        step(config)
        if database.broken_references(connection):
            raise RuntimeError("a migration left rows that refer to nothing")
        connection.commit()
