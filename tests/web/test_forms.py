"""Fields of forms become values, or sentences about what to write instead."""

from datetime import date

import pytest
from starlette.datastructures import FormData

from scheduler.domain.people import Level
from scheduler.errors import Invalid
from scheduler.locale import Language, translate
from scheduler.web.forms import Fields, read_day


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("02/10/2023", date(2023, 10, 2)),
        (" 2/10/2023 ", date(2023, 10, 2)),
        ("02.10.2023", date(2023, 10, 2)),
        ("2-1-2024", date(2024, 1, 2)),
        ("29/02/2024", date(2024, 2, 29)),
    ],
)
def test_days_are_read_day_first(typed, day):
    assert read_day(typed) == day


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("31/09/2023", "Month 9 has only 30 days. Write for example 30/09/2023."),
        ("29/02/1900", "Write the day like this: 02/10/2023."),
        ("30/02/2026", "Month 2 has only 28 days. Write for example 28/02/2026."),
    ],
)
def test_a_day_that_is_not_there_is_explained(typed, sentence):
    assert translate(read_day(typed), Language.EN) == sentence


@pytest.mark.parametrize(
    "typed",
    ["", "2023-10-02", "00/00/0000", "1/13/2023", "0/1/2023", "31/12/9999", "1/1/23", "1/1/2023x",
     "٠١/٠١/٢٠٢٣", "x" * 10000],
)  # fmt: skip
def test_what_is_no_day_gets_an_example(typed):
    assert str(read_day(typed)) == "Write the day like this: 02/10/2023."


@pytest.mark.parametrize("typed", ["", "x", "-1", "1e3", "1.5", "7", "٣", "9" * 5000, "true"])
def test_a_number_outside_its_bounds_is_a_fault(typed):
    fields = Fields(FormData([("n", typed)]))
    assert fields.number("n", 1, 6) == 1
    assert list(fields.errors) == ["n"]


def test_text_is_tidied_and_counted():
    fields = Fields(FormData([("a", "  Lo\u0302p  7A\n"), ("b", "x" * 201), ("c", "a\u202eb"),
                              ("d", " "), ("e", "Lớp\r\n7A")]))  # fmt: skip
    assert fields.text("a") == "Lôp 7A"
    assert [fields.text(name) for name in "bcde"] == ["", "", "", ""]
    assert sorted(fields.errors) == ["b", "c", "d", "e"]
    assert str(fields.errors["e"]) == "Write this on one line."
    assert fields.lines("e") == "Lớp 7A"
    assert fields.text("d", needed=False) == ""


def test_choices_are_by_name_and_no_other():
    fields = Fields(FormData([("level", "primary"), ("other", "PRIMARY"), ("x", "y")]))
    assert fields.choice("level", Level) is Level.PRIMARY
    assert fields.choice("other", Level) in Level
    assert fields.one_of("x", ["a", "b"]) == ""
    assert sorted(fields.errors) == ["other", "x"]


def test_all_faults_are_told_at_once():
    fields = Fields(FormData([]))
    fields.text("name")
    fields.day("day")
    with pytest.raises(Invalid) as raised:
        fields.check()
    assert sorted(raised.value.fields) == ["day", "name"]
    Fields(FormData([])).check()
