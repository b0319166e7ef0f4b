"""What can go wrong for a reader, in a sentence that the edge translates."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence by its English msgid, with the values that fill its {places}.

    Who shows it translates it: see `scheduler.locale`.  A value may itself be a Text.
    """

    msgid: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.msgid.format(**self.values)


def text(msgid: str, /, **values: object) -> Text:
    """A sentence for a reader; the catalogue extractor looks for this name."""
    return Text(msgid, values)


class ChungTayError(Exception):
    """Base of every error that a person may read."""

    def __init__(self, message: Text | str) -> None:
        self.message = message if isinstance(message, Text) else Text(message)
        super().__init__(str(self.message))


class NotFound(ChungTayError):
    """There is no such thing, or the asker may not know that there is."""


class NoTerm(NotFound):
    """A programme without a term: its coordinators send the lists in first."""


class NotAllowed(ChungTayError):
    """The asker may see it, and may not do this to it."""


class Conflict(ChungTayError):
    """It clashes with what is already there."""


class Stale(Conflict):
    """It changed while the asker was looking."""


class Busy(ChungTayError):
    """The database did not answer in time; the same call may go through later."""


class Full(Busy):
    """No room is left to write; what is there can be read."""


class TooMany(ChungTayError):
    """It was tried too often; `retry_after` seconds from now it may be tried again."""

    def __init__(self, message: Text | str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of an input: where it is, and the sentence about it."""

    where: Text
    what: Text

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class Invalid(ChungTayError):
    """The input cannot be taken; `problems` holds all faults found, `fields` them by form field."""

    def __init__(
        self,
        message: Text | str,
        problems: tuple[Problem, ...] = (),
        fields: Mapping[str, Text] | None = None,
    ) -> None:
        super().__init__(message)
        self.problems = problems
        self.fields = dict(fields or {})
