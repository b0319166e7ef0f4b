"""docs/benchmarks.md: what was promised, what was found, and everything else that was measured."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from bench.instances import CHECKOUT
from bench.kept import Result
from bench.parts import PARTS
from bench.promises import PROMISES, Promise
from bench.rows import NONE, Row, head, line

PAGE = CHECKOUT / "docs" / "benchmarks.md"
UNMEASURED = "not measured in this run"
BROKEN = "the part gave no such figure"
_COLUMNS = ("promise", "measured as", "found", "goal", "met", "beside", "measured", "in")


def page(found: Mapping[str, Result]) -> str:
    """All of it, from the results that go together."""
    lines = [(promise, *answer(promise, found)) for promise in PROMISES]
    rows = [row for _, row, _ in lines]
    return "".join(
        (
            "# Benchmarks\n\n",
            "Written by `python -m bench` (`make bench`); do not write in it by hand.\n\n",
            *_conditions(found),
            f"Of {len(rows)} promises {_share(rows)}\n\n",
            "Times are UTC.  What is beside a figure did the same in the same run.\n\n",
            "## What was promised\n",
            *_promised(lines),
            "\n## Everything that was measured\n",
            *(text for part in PARTS if part.name in found for text in _part(found[part.name])),
        )
    )


def answer(promise: Promise, found: Mapping[str, Result]) -> tuple[Row, str]:
    """The row that answers, of several the worst, and when it was measured."""
    result = found.get(promise.part)
    if result is None:
        return Row(NONE, UNMEASURED), NONE
    rows = [row for row in result.rows if row.key == promise.key]
    when = f"{result.began:%Y-%m-%d %H:%M}"
    if not rows:
        return Row(NONE, f"{BROKEN}; {result.fault}".rstrip("; "), met=False), when
    worst = max(rows, key=lambda row: (row.met is False, row.used))
    if len(rows) == 1:
        return worst, when
    kept_by = sum(row.met is not False for row in rows)
    return replace(worst, what=f"{worst.what} (the worst; {kept_by} of {len(rows)} meet it)"), when


def _share(rows: Sequence[Row]) -> str:
    met, missed = (sum(row.met is each for row in rows) for each in (True, False))
    open_ = sum(row.found == UNMEASURED for row in rows)
    told = len(rows) - met - missed - open_
    return (
        f"{met} are met, {missed} are missed, {open_} were not measured in this run; {told} are "
        "figures without a goal."
    )


def _conditions(found: Mapping[str, Result]) -> Iterator[str]:
    if not found:
        yield "Nothing has been measured on this machine.\n\n"
        return
    results = sorted(found.values(), key=lambda each: each.began)
    loops = sorted(each.loop for each in results)
    yield (
        f"Measured {results[0].began:%Y-%m-%d %H:%M} to {results[-1].began:%Y-%m-%d %H:%M} on "
        f"{results[0].machine}, shared with others: ten million additions in a loop took it "
        f"{loops[0]:.2f} to {loops[-1]:.2f} s.\n\n"
    )


def _promised(lines: Sequence[tuple[Promise, Row, str]]) -> Iterator[str]:
    """A table for each document, all of the same shape."""
    for source in dict.fromkeys(promise.source for promise, _, _ in lines):
        yield f"\n### {source}\n\n{head(_COLUMNS)}"
        for promise, row, when in lines:
            if promise.source == source:
                yield line((promise.words, *row.cells, when, f"`{promise.part}`"))


def _part(result: Result) -> Iterator[str]:
    yield f"\n### {result.part}\n\n`{result.command}`, {result.began:%Y-%m-%d %H:%M}, "
    yield f"{result.seconds:.0f} s; loop {result.loop:.2f} s, load {result.load:.1f} before it."
    yield f"  **It came to no end: {result.fault}.**\n\n" if result.fault else "\n\n"
    yield head()
    yield from (line(row.cells) for row in result.rows)
