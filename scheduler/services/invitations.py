"""Lessons that travel with a mail into its reader's calendar, as the calendar feeds show them."""

from collections.abc import Sequence
from datetime import datetime
from email.utils import parseaddr

from scheduler.delivery import ical, mail
from scheduler.delivery.ical import Method
from scheduler.domain import calendars as rules
from scheduler.domain.lessons import Handover, Lesson
from scheduler.services import calendars
from scheduler.services.calendars import Manner


def invitation(
    lessons: Sequence[Lesson],
    former: Sequence[Handover],
    how: Manner,
    mail_from: str,
    now: datetime,
) -> bytes | None:
    """A text/calendar part of the lessons a mail tells of; None when it tells of none.

    `former`: lessons its reader gave and somebody else took over.  UID, SEQUENCE and times are
    those of the feeds: one event stays one, wherever it comes from.  It asks for no answer and
    names no guest: who gives a lesson is not settled by a calendar program.
    """
    week = rules.week_of(now)
    found = {x.id: rules.of_lesson(x, week) for x in lessons}
    for handover in former:
        found.setdefault(handover.lesson.id, rules.of_handover(handover))
    if not found:
        return None
    entries = calendars.entries(
        sorted(found.values(), key=lambda x: (x.starts_at, x.lesson.uid)), how
    )
    # CANCEL may speak of one event only (RFC 5546, 3.2.5), and a mail has room for one method.
    # PUBLISH may list many, and each that is off says so itself.
    alone = len(entries) == 1 and entries[0].cancelled
    name, address = parseaddr(mail_from)
    return ical.message(
        entries,
        Method.CANCEL if alone else Method.PUBLISH,
        name,
        mail.envelope_address(address),
    )
