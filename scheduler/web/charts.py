"""Figures as lines, bars, columns and a strip: numbers for an SVG that the template prints."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor, log10

from scheduler.domain.fairness import Share, Spread
from scheduler.domain.runs import Point

# Pictures are as narrow as a phone, so that their words can be read there without scrolling.
LEFT, RIGHT, TOP, BOTTOM = 48, 220, 16, 246  # of a picture of 330 × 284; words stand on the right
TICKS, TIMES = 5, 3
STEEP = 3  # times the last cost: what lies above is the first plan in the making, and is cut off
ROW, BAR_LEFT, BAR_WIDTH = 34, 0, 300  # of a bar, below its words, in a picture 300 wide
LOWEST_SHOWN = 5  # bars below the middle that stand out
STEP, COLUMN_HEIGHT = 28, 140  # of columns in a picture 316 × 196
WIDE, MARGIN, TALL, GAP, HEAD = 1000, 24, 19, 22, 20  # of a day's strip; an hour line every 60 min
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
    low, high = _range(history)
    span = max(seconds, history[-1].elapsed, 0.1)

    def x(elapsed: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * elapsed / span, 1)

    def y(cost: float) -> float:
        share = min(1.0, max(0.0, (cost - low) / (high - low)))
        return round(BOTTOM - (BOTTOM - TOP) * share, 1)

    above = sum(p.cost > high for p in history)
    end = x(history[-1].elapsed), y(history[-1].cost)
    floor_at = y(proved[-1].bound) if proved else float(BOTTOM)
    return Course(
        cost=_path((x(p.elapsed), y(p.cost)) for p in history[max(0, above - 1) :]),
        bound=_path((x(p.elapsed), y(p.bound)) for p in _from_the_start(proved)),
        end=end,
        floor=floor_at,
        roomy=bool(proved) and floor_at - end[1] > ROOM,
        seconds=tuple(Tick(x(value), value) for value in _steps(0, span, TIMES)),
        costs=tuple(Tick(y(value), value) for value in _steps(low, high)),
    )


def _range(history: Sequence[Point]) -> tuple[float, float]:
    """What the upright axis spans, with a little air below the lower curve."""
    low = min(p.bound or p.cost for p in history)
    highest, last = max(p.cost for p in history), history[-1].cost
    high = max(min(highest, STEEP * last), low + 1)
    return max(0.0, low - (high - low) / 12), high


def _from_the_start(proved: Sequence[Point]) -> Sequence[Point]:
    """What is proved at the end only was true all along."""
    return (replace(proved[0], elapsed=0.0), proved[0]) if len(proved) == 1 else proved


def _path(points: Iterator[tuple[float, float]]) -> str:
    steps = " L".join(f"{x:g} {y:g}" for x, y in points)
    return f"M{steps}" if steps else ""


def _steps(low: float, high: float, most: int = TICKS) -> Iterator[float]:
    """Round numbers from low to high, about so many of them."""
    raw = (high - low) / most
    size = 10.0 ** floor(log10(raw))
    step = next(size * n for n in (1, 2, 5, 10) if size * n >= raw)
    n = -floor(-low / step)
    while n * step <= high:
        yield round(n * step, 6)
        n += 1


# -- who has how much of what was due


@dataclass(frozen=True, slots=True)
class Bar:
    """One share; `low`: one of the smallest, below the middle."""

    share: Share
    y: int
    width: float
    low: bool


@dataclass(frozen=True, slots=True)
class Bars:
    """Shares one below the other, the smallest first, and where their middle stands across."""

    bars: tuple[Bar, ...]
    height: int
    middle: float


def bars(spread: Spread) -> Bars | None:
    """None while nothing was due to anybody."""
    known = [share for share in spread.shares if share.ratio is not None]
    middle = spread.middle
    if middle is None:
        return None
    made = tuple(
        Bar(share, 4 + n * ROW, _across(share.ratio), n < LOWEST_SHOWN and share.ratio < middle)
        for n, share in enumerate(known)
        if share.ratio is not None
    )
    return Bars(made, len(made) * ROW, BAR_LEFT + _across(middle))


def _across(ratio: Fraction) -> float:
    return round(float(min(ratio, Fraction(1))) * BAR_WIDTH, 1)


@dataclass(frozen=True, slots=True)
class Column:
    """How many have from `least` per cent on, in steps of ten; 100: all that was due, or more."""

    least: int
    count: int
    x: int
    y: float
    height: float

    @property
    def low(self) -> bool:
        return self.least < 50


def columns(ratios: Iterable[Fraction]) -> tuple[Column, ...]:
    counts = dict.fromkeys(range(0, 101, 10), 0)
    for ratio in ratios:
        counts[min(100, int(ratio * 10) * 10)] += 1
    most = max(counts.values()) or 1
    made = []
    for n, (least, count) in enumerate(counts.items()):
        height = round(COLUMN_HEIGHT * count / most, 1)
        made.append(Column(least, count, n * STEP, round(20 + COLUMN_HEIGHT - height, 1), height))
    return tuple(made)


# -- the lessons of a day


@dataclass(frozen=True, slots=True)
class Block:
    """A lesson in the strip: where it begins and how wide it is, and how far down it lies."""

    x: float
    width: float
    y: int

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 1)


@dataclass(frozen=True, slots=True)
class Strip:
    """A day from its first hour to its last.  `now`: where the present minute is, None: outside;
    `bars` in the order of the spans; `foot`: where the hours are written."""

    hours: tuple[Tick, ...]
    bars: tuple[Block, ...]
    now: float | None
    foot: int


def strip(spans: Sequence[tuple[int, int]], now: int) -> Strip:
    """Spans in minutes of the day, sorted by their beginning, none empty; those at the same time
    lie below each other."""
    first = min(start for start, _ in spans) // 60
    last = max(first + 1, -(-max(end for _, end in spans) // 60))

    def x(minute: float) -> float:
        share = (minute - first * 60) / ((last - first) * 60)
        return round(MARGIN + (WIDE - 2 * MARGIN) * share, 1)

    lanes: list[int] = []  # until when each is taken
    bars = []
    for start, end in spans:
        lane = next((n for n, until in enumerate(lanes) if until <= start), len(lanes))
        lanes[lane : lane + 1] = [end]
        bars.append(Block(x(start), round(x(end) - x(start), 1), HEAD + lane * GAP))
    return Strip(
        hours=tuple(Tick(x(hour * 60), hour) for hour in range(first, last + 1)),
        bars=tuple(bars),
        now=x(now) if first * 60 <= now <= last * 60 else None,
        foot=HEAD + len(lanes) * GAP,
    )


# -- columns side by side, each of heaps one on the other


@dataclass(frozen=True, slots=True)
class Heap:
    """A heap of a column; `kind`: its number among the heaps."""

    kind: int
    x: float
    y: float
    wide: float
    high: float


@dataclass(frozen=True, slots=True)
class Heaps:
    """`middles`: of the columns, `tops`: where the number above each stands; `every`: how many
    columns share one name, that of the first; `words`: where those of each heap stand, below."""

    blocks: tuple[Heap, ...]
    middles: tuple[float, ...]
    tops: tuple[float, ...]
    values: tuple[Tick, ...]
    every: int
    words: tuple[float, ...]


LINE = 18  # px between two words
HEAPS_LEFT, HEAPS_RIGHT, HEAPS_FOOT = 36, 318, 290  # of a picture of 320 × 334
NAME = 56  # px that the name of a column takes


def heaped(heaps: Sequence[Sequence[int]]) -> Heaps | None:
    """Columns of as many heaps each, from below; None where there is nothing to see."""
    high = max((sum(each) for each in heaps), default=0)
    if not high:
        return None
    room = (HEAPS_RIGHT - HEAPS_LEFT) / len(heaps)
    wide = min(64.0, room * 0.7)
    scale = (BOTTOM - TOP - LINE) / high
    blocks, middles, tops = [], [], []
    for number, column in enumerate(heaps):
        middle, foot = HEAPS_LEFT + room * (number + 0.5), float(BOTTOM)
        for kind, value in enumerate(column):
            foot -= value * scale
            if value:
                block = Heap(kind, middle - wide / 2, foot, wide, value * scale)
                blocks.append(_rounded(block))
        middles.append(round(middle, 1))
        tops.append(round(foot - 5, 1))
    values = tuple(Tick(round(BOTTOM - value * scale, 1), value) for value in _steps(0, high))
    words = tuple(float(HEAPS_FOOT + LINE * kind) for kind in range(len(heaps[0])))
    every = ceil(NAME / room)
    return Heaps(tuple(blocks), tuple(middles), tuple(tops), values, every, words)


def _rounded(block: Heap) -> Heap:
    sizes = (round(each, 1) for each in (block.x, block.y, block.wide, block.high))
    return Heap(block.kind, *sizes)
