"""The clock of leases: the database's own, the same for every host."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from scheduler.clock import SystemClock


def database_now(db: Session) -> datetime:
    """The database's instant; SQLite has one host, whose clock it is."""
    if db.get_bind().dialect.name == "sqlite":
        return SystemClock().now()
    answer = db.execute(text("SELECT clock_timestamp()")).scalar_one()
    assert isinstance(answer, datetime)  # noqa: S101 - the driver's type for timestamptz
    return answer
