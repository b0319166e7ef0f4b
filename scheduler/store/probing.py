"""A look at a database that may become ours, before anything is made there."""

import os
import socket
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psycopg
from sqlalchemy import URL, make_url

PATIENCE = 5  # seconds
_PORT = 5432
_LONGEST = 200


class Trouble(StrEnum):
    """Why a database cannot be used."""

    NOWHERE = "nowhere"  # no machine is known by this name
    SILENT = "silent"  # nothing answers at this port
    REFUSED = "refused"  # the server does not take this name and password
    MISSING = "missing"  # the server knows no database of this name
    READ_ONLY = "read_only"  # we may not write there
    DAMAGED = "damaged"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Look:
    """What is there.  `trouble` None: it opens; `said`: in its own words; `engine`: its name and
    version; `revision`: of our schema, empty where it is not there yet."""

    trouble: Trouble | None
    said: str = ""
    engine: str = ""
    revision: str = ""


def look(url: str) -> Look:
    """Look, and change nothing, not even by making a folder."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        return _sqlite(Path(address.database or ""))
    return _unreachable(address) or _postgresql(address)


def _sqlite(path: Path) -> Look:
    engine = f"SQLite {sqlite3.sqlite_version}"
    there = next(each for each in (path, *path.absolute().parents) if each.exists())
    if not os.access(there, os.W_OK) or (there != path and not there.is_dir()):
        return Look(Trouble.READ_ONLY, str(there), engine)
    if there != path:
        return Look(None, engine=engine)
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as found:
            ours = found.execute("SELECT name FROM sqlite_schema WHERE name = 'alembic_version'")
            if ours.fetchone() is None:
                return Look(None, engine=engine)
            row = found.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        return Look(Trouble.DAMAGED, str(error), engine)
    return Look(None, engine=engine, revision=row[0] if row else "")


def _unreachable(address: URL) -> Look | None:
    host = address.host or str(address.query.get("host", ""))
    if not host or host.startswith("/"):  # a socket of this machine
        return None
    try:
        socket.create_connection((host, address.port or _PORT), PATIENCE).close()
    except (socket.gaierror, UnicodeError) as error:
        return Look(Trouble.NOWHERE, str(error))
    except OSError as error:
        return Look(Trouble.SILENT, str(error))
    return None


def _postgresql(address: URL) -> Look:
    plain = address.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        with psycopg.connect(plain, connect_timeout=PATIENCE) as found:
            engine = f"PostgreSQL {found.info.server_version // 10000}"
            asked = (
                "SELECT has_schema_privilege('public', 'CREATE'), to_regclass('alembic_version')"
            )
            may, ours = found.execute(asked).fetchone() or (False, None)
            if not may:
                return Look(Trouble.READ_ONLY, "public", engine)
            row = (
                found.execute("SELECT version_num FROM alembic_version").fetchone()
                if ours
                else None
            )
    except psycopg.Error as error:
        return Look(_trouble(str(error)), " ".join(str(error).split())[-_LONGEST:])
    return Look(None, engine=engine, revision=row[0] if row else "")


def _trouble(said: str) -> Trouble:
    """By its words: of a connection that was refused nothing else is told."""
    if "password" in said or "authentication" in said:
        return Trouble.REFUSED
    return Trouble.MISSING if "database" in said and "does not exist" in said else Trouble.OTHER
