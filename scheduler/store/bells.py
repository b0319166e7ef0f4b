"""What a school calls its periods: by the bells of today, and by those that rang before."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, Subquery, literal, select, union_all
from sqlalchemy.orm import Session

from scheduler.domain.intervals import minute_of
from scheduler.domain.people import BellPeriod, HalfDay
from scheduler.store.tables import former_periods, periods

# Bells that still ring have no day before which they rang.
STILL = date.max
_COLUMNS = ("school_id", "half_day", "number", "start_minute", "end_minute")
_HALF_DAYS = tuple(HalfDay)


@dataclass(frozen=True, slots=True)
class Bells:
    """The periods of some schools in the order of the day: those before each day on which they
    changed, and then those that stay."""

    by_school: Mapping[int, Mapping[date, tuple[BellPeriod, ...]]]

    def at(self, school_id: int, start: datetime) -> BellPeriod | None:
        """The period that begins at this wall-clock time, by the bells of its day."""
        known, minute = self.by_school.get(school_id, {}), minute_of(start)
        ringing = next((known[day] for day in known if start.date() < day), ())
        return next((bell for bell in ringing if bell.start == minute), None)

    def now(self, school_id: int) -> tuple[BellPeriod, ...]:
        return self.by_school.get(school_id, {}).get(STILL, ())


def find(db: Session, school_ids: Collection[int]) -> Bells:
    """One query; none for no school."""
    if not school_ids:
        return Bells({})
    return read(db.execute(select(rings(list(school_ids)))))


def rings(schools: Sequence[int] | Select[Any]) -> Subquery:
    """Every period of these schools, former ones too, to be joined by its `school_id`.

    They are chosen within: what is chosen from without, an engine first makes whole, and that is
    the bells of all programmes.
    """
    now, then = (
        select(*(table.c[name] for name in _COLUMNS), until.label("before_day")).where(
            table.c.school_id.in_(schools)
        )
        for table, until in (
            (periods, literal(STILL)),
            (former_periods, former_periods.c.before_day),
        )
    )
    return union_all(now, then).subquery("rings")


def read(rows: Iterable[Row[Any]]) -> Bells:
    """The bells in rows that have the columns of `rings`; those without a period are passed by."""
    found: dict[int, dict[date, list[BellPeriod]]] = {}
    for row in rows:
        if row.number is not None:
            bell = BellPeriod(HalfDay(row.half_day), row.number, row.start_minute, row.end_minute)
            found.setdefault(row.school_id, {}).setdefault(row.before_day, []).append(bell)
    return Bells(
        {
            school: {day: tuple(sorted(days[day], key=_in_day)) for day in sorted(days)}
            for school, days in found.items()
        }
    )


def _in_day(bell: BellPeriod) -> tuple[int, int, int]:
    return _HALF_DAYS.index(bell.half_day), bell.number, bell.start
