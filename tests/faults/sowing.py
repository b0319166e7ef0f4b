"""Rows for every table of whatever schema: drafts by chance, until the database takes one."""

import re
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from random import Random

import sqlalchemy as sa

LEAST = 2  # rows a table
TRIES = 600
_WORD = re.compile(r"'([^']*)'")
_T0 = datetime(2023, 9, 1, tzinfo=UTC)
# What no check said, and every writer kept to.
_ALWAYS = {("outbox", "channel"): ["mail"]}
_KEPT = ("alembic_version",)


def sow(engine: sa.Engine, seed: int = 1) -> set[str]:
    """Two rows at least in each table, one for each word that a check of it names; returns the
    tables that took none."""
    chance, schema = Random(seed), sa.MetaData()
    schema.reflect(engine)
    empty = set()
    for table in schema.sorted_tables:
        if table.name in _KEPT:
            continue
        words = _words(engine, table)
        wanted = max([LEAST, *map(len, words.values())])
        with engine.begin() as connection:
            have = connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
        planted = sum(_planted(engine, table, words, n, chance) for n in range(have, wanted))
        if not have + planted:
            empty.add(table.name)
    return empty


def _words(engine: sa.Engine, table: sa.Table) -> dict[str, list[str]]:
    """By column of text: what its checks allow."""
    found = defaultdict(list)
    found.update(
        {column: list(words) for (of, column), words in _ALWAYS.items() if of == table.name}
    )
    for check in sa.inspect(engine).get_check_constraints(table.name):
        for column in table.c:
            named = re.search(rf"\b{column.name}\b", check["sqltext"])
            if named and isinstance(column.type, sa.String):
                found[column.name] += _WORD.findall(check["sqltext"])
    return {name: list(dict.fromkeys(words)) for name, words in found.items() if words}


def _planted(engine, table, words, n: int, chance: Random) -> bool:
    for attempt in range(TRIES):
        try:
            with engine.begin() as connection:
                draft = _draft(connection, table, words, n, attempt, chance)
                connection.execute(table.insert().values(draft))
        except (sa.exc.IntegrityError, sa.exc.DataError):
            continue
        return True
    return False


def _draft(connection, table, words, n: int, attempt: int, chance: Random) -> dict[str, object]:
    rising = _rising(table, chance)
    draft = {}
    for column in table.c:
        if _numbered(table, column):
            continue
        if column.nullable and (attempt % 3 == 0 or (attempt % 3 == 2 and chance.random() < 0.5)):
            draft[column.name] = None
        elif column.foreign_keys:
            draft[column.name] = _other(connection, column, chance)
        elif column.name in words:
            among = words[column.name]
            first = attempt < TRIES // 2
            draft[column.name] = among[n % len(among)] if first else chance.choice(among)
        else:
            draft[column.name] = _value(connection, column, rising, n, chance)
    return draft


def _numbered(table, column) -> bool:
    """Whether the database gives it a number by itself."""
    alone = len(table.primary_key) == 1 and column.primary_key and not column.foreign_keys
    return alone and bool(column.autoincrement) and isinstance(column.type, sa.Integer)


def _rising(table: sa.Table, chance: Random) -> dict[str, int]:
    """Numbers that grow from column to column: what begins is written before what ends."""
    names = [column.name for column in table.c]
    return dict(
        zip(names, sorted(chance.sample(range(1, 12 + len(names)), len(names))), strict=True)
    )


def _other(connection, column, chance: Random) -> object:
    (key,) = column.foreign_keys
    found = connection.scalars(sa.select(key.column)).all()
    return chance.choice(found) if found else None


def _value(connection, column, rising: dict[str, int], n: int, chance: Random) -> object:
    kind, number = column.type, rising[column.name]
    if isinstance(kind, sa.Boolean):
        return n % 2 == 0
    if isinstance(kind, sa.Integer | sa.Numeric | sa.Float):
        return number if chance.random() < 0.7 else chance.choice((0, 1, 1, 2))
    if isinstance(kind, sa.DateTime):
        at = _T0 + timedelta(days=n * 40 + chance.randrange(20), hours=number)
        return at.replace(tzinfo=None) if connection.dialect.name == "sqlite" else at
    if isinstance(kind, sa.Date):
        return date(2023, 9, 1) + timedelta(days=n * 40 + number)
    if isinstance(kind, sa.LargeBinary):
        return b"x"
    if isinstance(kind, sa.JSON):
        return {}
    return f"{column.name[:8]}{n}{chance.randrange(1000)}"[: getattr(kind, "length", None) or 99]
