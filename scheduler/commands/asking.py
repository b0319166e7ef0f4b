"""A conversation on a terminal: questions one after the other, each answer checked at once."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from scheduler.errors import ChungTayError, Invalid, Text, text
from scheduler.locale import Language, translate
from scheduler.services.installing import Checked, sure

Answer = TypeVar("Answer", bound=Checked)


@dataclass
class Talk:
    """In whose language; `asks`: somebody is there to answer; `believes`: doubts are put aside."""

    language: Language
    asks: bool
    believes: bool

    def words(self, message: Text) -> str:
        return translate(message, self.language)

    def say(self, message: Text, **style: Any) -> None:
        click.secho(self.words(message), **style)

    def breathe(self) -> None:
        """A free line, between questions that somebody reads."""
        if self.asks:
            click.echo()

    def ask(
        self,
        question: Text,
        check: Callable[[str], Answer],
        *,
        given: str | None = None,
        default: str = "",
        shown: str | None = None,
    ) -> Answer:
        """The answer that passes: the one given on the command line, else what somebody types,
        the default at a bare Enter; `shown`: how the default reads.  What fails is said, and asked
        again; where nobody answers, it ends the program."""
        answer = given if given is not None or self.asks else default
        while True:
            if answer is None:
                answer = self._typed(question, default, default if shown is None else shown)
            try:
                return self._settled(check(answer))
            except ChungTayError as fault:
                self.say(fault.message, fg="yellow")
            if not self.asks:
                sys.exit(1)
            answer = None

    def secret(self, question: Text) -> str:
        """Typed without being shown."""
        return str(
            click.prompt(self.words(question), default="", show_default=False, hide_input=True)
        )

    def line(self, question: Text, default: str = "") -> str:
        return self._typed(question, default, default)

    def agrees(self, question: Text, *, usually: bool) -> bool:
        return not self.asks or bool(click.confirm(self.words(question), default=usually))

    def _typed(self, question: Text, default: str, shown: str) -> str:
        label = self.words(question) + (f" [{shown}]" if shown else "")
        return str(click.prompt(label, default=default, show_default=False))

    def _settled(self, found: Answer) -> Answer:
        if found.said is not None:
            self.say(found.said, fg="green")
        if found.doubt is None:
            return found
        if self.believes:
            self.say(found.doubt, fg="yellow")
        elif not self.asks:
            raise Invalid(found.doubt)
        else:
            self.say(found.doubt, fg="yellow")
            if not self.agrees(text("Keep this answer all the same?"), usually=False):
                raise Invalid(text("Then once more."))
        return sure(found)


def first_language(told: str, terminal: str) -> Language:
    """Of the setting, else of the terminal; Vietnamese where neither says."""
    if told in ("vi", "en"):
        return Language(told)
    return Language.EN if terminal.lower().startswith("en") else Language.VI
