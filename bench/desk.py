"""What the coordinators' pages cost, for the programme and for ten of its size.

`python -m bench.desk`.  The bigger programme is the example's workbooks ten times over, under other
names.  Times are the CPU of the process that serves, its client's few milliseconds with them;
weights are compressed, as sent.
"""

import io
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import httpx2
import openpyxl
import sqlalchemy as sa
from openpyxl.cell import Cell

from bench import scene, screenshots, tour
from bench.rows import NONE, Row, alone, at_most, peer
from scheduler import app
from scheduler.services import demo
from scheduler.services.context import Context
from scheduler.web import guard

TIMES = 3  # each page is asked for so often; the median counts
MATCHED = {1: 10.0, 10: 60.0}  # seconds of search
SPENT, WEIGHT = 300.0, 25.0  # milliseconds, kB
Workbook = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one page."""

    spent: float  # milliseconds of CPU
    queries: int
    weight: float  # kB, compressed


# -- a bigger programme


def multiplied(workbook: Workbook, times: int) -> Workbook:
    """Each row under a sheet's header so many times; codes, addresses and names are others'."""
    name, content = workbook
    book, made = openpyxl.load_workbook(io.BytesIO(content)), io.BytesIO()
    for sheet in book.worksheets:
        if sheet.title == "Học kỳ":
            continue
        rows = [list(row) for row in sheet.iter_rows()]
        top = next(n for n, row in enumerate(rows) if _filled(row) > len(row) // 2)
        header = [str(cell.value) for cell in rows[top]]
        body = [[cell.value for cell in row] for row in rows[top + 1 :] if _filled(row) > 2]
        sheet.delete_rows(top + len(body) + 2, len(rows))  # who counted and who signed
        for copy in range(1, times):
            for row in body:
                named = zip(header, row, strict=True)
                sheet.append([_other(title, value, copy) for title, value in named])
    book.save(made)
    return name, made.getvalue()


def _filled(row: Sequence[Cell]) -> int:
    return sum(cell.value is not None for cell in row)


def _other(title: str, value: object, copy: int) -> object:
    if not isinstance(value, str):
        return value
    if title in ("Mã trường", "Trường muốn hỗ trợ"):
        return value.replace("YB", f"Y{chr(ord('B') + copy)}")
    if title == "Email":
        return value.replace("@", f".{copy}@")
    if title in ("Tên trường", "Đơn vị công tác", "Họ và tên"):
        return f"{value} {chr(ord('A') + copy)}"
    return value


# -- its pages


def costs(folder: Path, times: int) -> dict[str, Cost]:
    """By the route's path."""
    workbooks = [multiplied(each, times) for each in demo.examples()]
    ctx = screenshots.prepare(folder, workbooks, MATCHED[times])
    seeds = scene.sow(ctx)
    with screenshots.served(ctx, beating=False):
        app.settle()  # as a process does that serves
        found = tour.plan(ctx, seeds)
        name = guard.cookie_name(ctx.settings, "sid")
        sent = {"cookie": f"{name}={found.cookies[scene.COORDINATOR]}"}
        with httpx2.Client(base_url=ctx.settings.base_url, headers=sent, timeout=300) as client:
            return {
                stop.path: _cost(ctx, client, stop.address)
                for stop in found.stops
                if stop.reader == scene.COORDINATOR and stop.path.startswith("/coordinator")
            }


def _cost(ctx: Context, client: httpx2.Client, address: str) -> Cost:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if not statement.startswith("BEGIN"):
            asked.append(statement)

    spent, weight, queries = [], 0, 0
    for engine in (ctx.database.reader, ctx.database.writer):
        sa.event.listen(engine, "before_cursor_execute", note)
    try:
        for _ in range(TIMES):
            asked.clear()
            began = time.process_time()
            with client.stream("GET", address) as answer:
                weight = sum(map(len, answer.iter_raw()))
            spent.append((time.process_time() - began) * 1000)
            queries = len(asked)
    finally:
        for engine in (ctx.database.reader, ctx.database.writer):
            sa.event.remove(engine, "before_cursor_execute", note)
    return Cost(median(spent), queries, weight / 1000)


def compared(small: dict[str, Cost], big: dict[str, Cost]) -> Iterator[Row]:
    """A page's cost at ten times the size, beside that at the programme's own."""
    for path, cost in sorted(big.items()):
        before = small.get(path)
        rows = (
            at_most(f"{path}: CPU", cost.spent, SPENT, "ms", key="big-spent"),
            at_most(f"{path}: weight", cost.weight, WEIGHT, "kB", key="big-weight"),
            at_most(f"{path}: queries", cost.queries, before.queries if before else cost.queries),
        )
        seen = (
            (f"{before.spent:.1f} ms", f"{before.weight:.1f} kB", f"{before.queries}")
            if before
            else (NONE,) * 3
        )
        for row, one in zip(rows, seen, strict=True):
            yield replace(row, beside=peer("one programme", one))


def slowest(found: dict[str, Cost], who: str, key: str) -> Iterator[Row]:
    """Of all the pages together, which is what people ask."""
    path, most = max(found.items(), key=lambda each: each[1].spent)
    over = sum(each.spent > SPENT for each in found.values())
    heavy = max(each.weight for each in found.values())
    yield at_most(f"{who}: slowest page, {path}", most.spent, SPENT, "ms", key=key, digits=0)
    what = f"{who}: pages over {SPENT:g} ms, of {len(found)}"
    yield at_most(what, over, 0, key=f"{key}-over")
    yield at_most(f"{who}: heaviest page", heavy, WEIGHT, "kB", key=f"{key}-weight")


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        small = costs(Path(name) / "one", 1)
        yield from slowest(small, "203 teachers", "one")
        big = costs(Path(name) / "ten", 10)
        yield from slowest(big, "ten times as many", "ten")
        yield from compared(small, big)


if __name__ == "__main__":
    sys.exit(alone(__doc__, rows))
