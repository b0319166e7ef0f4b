"""The whole database as one file, and back: by SQLite itself, or by the programs of PostgreSQL.

A copy counts only when it has been read from beginning to end.  It is made, and put in the place of
what is there, in one step, whoever else works meanwhile.
"""

import os
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import make_url

from scheduler.errors import Conflict, Invalid, NotFound, text
from scheduler.store import migrations, switches
from scheduler.store.database import Damaged, Database
from scheduler.store.tables import metadata

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
_HEADS = {b"SQLite format 3\0": SQLITE, b"PGDMP": POSTGRESQL}
_OWNER_ONLY = 0o600
_LONGEST_WHY = 300
_REVISION = re.compile(rb"COPY public\.alembic_version .* FROM stdin;\n([^\n]+)\n\\\.")
# Our tables, and the functions that they call, as they stand now: a newer schema may have some
# that the copy knows nothing of.  What others keep in the same database stays.
_CLEAR = """\
SET lock_timeout = '15s';
DO $$ DECLARE one text; BEGIN
  FOR one IN SELECT DISTINCT tgfoid::regprocedure::text FROM pg_trigger
    JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid
    WHERE NOT tgisinternal AND relname IN ({tables})
      AND relnamespace = 'public'::regnamespace AND pronamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = tgfoid AND deptype = 'e')
  LOOP EXECUTE 'DROP FUNCTION IF EXISTS ' || one || ' CASCADE'; END LOOP;
  FOR one IN SELECT tablename FROM pg_tables
    WHERE schemaname = 'public' AND tablename IN ({tables})
  LOOP EXECUTE format('DROP TABLE IF EXISTS public.%I CASCADE', one); END LOOP;
END $$"""
_PAUSE = """\
INSERT INTO public.switches (name, value, at) VALUES ('{name}', '{why}', now())
ON CONFLICT (name) DO UPDATE SET value = '{why}', at = now()"""


def write(database: Database, target: Path) -> None:
    """Write all of the database to a new file that its owner alone may read, down to the disk.

    Raises Conflict, Damaged, and NotFound where a program of PostgreSQL is missing.
    """
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _OWNER_ONLY))
    if database.is_sqlite:
        _vacuum_into(database.path, target)
    else:
        _run(database, "pg_dump", "--format=custom", f"--file={target}")
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _vacuum_into(source: Path, target: Path) -> None:
    """Beside those who write.  What had been erased is not in the copy, and leaves no trace."""
    try:
        with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old:
            old.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.OperationalError as error:
        raise Conflict(
            text(
                "The backup could not be written to {folder}: {why}.",
                folder=str(target.parent),
                why=str(error),
            )
        ) from error
    except sqlite3.DatabaseError as error:
        raise Damaged from error


def size(database: Database) -> int:
    """About how many bytes a copy takes at most."""
    found = database.footprint()
    return found.database + (found.wal or 0)


def require_whole(database: Database) -> None:
    """Raises Damaged for a SQLite file whose pages do not fit together; a server looks itself."""
    if database.is_sqlite:
        with database.looking() as connection:
            if connection.exec_driver_sql("PRAGMA quick_check(1)").all() != [("ok",)]:
                raise Damaged


# -- reading a copy


def revision(database: Database, source: Path) -> str:
    """Read a copy from beginning to end; the version of the schema in it.

    Raises Invalid for one that is damaged, that is of another kind of database, or none of ours.
    """
    wanted, found = SQLITE if database.is_sqlite else POSTGRESQL, _kind(source)
    if not found:
        raise _no_backup(source)
    if found != wanted:
        raise Invalid(
            text(
                "{file} is a backup of {found}, and this installation uses {wanted}; nothing was "
                "changed.",
                file=str(source),
                found=found,
                wanted=wanted,
            )
        )
    return _of_sqlite(source) if database.is_sqlite else _of_postgresql(database, source)


def _kind(source: Path) -> str:
    with source.open("rb") as file:
        head = file.read(max(map(len, _HEADS)))
    return next((kind for mark, kind in _HEADS.items() if head.startswith(mark)), "")


def _no_backup(source: Path) -> Invalid:
    return Invalid(text("{file} is no backup of Chung Tay; nothing was changed.", file=str(source)))


def _spoilt(source: Path) -> Invalid:
    return Invalid(text("{file} is damaged; nothing was changed.", file=str(source)))


def _of_sqlite(source: Path) -> str:
    address = f"{source.absolute().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as check:
            if check.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise _spoilt(source)
            tables = {name for (name,) in check.execute("SELECT name FROM sqlite_schema")}
            if "alembic_version" not in tables:
                raise _no_backup(source)
            found = check.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise _spoilt(source) from error
    if not found:
        raise _no_backup(source)
    return str(found[0])


def _of_postgresql(database: Database, source: Path) -> str:
    with TemporaryDirectory() as folder:
        return _found_in(_script(database, source, Path(folder)), source)


def _script(database: Database, source: Path, folder: Path) -> Path:
    """All of a copy as statements, whoever owned the tables; raises Invalid when it is damaged."""
    script = folder / "state.sql"
    try:
        _run(
            database, "pg_restore", "--no-owner", "--no-privileges", "--clean", "--if-exists",
            f"--file={script}", str(source), alone=True,
        )  # fmt: skip
    except Conflict as error:
        raise _spoilt(source) from error
    return script


def _found_in(script: Path, source: Path) -> str:
    found = _REVISION.search(script.read_bytes())
    if found is None:
        raise _no_backup(source)
    return found[1].decode()


# -- bringing it back


def put_back(database: Database, source: Path, why: str) -> None:
    """Put a copy that `revision` has read in the place of what is there, in one step, with its
    sending paused for that reason: whoever works on meanwhile sends nothing of it."""
    database.close()
    if database.is_sqlite:
        _put_back_sqlite(database, source, why)
    else:
        _put_back_postgresql(database, source, why)


def _put_back_sqlite(database: Database, source: Path, why: str) -> None:
    """The copy is brought to our schema aside, so that a fault on the way leaves all as it was."""
    with TemporaryDirectory(dir=database.path.parent, prefix=".restore-") as folder:
        aside = Path(folder) / "state.db"
        shutil.copyfile(source, aside)
        made = Database(f"sqlite:///{aside}")
        try:
            migrations.upgrade(made)
            with made.transaction() as db:
                switches.turn_on(db, switches.SENDING_PAUSED, why)
        finally:
            made.close()
        with closing(sqlite3.connect(aside)) as new, closing(sqlite3.connect(database.path)) as old:
            new.backup(old)


def set_aside(database: Database, name: str) -> None:
    """Move a SQLite database that cannot be read out of the way, beside its place."""
    database.close()
    for end in ("", "-wal", "-shm"):
        part = database.path.with_name(database.path.name + end)
        with suppress(FileNotFoundError):
            part.rename(part.with_name(f"{database.path.name}.{name}{end}"))


def _put_back_postgresql(database: Database, source: Path, why: str) -> None:
    tables = ", ".join(f"'{name}'" for name in ("alembic_version", *metadata.tables))
    with TemporaryDirectory() as folder:
        script = _script(database, source, Path(folder))
        _run(
            database, "psql", "--no-psqlrc", "--quiet", "--single-transaction",
            "--set=ON_ERROR_STOP=1", f"--command={_CLEAR.format(tables=tables)}",
            f"--file={script}",
            f"--command={_PAUSE.format(name=switches.SENDING_PAUSED, why=why)}",
        )  # fmt: skip


def _run(database: Database, program: str, *arguments: str, alone: bool = False) -> None:
    """Run a program of PostgreSQL, on the database or, `alone`, on files.  The password is handed
    over where no list of processes shows it."""
    found = shutil.which(program)
    if found is None:
        raise NotFound(
            text("This needs the program {program} of PostgreSQL on this machine.", program=program)
        )
    if not alone:
        database.lines.require_direct()
    url = make_url(database.lines.direct_url or database.url).set(drivername="postgresql")
    words = [] if alone else [f"--dbname={url.set(password=None).render_as_string(False)}"]
    own = {"PGPASSWORD": url.password} if isinstance(url.password, str) and url.password else {}
    done = subprocess.run(
        [found, *arguments, *words], env=os.environ | own, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        why = done.stderr.strip()[:_LONGEST_WHY]
        raise Conflict(text("{program} did not succeed: {why}", program=program, why=why))
