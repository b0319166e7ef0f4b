"""A sentence, a number, a day in the reader's language."""

from datetime import UTC, date, datetime, time

import pytest

from scheduler.errors import Stale, Text, text
from scheduler.locale import DEFAULT, LANGUAGES, Language, translate, translations

VI, EN = Language.VI, Language.EN


def test_vietnamese_comes_first() -> None:
    assert (LANGUAGES, DEFAULT) == (("vi", "en"), "vi")


def test_a_sentence_is_translated_with_its_places_filled() -> None:
    sentence = text("Morning period {number}", number=2)
    assert translate(sentence, VI) == "Sáng tiết 2"
    assert translate(sentence, EN) == "Morning period 2"


def test_a_sentence_inside_a_sentence_is_translated_too() -> None:
    sentence = text("in {length}", length=text("Morning period {number}", number=1))
    assert translate(sentence, VI) == "còn Sáng tiết 1"


def test_the_message_of_an_error_is_translated() -> None:
    assert translate(Stale("Morning").message, VI) == "Sáng"


def test_an_unknown_sentence_stays_as_it_is() -> None:
    assert translate("Never said {anywhere}", VI) == "Never said {anywhere}"
    assert translate("", VI) == ""


def test_a_place_without_a_value_does_not_break_the_page() -> None:
    assert translate(Text("Never {said} {here}", {"said": "x"}), VI) == "Never x {here}"


def test_braces_in_a_value_are_only_letters() -> None:
    assert translate(text("in {length}", length="{length}"), EN) == "in {length}"


@pytest.mark.parametrize(
    ("value", "vi", "en"),
    [
        (999, "999", "999"),
        (2025, "2.025", "2,025"),
        (-1234567, "-1.234.567", "-1,234,567"),
        (1234.5, "1.234,5", "1,234.5"),
        (0.125, "0,12", "0.12"),
        (3.0, "3", "3"),
        (date(2023, 10, 2), "02/10/2023", "02/10/2023"),
        (datetime(2023, 10, 2, 7, 5, tzinfo=UTC), "02/10/2023 07:05", "02/10/2023 07:05"),
        (time(7, 5), "07:05", "07:05"),
        (("6A", text("Morning")), "6A, Sáng", "6A, Morning"),
        (True, "True", "True"),
        ("THCS Tô Hiệu", "THCS Tô Hiệu", "THCS Tô Hiệu"),
        (VI, "vi", "vi"),
    ],
)
def test_a_value_is_written_in_the_manner_of_the_language(value: object, vi: str, en: str) -> None:
    sentence = text("{value}", value=value)
    assert (translate(sentence, VI), translate(sentence, EN)) == (vi, en)


def test_a_written_format_keeps_its_shape_and_takes_the_marks() -> None:
    assert translate(text("{share:.1f}", share=18.75), VI) == "18,8"
    assert translate(text("{day:%d/%m}", day=date(2023, 10, 2)), VI) == "02/10"


def test_plurals_follow_the_language() -> None:
    counts = [translations(EN).ngettext("{n} day", "{n} days", n) for n in (1, 2)]
    assert counts == ["{n} day", "{n} days"]
    assert translations(VI).ngettext("{n} day", "{n} days", 2) == "{n} ngày"
