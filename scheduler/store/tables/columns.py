"""What all tables share: the metadata, its names for constraints, and our column types."""

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Column, DateTime, Integer, MetaData, String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An aware instant, kept in UTC; SQLite drops the zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError("a naive datetime has no place in the database")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect  # the answer's own zone says which engine it came from
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def key() -> Column[int]:
    return Column("id", Integer, primary_key=True)


def one_of(name: str, states: type[StrEnum]) -> tuple[Column[str], CheckConstraint]:
    """A column that holds one of the states, and the check that says so."""
    names = ", ".join(f"'{state.value}'" for state in states)
    return Column(name, String(20), nullable=False), CheckConstraint(f"{name} IN ({names})", name)


def ends(how: type[StrEnum]) -> tuple[Column[str], CheckConstraint, CheckConstraint]:
    """How something ended, beside its `ended_at`; both are empty while it is open."""
    names = ", ".join(f"'{end.value}'" for end in how)
    return (
        Column("end", String(20)),
        CheckConstraint(f'"end" IN ({names})', "end"),
        CheckConstraint('(ended_at IS NULL) = ("end" IS NULL)', "ended"),
    )


def clock_check(name: str = "clock") -> CheckConstraint:
    """Minutes since midnight, the end after the start, within one day."""
    return CheckConstraint(
        "start_minute >= 0 AND start_minute < end_minute AND end_minute <= 1440", name
    )


def weekday_check() -> CheckConstraint:
    return CheckConstraint("weekday BETWEEN 0 AND 6", "weekday")


def days_check() -> CheckConstraint:
    return CheckConstraint("first_day <= last_day", "days")
