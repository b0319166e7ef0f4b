"""The course of a run as lines on paper: numbers for an SVG that the template prints."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import floor, log10

from scheduler.domain.runs import Point

WIDTH, HEIGHT = 760, 284
LEFT, RIGHT, TOP, BOTTOM = 64, 600, 16, 246
TICKS = 5
ROOM = 34  # px between two curves that leave a place for words


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    value: float


@dataclass(frozen=True, slots=True)
class Course:
    """Cost and bound over time; `bound` is empty while nothing is proved.

    `end` is where the cost stands at last, `floor` the height of the bound there, `roomy` whether
    words fit between them.
    """

    cost: str
    area: str
    bound: str
    end: tuple[float, float]
    floor: float
    roomy: bool
    seconds: tuple[Tick, ...]
    costs: tuple[Tick, ...]


def course(history: Sequence[Point], seconds: float) -> Course | None:
    """A history drawn over an axis of so many seconds; None before there are two points."""
    if len(history) < 2:
        return None
    proved = [p for p in history if p.bound > 0]
    low, high = _range(history, proved)
    span = max(seconds, history[-1].elapsed)

    def x(elapsed: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * elapsed / span, 1)

    def y(cost: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * (cost - low) / (high - low), 1)

    cost = _path((x(p.elapsed), y(p.cost)) for p in history)
    end = x(history[-1].elapsed), y(history[-1].cost)
    floor_at = y(proved[-1].bound) if proved else float(BOTTOM)
    return Course(
        cost=cost,
        area=f"{cost} L{end[0]:g} {BOTTOM} L{x(history[0].elapsed):g} {BOTTOM}z",
        bound=_path((x(p.elapsed), y(p.bound)) for p in proved),
        end=end,
        floor=floor_at,
        roomy=bool(proved) and floor_at - end[1] > ROOM,
        seconds=tuple(Tick(x(value), value) for value in _steps(0, span)),
        costs=tuple(Tick(y(value), value) for value in _steps(low, high)),
    )


def _range(history: Sequence[Point], proved: Sequence[Point]) -> tuple[float, float]:
    """What the upright axis spans, with a place for words below the lower curve."""
    high = max(p.cost for p in history)
    low = min((p.bound if p.bound > 0 else p.cost) for p in (*history, *proved))
    high = max(high, low + 1)
    return max(0.0, low - (high - low) / 8), high


def _path(points: Iterator[tuple[float, float]]) -> str:
    steps = " L".join(f"{x:g} {y:g}" for x, y in points)
    return f"M{steps}" if steps else ""


def _steps(low: float, high: float) -> Iterator[float]:
    """Round numbers from low to high, about five of them."""
    raw = (high - low) / TICKS
    size = 10.0 ** floor(log10(raw))
    step = next(size * n for n in (1, 2, 5, 10) if size * n >= raw)
    n = -floor(-low / step)
    while n * step <= high:
        yield round(n * step, 6)
        n += 1
