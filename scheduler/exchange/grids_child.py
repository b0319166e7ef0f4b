"""The process that reads a stranger's workbook, CSV or calendar: little time, little memory.

`grids` starts it; its output is the filled cells in JSON, or a sentence of `refusals`.
"""

from typing import Any

from scheduler.exchange import (
    archives,
    child,
    closed_days,
    csvs,
    grids,
    instance_sheets,
    refusals,
)
from scheduler.exchange.faults import UnreadableError
from scheduler.exchange.grids import Grid

CPU_SECONDS = 20
MEMORY = 512 * 1024 * 1024


def main() -> None:
    child.confine(CPU_SECONDS, MEMORY)
    child.answer(_answer(*child.given()))


def _answer(order: dict[str, Any], data: bytes) -> dict[str, Any]:
    try:
        return grids.packed(_grids(data, called_workbook=order["workbook"]))
    except UnreadableError as error:
        return grids.trouble(error)


def _grids(data: bytes, *, called_workbook: bool) -> tuple[Grid, ...]:
    if archives.is_workbook(data):
        return archives.grids(data)
    if closed_days.is_calendar(data):
        return (closed_days.grid(data),)
    if instance_sheets.is_instance(data):
        return instance_sheets.grids(data)
    found = csvs.grid(data)
    if called_workbook:
        raise refusals.error(refusals.RENAMED)
    return (found,)


if __name__ == "__main__":
    main()
