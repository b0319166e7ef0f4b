"""PostgreSQL databases for tests, used again: to make one takes longer than most tests do."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg

MANY = 1000  # rows
# What changes when somebody changes the schema: names, and the numbers of objects as they are made.
_SCHEMA = """
SELECT (SELECT version_num FROM alembic_version),
       (SELECT md5(string_agg(oid::text, ' ' ORDER BY oid)) FROM pg_constraint),
       (SELECT md5(string_agg(concat(oid, tgenabled), ' ' ORDER BY oid)) FROM pg_trigger),
       md5(string_agg(concat(attrelid, relname, attname), ' ' ORDER BY attrelid, attnum))
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
WHERE relnamespace = 'public'::regnamespace
"""
_TABLES = """
SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'
"""
_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_COUNT_ANEW = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
FROM pg_sequences WHERE last_value IS NOT NULL
"""


class Databases:
    """Empty databases at head on one server, each a copy of its database `template`."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._clean: list[str] = []
        with psycopg.connect(of_name(address, "template")) as connection:
            self._schema = connection.execute(_SCHEMA).fetchone()

    @contextmanager
    def one(self) -> Iterator[str]:
        """The name of a database that nobody else uses."""
        name = self._clean.pop() if self._clean else self._make()
        yield name
        if self._cleaned(name):
            self._clean.append(name)
        else:
            self._administer(f"DROP DATABASE {name} WITH (FORCE)")

    def _make(self) -> str:
        name = f"t{uuid4().hex[:12]}"
        self._administer(f"CREATE DATABASE {name} TEMPLATE template")
        return name

    def _administer(self, statement: str) -> None:
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(statement)

    def _cleaned(self, name: str) -> bool:
        """Empty it as it was made; False when its schema is no longer what it was."""
        with psycopg.connect(of_name(self.address, name), autocommit=True) as connection:
            connection.execute(_OTHERS)
            if connection.execute(_SCHEMA).fetchone() != self._schema:
                return False
            tables = [row[0] for row in connection.execute(_TABLES)]
            asked = " UNION ALL ".join(f"(SELECT '{x}' FROM {x} LIMIT 1)" for x in tables)
            # No references are looked at, and nothing stops what may only ever be added to.
            connection.execute("SET session_replication_role = replica")
            for (table,) in connection.execute(asked).fetchall():
                if connection.execute(f"DELETE FROM {table}").rowcount > MANY:
                    connection.execute(f"VACUUM {table}")  # else the next tests wade through them
            connection.execute(_COUNT_ANEW)
        return True


def of_name(address: str, name: str) -> str:
    """The address of another database of the same server."""
    return address.replace("/postgres?", f"/{name}?")
