"""The faults that the system must bear, and which tests make each of them happen.

A test says so itself: `@pytest.mark.fault(3, 13)`, wherever under tests/ it stands.  Who covers
what is read from the sources, so that a run of some tests can tell of all.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).parents[1]
FAULTS = {
    1: "worker killed after claim, before sending",
    2: "worker killed in mid-body",
    3: "worker killed after 250, before commit",
    4: "worker killed after commit",
    5: "kill -9 at random, again and again",
    6: "worker frozen past its lease, then resumed",
    7: "two full systems on one database",
    8: "wall clock +1 h, -1 h, to another century",
    9: "host asleep over the due times",
    10: "summer time, other zones, newer zone data",
    11: "relay refuses, says 421, or fails at TLS",
    12: "451 on MAIL, RCPT or after the dot",
    13: "reset before 354, in the body, after the dot",
    14: "relay accepts and hangs after the dot",
    15: "slow relay, answers byte by byte",
    16: "garbage or an answer without an end",
    17: "lesson cancelled or moved between claim and send",
    18: "the same plan published twice at once",
    19: "kill -9 at every statement of publish",
    20: "matching run killed, restarted; the old one wakes up",
    21: "many take the same teacher and time at once",
    22: "kill -9 at every statement of every migration",
    23: "migration while workers run",
    24: "database locked by another program",
    25: "PostgreSQL stopped and started again",
    26: "deadlock, serialization failure",
    27: "disk full",
    28: "write-ahead log grows behind a stuck reader",
    29: "truncated or bit-flipped database file",
    30: "restore of yesterday's backup",
    31: "backup while others write",
    32: "loop dies, process lives",
    33: "memory limit in an import or a search",
    34: "very many reminders due in one minute",
    35: "poison message",
    36: "SIGTERM while sending",
    37: "secret key changed while running",
    38: "24 hours at 60 times their speed",
}
MARK = "fault"


class Place(NamedTuple):
    """A test function: the file from the root of the project, and its name."""

    file: str
    name: str


@cache
def covering() -> Mapping[int, tuple[Place, ...]]:
    """The tests of each fault, by its number."""
    found: dict[int, list[Place]] = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        source = path.read_text()
        if f"mark.{MARK}(" in source:
            for number, name in _marked(source):
                found[number].append(Place(str(path.relative_to(TESTS.parent)), name))
    return {number: tuple(places) for number, places in found.items()}


def _marked(source: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            for number in _numbers(node.decorator_list):
                yield number, node.name


def _numbers(decorators: Sequence[ast.expr]) -> Iterator[int]:
    for each in decorators:
        if isinstance(each, ast.Call) and ast.unparse(each.func) == f"pytest.mark.{MARK}":
            yield from (ast.literal_eval(given) for given in each.args)


def table(outcomes: Mapping[Place, Sequence[str]]) -> Iterator[str]:
    """A line a fault: its number, what it is, how its tests did, and which they are."""
    for number, fault in FAULTS.items():
        places = covering().get(number, ())
        yield f"{number:>3}  {fault:52} {_verdict(places, outcomes)}"
        for place in places:
            yield f"       {place.file.removeprefix('tests/')}: {place.name}"


def _verdict(places: Sequence[Place], outcomes: Mapping[Place, Sequence[str]]) -> str:
    if not places:
        return "NO TEST"
    ran = [outcome for place in places for outcome in outcomes.get(place, ())]
    if any(outcome in ("failed", "error") for outcome in ran):
        return "FAILED"
    passed, left = ran.count("passed"), sum(place not in outcomes for place in places)
    said = [f"{passed} passed"] if passed else []
    said += [f"{ran.count('skipped')} skipped"] if "skipped" in ran else []
    said += [f"{left} not in this run"] if left else []
    return ", ".join(said)
