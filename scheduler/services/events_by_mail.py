"""Lessons and joint sessions that travel with a mail into calendars, as the feeds show them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from email.utils import parseaddr

from scheduler.delivery import ical, mail
from scheduler.delivery.ical import Method
from scheduler.domain import calendars as rules
from scheduler.domain.calendars import Meeting, Shown
from scheduler.domain.choices import Choices
from scheduler.domain.joint_sessions import News as SessionNews
from scheduler.domain.lessons import Handover, Lesson
from scheduler.domain.messages import Claimed, MessageKind
from scheduler.domain.news import News
from scheduler.domain.reminders import Side
from scheduler.locale import Language
from scheduler.services import calendars
from scheduler.services.calendars import Manner
from scheduler.services.context import Context
from scheduler.services.facts import About, OneSession

MOST = 100  # whoever has more news than that is better served by a calendar link
_TOLD = (MessageKind.CHANGES, MessageKind.CALLED_OFF, MessageKind.JOINT_NEWS)
_NO_EVENT = (News.OFFERED, News.THANKED, News.GIVEN_AWAY)


def of_message(ctx: Context, message: Claimed, what: About, chosen: Choices) -> bytes | None:
    """The events of a mail that tells of changes, for a reader who wants them; else None."""
    if message.kind not in _TOLD or not chosen.invitations:
        return None
    lessons = [one.lesson for one in what.lessons]
    lessons += [change.lesson for change in what.changes if change.news not in _NO_EVENT]
    gone = [x.given_away for x in what.changes if x.news is News.GIVEN_AWAY and x.given_away]
    if len(lessons) + len(gone) > MOST:
        return None
    how = calendars.manner_of_mail(
        Language(what.person.language),
        ctx.settings.base_url,
        ctx.settings.uid_domain,
        own=what.side is Side.TEACHER,
    )
    met = [_meeting(what.meeting, ctx.now())] if what.meeting else []
    return invitation(lessons, gone, how, ctx.settings.mail_from, ctx.now(), met)


def _meeting(one: OneSession, now: datetime) -> Meeting:
    let_go = one.news is SessionNews.LET_GO
    return rules.of_session(one.session, rules.week_of(now), let_go=let_go)


def invitation(
    lessons: Sequence[Lesson],
    former: Sequence[Handover],
    how: Manner,
    mail_from: str,
    now: datetime,
    met: Iterable[Meeting] = (),
) -> bytes | None:
    """A text/calendar part of the lessons, and the joint session, a mail tells of; None when it
    tells of none.

    `former`: lessons its reader gave and somebody else took over.  UID, SEQUENCE and times are
    those of the feeds: one event stays one, wherever it comes from.  It asks for no answer and
    names no guest: who gives a lesson is not settled by a calendar program.
    """
    week = rules.week_of(now)
    found = {x.id: rules.of_lesson(x, week) for x in lessons}
    for handover in former:
        found.setdefault(handover.lesson.id, rules.of_handover(handover))
    shown: list[Shown] = [*found.values(), *met]
    if not shown:
        return None
    entries = calendars.entries(sorted(shown, key=lambda x: (x.starts_at, x.uid)), how)
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
