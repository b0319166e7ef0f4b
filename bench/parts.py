"""The parts of the bench, each a program of its own that can be run alone."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from bench.rows import JSON


@dataclass(frozen=True, slots=True)
class Part:
    """`guess`: seconds that it takes, until a run has told."""

    name: str
    module: str
    guess: float
    arguments: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """As a person types it."""
        return " ".join(("python -m", self.module, *self.arguments))

    def started(self, beside: str | None) -> list[str]:
        """The same, each line as JSON; `beside`: where the engine's prototype lies."""
        more = ("--beside", beside) if beside and self.module == "bench.matching" else ()
        return [sys.executable, "-m", self.module, *self.arguments, *more, JSON]


# The engine's by the minutes that their searches are given.
_ENGINE_MINUTES = {
    "programme": 5, "scale1": 20, "tight": 4, "scale10": 9, "scale100": 30, "replan": 1,
    "substitutes": 1, "reasons": 1, "same": 1, "workers": 5,
}  # fmt: skip

PARTS: tuple[Part, ...] = (
    Part("starting", "bench.starting", 60),
    Part("figures", "bench.figures", 60),
    Part("imports", "bench.imports", 90),
    Part("feeds", "bench.feeds", 150),
    Part("mail", "bench.mail", 40),
    Part("writing", "bench.writing", 60),
    Part("outbox.ratio", "bench.outbox", 90, ("--part", "ratio")),
    Part("outbox.storm", "bench.outbox", 240, ("--part", "storm")),
    Part("outbox.flood", "bench.outbox", 480, ("--part", "flood")),
    Part("changes", "bench.changes", 60),
    Part("records", "bench.records", 60),
    Part("sign_in", "bench.sign_in", 90),
    Part("pages", "bench.pages", 180),
    Part("desk", "bench.desk", 400),
    Part("programmes", "bench.programmes", 900),
    *(
        Part(f"matching.{name}", "bench.matching", _ENGINE_MINUTES[name] * 60, ("--only", name))
        for name in _ENGINE_MINUTES
    ),
)


def chosen(names: Sequence[str]) -> list[Part]:
    """The parts of those names; `matching` means all of its parts.  Raises KeyError."""
    for name in names:
        if not any(_means(name, part) for part in PARTS):
            raise KeyError(name)
    return [part for part in PARTS if not names or any(_means(name, part) for name in names)]


def _means(name: str, part: Part) -> bool:
    return part.name == name or part.name.startswith(f"{name}.")
