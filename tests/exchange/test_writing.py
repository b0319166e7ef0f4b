"""What we write for spreadsheets is never a formula, and reads back as it was."""

import csv
import io
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scheduler.exchange import archives, cells, csvs, words, writing
from tests.effort import examples

FORMULAS = "=+-@\t\r＝＋－＠"
# Texts as people type them, and as somebody who means harm types them.
TEXTS = st.one_of(
    st.text(max_size=30),
    st.builds(
        "".join, st.tuples(st.sampled_from(["'", "''", " ", "\n", "\v", "\0", ""]), st.text())
    ),
    st.builds(
        "".join,
        st.tuples(st.sampled_from(["", "'", "''", "\x01"]), st.sampled_from(FORMULAS), st.text()),
    ),
    st.text(st.sampled_from(FORMULAS + "'= \0\n\ufffe\ud800x1"), max_size=8),
)
HOSTILE = [
    '=HYPERLINK("http://x","y")',
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    "+84 912 345 678",
    "'=1+1",
    "=cmd|'/C calc'!A0",
]


def meant(said: str) -> str:
    """The text that a reader of the house understands, without a spreadsheet in between."""
    kept = (c if c.isprintable() else " " if c.isspace() else "" for c in said)
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())


def in_workbook(*texts: str) -> list[object]:
    """The first cells of rows of a workbook that we wrote, as openpyxl finds them."""
    data = writing.tables_workbook([("Tên", ["Tên"], [["x", text] for text in texts])])
    return [row[1] if len(row) > 1 else None for _, row in archives.grids(data)[0].rows[1:]]


def in_csv(*texts: str) -> list[object]:
    data = writing.csv_table(["Họ và tên", "Email"], [["x", text] for text in texts])
    return [row[1] if len(row) > 1 else None for _, row in csvs.grid(data).rows[1:]]


@given(st.lists(TEXTS, min_size=1, max_size=5))
@example(HOSTILE)
@settings(max_examples=examples(150))
def test_any_text_survives_the_way_out_and_in(texts: list[str]) -> None:
    for found in (in_workbook(*texts), in_csv(*texts)):
        assert [words.written("" if cell is None else cell) for cell in found] == [
            meant(text) for text in texts
        ]


@given(TEXTS)
@example("\x01=1+1")
@example("\ud800+1")
@settings(max_examples=examples(150))
def test_no_cell_that_we_write_begins_as_a_formula(said: str) -> None:
    table = writing.csv_table([said], [[said]]).decode("utf-8-sig")
    [heading], [cell] = csv.reader(io.StringIO(table, newline="")) if said.strip() else [["x"]] * 2
    for written in (heading, cell, *map(str, in_workbook(said))):
        assert not written.startswith(tuple(FORMULAS))


@pytest.mark.parametrize("said", HOSTILE)
def test_text_like_a_formula_has_a_mark_before_it(said: str) -> None:
    [found] = in_workbook(said)
    assert str(found).startswith("'")
    assert words.written(found) == meant(said)


@pytest.mark.parametrize("said", ["+84912345678", "+84 912 345 678", "(+84) 912-345-678"])
def test_telephone_survives_the_round_trip(said: str) -> None:
    for [found] in (in_workbook(said), in_csv(said)):
        assert cells.phone(found) == said
