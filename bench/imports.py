"""What taking lists over costs: the three of the programme, and one of 20,000 rows; and what having
such a one marked costs the process that serves pages.

The processes that read files are counted in.
Memory is the most that this process, or one of those that read files, ever held.
"""

import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF

from openpyxl import Workbook, load_workbook

from bench.figures import children_seconds, prepared
from bench.rows import Row, alone, read
from scheduler.delivery.presses import State
from scheduler.domain.access import Role
from scheduler.exchange.grids import MOST_ROWS
from scheduler.services import accounts, demo, imports, marked, uploads
from scheduler.services.context import Context

TEACHERS = "giao-vien-tinh-nguyen.xlsx"
_MAIL, _HEADER = 4, 6  # the column with what makes a row another teacher's; the row of names
_PHONE = 5


def rows() -> Iterator[Row]:
    """Each in a process of its own: the most that was held never goes down again."""
    for name in FIGURES:
        done = subprocess.run(
            [sys.executable, "-m", "bench.imports", name], check=True, stdout=subprocess.PIPE
        )
        yield read(json.loads(done.stdout))


def three_lists() -> Row:
    return _measured("import of the three workbooks", (3, 150), demo.examples(), key="three")


def long_list() -> Row:
    """As many rows as a list may have, each a teacher of their own, set against what is there."""
    count, data = _long(dict(demo.examples())[TEACHERS])
    what, files = f"import of {count:,} teachers", [(TEACHERS, data)]
    return _measured(what, (20, 300), files, demo.examples(), key="long")


def marked_list() -> Row:
    """The long list with a doubtful telephone in each row: what it takes to order it marked, which
    the pages wait for, and until it is there."""
    count, data = _long(dict(demo.examples())[TEACHERS], phone=912345678)
    with tempfile.TemporaryDirectory() as name:
        ctx: Context = prepared(Path(name) / "bench")
        imports.import_files(ctx, demo.examples())
        accounts.add_user(ctx, demo.COORDINATOR, Role.COORDINATOR)
        actor = accounts.operator(ctx)
        upload = uploads.receive(ctx, actor, [(TEACHERS, data)])
        began, used = time.perf_counter(), time.process_time()
        marked.begin(ctx, actor, upload, 0)
        ordered = time.process_time() - used
        while marked.stand(ctx, actor, upload, 0).state is State.MAKING:
            time.sleep(0.2)
        size = marked.stand(ctx, actor, upload, 0).size / 1024 / 1024
        passed, spent = time.perf_counter() - began, time.process_time() - used
    found = f"{passed:.1f} s, {size:.1f} MB ({spent:.1f} s of CPU here, {ordered:.1f} to order it)"
    return Row(f"a list of {count:,} rows, marked", found, "≤ 30 s", passed <= 30)


FIGURES = {"three": three_lists, "long": long_list, "marked": marked_list}


def _measured(
    what: str,
    goal: tuple[float, float],
    files: Sequence[tuple[str, bytes]],
    before: Sequence[tuple[str, bytes]] = (),
    *,
    key: str,
) -> Row:
    """The goal: at most so many seconds and megabytes."""
    with tempfile.TemporaryDirectory() as name:
        ctx: Context = prepared(Path(name) / "bench")
        if before:
            imports.import_files(ctx, before)
        began, used = time.perf_counter(), time.process_time() + children_seconds()
        imports.import_files(ctx, files)
        spent = time.process_time() + children_seconds() - used
        passed = time.perf_counter() - began
    held = max(resource.getrusage(who).ru_maxrss for who in (RUSAGE_SELF, RUSAGE_CHILDREN)) / 1024
    return Row(
        what,
        f"{passed:.1f} s ({spent:.1f} s of CPU), {held:.0f} MB",
        f"≤ {goal[0]:g} s, {goal[1]:g} MB",
        passed <= goal[0] and held <= goal[1],
        key=key,
    )


def _long(data: bytes, phone: int | None = None) -> tuple[int, bytes]:
    """The list of teachers again and again, with addresses of their own, up to the last row."""
    sheet = load_workbook(io.BytesIO(data), read_only=True).worksheets[0]
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    some = [row for row in rows[_HEADER:] if row[0] is not None]
    book = Workbook(write_only=True)
    made = book.create_sheet(sheet.title)
    for row in rows[:_HEADER]:
        made.append(row)
    for number in range(MOST_ROWS - _HEADER):
        row = list(some[number % len(some)])
        row[0], row[_MAIL] = number + 1, f"n{number}.{row[_MAIL]}"
        row[_PHONE] = phone or row[_PHONE]
        made.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return MOST_ROWS - _HEADER, buffer.getvalue()


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in FIGURES:
        sys.stdout.write(json.dumps(asdict(FIGURES[sys.argv[1]]())))
    else:
        sys.exit(alone(__doc__, rows))
