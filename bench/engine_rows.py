"""Lines of the table that come of bench.matching, and what they are made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.engine import Run
from bench.instances import Floor
from bench.rows import NONE, Row, peer, spread


@dataclass(frozen=True, slots=True)
class Costs:
    """Searches of one instance for so many seconds, ours and the prototype's in turn."""

    label: str  # the instance and the seconds
    key: str
    ours: Sequence[Run]
    floors: Sequence[Floor]
    absent: str  # why there are no floors

    @property
    def cost(self) -> float:
        return median(run.cost for run in self.ours)

    def floor(self, told: Callable[[Sequence[Floor]], str]) -> tuple[tuple[str, str], ...]:
        return peer("prototype", told(self.floors) if self.floors else self.absent)


def cost_row(found: Costs, goal: float | None, greedy: str = NONE, bound: float = 0) -> Row:
    return Row(
        what=f"{found.label}: cost",
        found=spread([run.cost for run in found.ours]),
        goal=f"≤ {goal:,.0f}" if goal else NONE,
        met=found.cost <= goal if goal else None,
        beside=(
            *found.floor(lambda floors: spread([floor.cost for floor in floors])),
            *peer("greedy", greedy),
            *peer("proved bound", f"{bound:,.0f}" if bound > 0 else NONE),
        ),
        key=f"{found.key}-cost",
    )


def taught_row(found: Costs, all_of_them: bool) -> Row:
    """The lessons taught by the seed with the fewest."""
    least = min(run.taught for run in found.ours)
    requested = found.ours[0].requested
    return Row(
        what=f"{found.label}: taught",
        found=f"{least:,} / {requested:,}",
        goal="all" if all_of_them else NONE,
        met=least == requested if all_of_them else None,
        beside=found.floor(lambda floors: f"{min(floor.taught for floor in floors):,}"),
        key=f"{found.key}-taught",
    )


def speed_row(found: Costs) -> Row:
    return Row(
        what=f"{found.label}: moves a second",
        found=spread([run.moves_per_second for run in found.ours]),
        beside=found.floor(lambda floors: spread([floor.moves_per_second for floor in floors])),
    )


def memory_row(found: Costs, goal: float | None = None) -> Row:
    most = max(found.ours, key=lambda run: run.megabytes)
    return Row(
        what=f"{found.label}: most memory, all processes",
        found=f"{most.megabytes:,.0f} MB ({most.read_megabytes:,.0f} MB to read the file)",
        goal=f"< {goal:,.0f} MB" if goal else NONE,
        met=most.megabytes < goal if goal else None,
        beside=found.floor(lambda floors: f"{max(floor.megabytes for floor in floors):,.0f} MB"),
        key=f"{found.key}-memory",
    )
