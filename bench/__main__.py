"""Every figure that the documents promise, in one table: `python -m bench`.

Prints the table as it grows, and writes docs/benchmarks.md at the end.  What each part found is
kept in build/bench, so that a run in parts, on one machine within a day, comes together: the table
says when each figure was measured, and which were not.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import kept, parts, report
from bench.instances import CHECKOUT
from bench.kept import Result
from bench.parts import Part
from bench.rows import Row, head, line, read, tell


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    names = ", ".join(part.name for part in parts.PARTS)
    parser.add_argument("--only", default="", metavar="PARTS", help=f"some of: {names}")
    parser.add_argument("--report", action="store_true", help="measure nothing; write the table")
    parser.add_argument("--beside", metavar="FOLDER", help="for bench.matching: see its --help")
    parser.add_argument("--to", type=Path, default=report.PAGE, metavar="FILE")
    asked = parser.parse_args(arguments)
    try:
        asked.parts = parts.chosen([name for name in asked.only.split(",") if name])
    except KeyError as error:
        parser.error(f"there is no part {error.args[0]}")
    return asked


def run(some: Sequence[Part], beside: str | None) -> None:
    """Each after the other; what one found is kept before the next begins."""
    before = kept.everything()
    left = [before[part.name].seconds if part.name in before else part.guess for part in some]
    sys.stdout.write(head())
    for number, part in enumerate(some):
        minutes, all_minutes = left[number] / 60, sum(left[number:]) / 60
        tell(f"{part.name}: about {minutes:.0f} min, all that is left about {all_minutes:.0f} min")
        result = _run(part, beside)
        kept.write(result)
        missed = sum(row.met is False for row in result.rows)
        told = result.fault or f"{len(result.rows)} figures, {missed} beside their goal"
        tell(f"{part.name}: {told}, {result.seconds:.0f} s")


def _run(part: Part, beside: str | None) -> Result:
    loop, load, began = kept.loop_seconds(), os.getloadavg()[0], datetime.now(UTC)
    clock, rows = time.monotonic(), []
    command = part.started(beside)
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
        for row in _rows(process):
            rows.append(row)
            sys.stdout.write(line(row.cells))
            sys.stdout.flush()
    fault = f"it ended with {process.returncode}" if process.returncode else ""
    seconds = time.monotonic() - clock
    machine = kept.this_machine()
    return Result(part.name, part.command, began, seconds, loop, load, machine, tuple(rows), fault)


def _rows(process: "subprocess.Popen[str]") -> Iterator[Row]:
    assert process.stdout is not None
    for told in process.stdout:
        if told.startswith("{"):
            yield read(json.loads(told))


def main() -> int:
    asked = parsed()
    try:
        if not asked.report:
            run(asked.parts, asked.beside)
    except KeyboardInterrupt:
        tell("stopped: what the parts before this one found is kept")
    page = report.page(kept.together(kept.everything().values(), kept.this_machine()))
    asked.to.write_text(page)
    tell(f"written: {asked.to.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
