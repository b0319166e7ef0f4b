"""The bytes of a calendar: folding, escaping, and rest between changes."""

import itertools
import unicodedata
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from scheduler.delivery import ical
from scheduler.domain.calendars import Calendar, CalendarEntry

from .readers import by_icalendar

AT = datetime(2023, 10, 2, 0, 0, tzinfo=UTC)


def entry(summary: str = "Tiếng Anh 7A", description: str = "Lớp 7A") -> CalendarEntry:
    return CalendarEntry(
        uid="lesson-1@chungtay.example",
        summary=summary,
        description=description,
        join_url="https://chungtay.example/j/x",
        starts_at=AT,
        ends_at=AT + timedelta(minutes=45),
        created_at=AT,
        changed_at=AT,
        sequence=0,
        cancelled=False,
        busy=True,
    )


def rendered(**texts: str) -> bytes:
    return ical.render(Calendar("Cô Lan · Chung Tay", "Tiết dạy", (entry(**texts),)))


HARD = [
    'a; b, c \\ d "e" : f',
    r"C:\New \n \N \\N",
    "hai\ndòng\r\nba\rbốn",
    "Nguye\u0302\u0303n Thi\u0323 Lan",  # letters and their accents apart
    "👩‍🏫" * 12 + "🇻🇳" * 12 + "👍🏽" * 12,
    "BEGIN:VEVENT\nEND:VCALENDAR\nATTENDEE:mailto:x@x.example",
    "Tiếng Việt có dấu " * 17,
]


def test_a_text_comes_back_as_it_was_meant_from_every_reader(readers):
    bodies = [rendered(summary=words, description=words) for words in HARD]
    for words, (event,) in zip(HARD, readers.agreed(bodies), strict=True):
        meant = unicodedata.normalize("NFC", words.replace("\r\n", "\n").replace("\r", "\n"))
        assert (event.summary, event.description) == (" ".join(meant.split()), meant.strip())


@given(st.text(max_size=300))
def test_any_text_gives_lines_that_are_short_and_whole(words):
    body = rendered(summary=words, description=words)
    lines = body.removesuffix(b"\r\n").split(b"\r\n")
    assert all(0 < len(line) <= 75 for line in lines)
    for line in lines:
        line.decode()  # no cut inside a character
    assert body.decode() == unicodedata.normalize("NFC", body.decode())
    assert not any(unicodedata.category(c) == "Cc" for line in lines for c in line.decode())
    (event,) = by_icalendar(body)
    assert event.summary == " ".join(ical.clean(words).split())


@given(st.text(alphabet="ễ👩‍🏫🇻🇳👍🏽e\u0323\u0302 \\,", min_size=20, max_size=200))
def test_no_cut_parts_a_letter_from_its_accent_or_a_picture_from_its_parts(words):
    pieces = [piece.decode() for piece in ical.fold("SUMMARY:" + words).split(b"\r\n ")]
    for before, after in itertools.pairwise(pieces):
        assert unicodedata.category(after[0]) not in ("Mn", "Me", "Mc")
        assert after[0] not in "\u200d 🏽"
        assert before[-1] not in "\u200d \\"


def test_flags_are_cut_between_countries():
    pieces = ical.fold("X:" + "🇻🇳" * 30).decode().removesuffix("\r\n").split("\r\n ")
    assert len(pieces) > 3
    assert all(piece.removeprefix("X:").count("🇻") == piece.count("🇳") for piece in pieces)


def test_a_line_of_nothing_but_accents_is_still_cut():
    assert all(len(line) <= 75 for line in ical.fold("X:" + "\u0323" * 200).split(b"\r\n"))


def test_the_same_calendar_gives_the_same_bytes_with_and_without_memory():
    first = rendered()
    ical._event.cache_clear()
    assert rendered() == first
