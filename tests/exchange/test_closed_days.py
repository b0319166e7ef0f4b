"""Calendars and sheets of closed days add to the holidays of the term, and take none away."""

from datetime import date

import pytest
from openpyxl import Workbook

from tests.exchange.books import File, refusals, roster_from_outside, saved, told

HELD = (date(2023, 11, 20), date(2024, 1, 1))


def calendar(*events: str) -> File:
    lines = "".join(
        f"BEGIN:VEVENT\r\nUID:{n}\r\n{x}\r\nEND:VEVENT\r\n" for n, x in enumerate(events)
    )
    return "nghi.ics", f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{lines}END:VCALENDAR\r\n".encode()


def holidays(*files: File) -> tuple[date, ...]:
    [term] = roster_from_outside(list(files), told()).terms
    return term.holidays


def test_whole_days_of_a_calendar_are_holidays_of_the_term() -> None:
    found = holidays(
        calendar(
            "DTSTART;VALUE=DATE:20231120\r\nDTEND;VALUE=DATE:20231121\r\nSUMMARY:Nhà giáo",
            "DTSTART;VALUE=DATE:20231223\r\nDTEND;VALUE=DATE:20231225",
            "DTSTART;VALUE=DATE:20240105\r\nDTEND;VALUE=DATE:20240215",  # runs on beyond the term
            "DTSTART;VALUE=DATE:20231001\r\nSTATUS:CANCELLED",
            "DTSTART;VALUE=DATE:20240430",
        )
    )
    more = (date(2023, 12, 23), date(2023, 12, 24), *(date(2024, 1, n) for n in (5, 6, 7)))
    assert found == tuple(sorted((*HELD, *more)))


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("DTSTART:20231120T070000Z\r\nDTEND:20231120T090000Z", "“20231120T070000Z” is not a day"),
        ("DTSTART;VALUE=DATE:20231120\r\nRRULE:FREQ=YEARLY", "“20231120 FREQ=YEARLY” is not a day"),
        ("SUMMARY:?", "“?” is not a day"),
        ("DTSTART;VALUE=DATE:20240430", "30/04/2024 lies outside the term"),
    ],
)
def test_what_is_no_whole_day_is_told_with_its_row(event: str, said: str) -> None:
    [sentence] = refusals([calendar(event)], told())
    assert sentence.startswith("nghi.ics, sheet Ngày nghỉ, row 2, column A (Từ ngày): ")
    assert said in sentence


def test_calendar_that_breaks_off_is_refused() -> None:
    name, data = calendar("DTSTART;VALUE=DATE:20231120")
    [sentence] = refusals([(name, data[:-40])], told())
    assert sentence.startswith("nghi.ics: The calendar breaks off")


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("nghi.ics", calendar(*["DTSTART;VALUE=DATE:20231120"] * 20_001)[1], "too large"),
        ("nghi.ics", b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 20_000, "breaks off"),
        ("nghi.xlsx", calendar("DTSTART;VALUE=DATE:20231120")[1], ""),
        ("x.json", b'{"version": 1, "name": NaN}', "not an instance"),
        ("x.json", b'{"version": 1, "teachers": ' + b"[" * 100_000, "not an instance"),
        ("x.json", b'{"version": 1\xff}', "not an instance"),
    ],
    ids=["events", "nested", "renamed", "NaN", "deep", "letters"],
)
def test_hostile_calendars_and_instances_are_refused_in_the_process_of_their_own(
    name: str, data: bytes, said: str
) -> None:
    if not said:  # whatever it is called, it is what it holds
        assert holidays((name, data)) == HELD
        return
    [sentence] = refusals([(name, data)], told())
    assert said in sentence


def test_a_sheet_of_closed_days_says_the_same() -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Ngày nghỉ"
    sheet.append(["Từ ngày", "Đến ngày", "Lý do"])
    sheet.append(["23/12/2023", "24/12/2023", "Họp"])
    sheet.append(["20/11/2023"])
    more = (date(2023, 12, 23), date(2023, 12, 24))
    assert holidays(("nghi.xlsx", saved(book))) == tuple(sorted((*HELD, *more)))
