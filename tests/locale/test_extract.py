"""What counts as a sentence for a reader, and what does not."""

from io import BytesIO

import pytest

from scheduler.locale.extract import from_code


def sentences(code: str) -> list[str | tuple[str, str]]:
    return [message for _, _, message, _ in from_code(BytesIO(code.encode()), (), (), {})]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('from scheduler.errors import text\ntext("One {n}", n=1)', ["One {n}"]),
        ('from scheduler.errors import NotFound\nraise NotFound("No such class.")',
         ["No such class."]),
        ('from scheduler import errors\nerrors.Stale("It " "changed.")', ["It changed."]),
        ('_("Home")', ["Home"]),
        ('catalogue.ngettext("{n} day", "{n} days", n)', [("{n} day", "{n} days")]),
    ],
)  # fmt: skip
def test_a_sentence_is_found(code: str, found: list[str]) -> None:
    assert sentences(code) == found


@pytest.mark.parametrize(
    "code",
    [
        'from sqlalchemy import text\ntext("SELECT 1")',
        'import sqlalchemy as sa\nsa.text("SELECT 1")',
        "from scheduler.errors import text\ntext(sentence)",
        'class Invalid(Exception): ...\nraise Invalid("not ours")',
        'print("hello")',
    ],
)
def test_what_nobody_reads_is_left(code: str) -> None:
    assert sentences(code) == []
