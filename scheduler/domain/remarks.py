"""A few words that people write beside what they do: on one line, and fit to be kept.  Pure."""

from scheduler.errors import Text, text

LONGEST = 200


def tidied(typed: str) -> str:
    """The words on one line."""
    return " ".join(typed.split())


def fault(words: str, most: int = LONGEST, *, needed: bool = True) -> Text | None:
    """What is wrong with tidied words; the databases cannot keep every sign."""
    if len(words) > most or (needed and not words):
        if needed:
            return text("Write 1 to {most} letters.", most=most)
        return text("Write at most {most} letters.", most=most)
    return None if words.isprintable() else text("This holds signs that cannot be stored.")
