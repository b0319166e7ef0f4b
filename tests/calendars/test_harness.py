"""The readers themselves: what a feed may ask of them by zone and alarm, they all understand."""

from datetime import UTC, datetime, timedelta

from .caldav import resources

BODY = b"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Tests//EN
X-WR-CALNAME:Tests
BEGIN:VTIMEZONE
TZID:America/New_York
BEGIN:STANDARD
DTSTART:20231105T020000
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
TZNAME:EST
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:20230312T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
TZNAME:EDT
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
UID:one@x.example
DTSTAMP:20231001T000000Z
DTSTART;TZID=America/New_York:20231105T003000
DTEND;TZID=America/New_York:20231105T020000
SUMMARY:One
DESCRIPTION:One
STATUS:CONFIRMED
TRANSP:OPAQUE
SEQUENCE:0
CREATED:20231001T000000Z
LAST-MODIFIED:20231001T000000Z
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:One
TRIGGER:-PT10M
END:VALARM
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:One
TRIGGER:-P1D
END:VALARM
END:VEVENT
END:VCALENDAR
""".replace(b"\n", b"\r\n")


def test_every_reader_understands_zones_and_alarms(readers):
    for body in (BODY, *resources(BODY).values()):
        ((event,),) = readers.agreed([body])
        assert (event.start, event.end) == (
            datetime(2023, 11, 5, 4, 30, tzinfo=UTC),
            datetime(2023, 11, 5, 7, 0, tzinfo=UTC),
        )
        assert event.alarms == (timedelta(minutes=-10), timedelta(days=-1))
