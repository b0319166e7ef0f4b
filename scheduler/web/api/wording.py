"""Sentences inside of answers, in the language of whoever asks."""

from scheduler.domain.access import Actor
from scheduler.errors import Text
from scheduler.locale import Language, translate


def said(words: Text, actor: Actor) -> str:
    return translate(words, Language(actor.language))


def told(words: Text | None, actor: Actor) -> str | None:
    """The same where there may be none."""
    return said(words, actor) if words else None
