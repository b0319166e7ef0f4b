"""Lines of the tables of bench.matching and bench.feeds, and what they are made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.changes import Answer
from bench.engine import Run
from bench.instances import Floor

NONE = "–"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table; `met` is None where there is no goal."""

    what: str
    ours: str
    goal: str = NONE
    met: bool | None = None
    floor: str = NONE
    greedy: str = NONE
    bound: str = NONE


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown."""
    lines = ["| what | greedy | prototype | proved bound | ours | goal | met |"]
    lines.append("|---|--:|--:|--:|--:|--:|---|")
    for row in rows:
        met = {None: "", True: "yes", False: "**no**"}[row.met]
        cells = (row.what, row.greedy, row.floor, row.bound, row.ours, row.goal, met)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def short_table(rows: Sequence[Row], floor: str) -> str:
    """The rows as Markdown, with a column for the floor alone."""
    lines = [f"| what | {floor} | ours | goal | met |", "|---|--:|--:|--:|---|"]
    for row in rows:
        met = {None: "", True: "yes", False: "**no**"}[row.met]
        lines.append(f"| {row.what} | {row.floor} | {row.ours} | {row.goal} | {met} |")
    return "\n".join(lines) + "\n"


def spread(found: Sequence[float]) -> str:
    """The median, and the least and the most."""
    if len(found) == 1:
        return f"{found[0]:,.0f}"
    return f"{median(found):,.0f} ({min(found):,.0f} – {max(found):,.0f})"


@dataclass(frozen=True, slots=True)
class Costs:
    """Searches of one instance for so many seconds, ours and the prototype's in turn."""

    label: str  # the instance and the seconds
    ours: Sequence[Run]
    floors: Sequence[Floor]
    absent: str  # why there are no floors

    @property
    def cost(self) -> float:
        return median(run.cost for run in self.ours)

    def floor(self, told: Callable[[Sequence[Floor]], str]) -> str:
        return told(self.floors) if self.floors else self.absent


def cost_row(found: Costs, goal: float | None, greedy: str = NONE, bound: float = 0) -> Row:
    return Row(
        what=f"{found.label}: cost",
        ours=spread([run.cost for run in found.ours]),
        goal=f"≤ {goal:,.0f}" if goal else NONE,
        met=found.cost <= goal if goal else None,
        floor=found.floor(lambda floors: spread([floor.cost for floor in floors])),
        greedy=greedy,
        bound=f"{bound:,.0f}" if bound > 0 else NONE,
    )


def taught_row(found: Costs, all_of_them: bool) -> Row:
    """The lessons taught by the seed with the fewest."""
    least = min(run.taught for run in found.ours)
    requested = found.ours[0].requested
    return Row(
        what=f"{found.label}: taught",
        ours=f"{least:,} / {requested:,}",
        goal="all" if all_of_them else NONE,
        met=least == requested if all_of_them else None,
        floor=found.floor(lambda floors: f"{min(floor.taught for floor in floors):,}"),
    )


def speed_row(found: Costs) -> Row:
    return Row(
        what=f"{found.label}: moves a second",
        ours=spread([run.moves_per_second for run in found.ours]),
        floor=found.floor(lambda floors: spread([floor.moves_per_second for floor in floors])),
    )


def memory_row(found: Costs, goal: float | None = None) -> Row:
    most = max(found.ours, key=lambda run: run.megabytes)
    return Row(
        what=f"{found.label}: most memory, all processes",
        ours=f"{most.megabytes:,.0f} MB ({most.read_megabytes:,.0f} MB to read the file)",
        goal=f"< {goal:,.0f} MB" if goal else NONE,
        met=most.megabytes < goal if goal else None,
        floor=found.floor(lambda floors: f"{max(floor.megabytes for floor in floors):,.0f} MB"),
    )


def change_row(name: str, answer: Answer) -> Row:
    return Row(
        f"{name}: {answer.what} ({answer.hit} lessons), first answer",
        f"{answer.milliseconds:.0f} ms; {answer.taught:,} of {answer.before:,} taught again, "
        f"{answer.other_teacher} by another teacher, {answer.other_time} lose their time",
        "≤ 150 ms",
        answer.milliseconds <= 150,
        floor="not whole",
    )
