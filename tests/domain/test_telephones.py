"""Telephone numbers as lists hold them, and texts that one SMS holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.telephones import e164, fits, one_sms, plain

URL = "https://chungtay.example/j/abcdefghijklmnopqrstuv"
TITLE = "Thứ Tư 04/10 · 07:30–08:15: Tiếng Anh 7A · THCS A · Sáng tiết 1"


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("0912345678", "+84912345678"),
        ("091 234 56 78", "+84912345678"),
        ("0912.345.678", "+84912345678"),
        ("(+84) 912-345-678", "+84912345678"),
        ("+84 (0)912 345 678", "+84912345678"),
        ("84912345678", "+84912345678"),
        ("0084912345678", "+84912345678"),
        ("024 3825 1234", None),
        ("0243 825 1234; 0387654321", "+84387654321"),
        ("0912345678 / 0987654321", "+84912345678"),
        ("+49 170 1234567", "+491701234567"),
        ("0049 170 1234567", "+491701234567"),
        ("09123456780", None),
        ("091234567", None),
        ("912345678", None),
        ("+0912345678", None),
        ("+84", None),
        ("\uff10912345678", "+84912345678"),
        ("", None),
        ("không có", None),
    ],
)
def test_a_number_is_written_as_gateways_take_it(written: str, number: str | None) -> None:
    assert e164(written) == number


@given(st.text(max_size=60))
def test_any_text_gives_a_number_or_none(written: str) -> None:
    found = e164(written)
    assert found is None or (found[0] == "+" and found[1:].isdecimal() and len(found) > 8)


def test_plain_words_lose_their_marks_only() -> None:
    assert plain("Đặng Thị Hoà, tiết 3 – sáng…") == "Dang Thi Hoa, tiet 3 - sang..."
    assert fits(plain(TITLE))


@pytest.mark.parametrize(
    ("words", "held"),
    [
        ("a" * 160, True),
        ("a" * 161, False),
        ("€" + "a" * 158, True),
        ("€" + "a" * 159, False),
        ("ế" * 70, True),
        ("ế" * 71, False),
        ("🙂" * 35, True),
        ("🙂" * 36, False),
    ],
)
def test_what_one_sms_holds(words: str, held: bool) -> None:
    assert fits(words) is held


def test_the_address_stays_while_there_is_room_for_words() -> None:
    assert one_sms("Called off", "Because of rain.", URL) == f"Called off. Because of rain. {URL}"
    assert one_sms(plain(TITLE), "x" * 60, URL) == f"{plain(TITLE)} {URL}"
    assert one_sms("a" * 200, "", URL) == f"{'a' * 107}... {URL}"
    assert one_sms(TITLE, "", URL) == TITLE  # 64 letters with marks: none are left for an address


@given(st.text(max_size=300), st.text(max_size=300), st.text("abc/:.", max_size=300))
def test_it_is_never_more_than_one_sms_and_never_half_an_address(
    title: str, body: str, url: str
) -> None:
    made = one_sms(title, body, url)
    assert fits(made)
