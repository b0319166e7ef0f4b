"""A few words that people write beside what they do: on one line, and fit to be kept.  Pure."""

import unicodedata

from scheduler.errors import Text, text

LONGEST = 200
MOST_MARKS = 8  # on one letter; no language has more, and a thousand hide the lines around


def tidied(typed: str) -> str:
    """The words, their accents in one form and single spaces between them.

    A line break between them stays, for `fault` to refuse: where one line is asked for no browser
    sends one, and whoever does may mean to begin a line of a mail.
    """
    lines = unicodedata.normalize("NFC", typed).strip().splitlines()
    return "\n".join(" ".join(line.split()) for line in lines)


def joined(typed: str) -> str:
    """As `tidied`, the lines of a larger box made one."""
    return " ".join(tidied(typed).split())


def fault(words: str, most: int = LONGEST, *, needed: bool = True) -> Text | None:
    """What is wrong with tidied words."""
    if len(words) > most or (needed and not words):
        if needed:
            return text("Write 1 to {most} letters.", most=most)
        return text("Write at most {most} letters.", most=most)
    return unfit(words)


def unfit(words: str) -> Text | None:
    """Why tidied words, however many, are not kept; the databases cannot keep every sign."""
    if "\n" in words:
        return text("Write this on one line.")
    return None if storable(words) else text("This holds signs that cannot be stored.")


def storable(words: str) -> bool:
    """Whether every sign of a line can be kept and shown.

    Signs without width and those that turn the reading direction round do not print, either.
    """
    heap = 0
    for sign in words:
        heap = heap + 1 if unicodedata.combining(sign) else 0
        if heap > MOST_MARKS:
            return False
    return words.isprintable()
