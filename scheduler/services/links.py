"""Signed addresses that mails carry: the end of reminders, the answer about a lesson."""

from datetime import datetime, timedelta

from scheduler import security
from scheduler.domain.lessons import Lesson, LessonId
from scheduler.domain.people import PersonId
from scheduler.errors import NotFound
from scheduler.services.context import Context

STOP_LIFE = timedelta(days=365)
ANSWER_OUTLIVES = timedelta(days=1)  # after its lesson the page still says that it is over


def stop_url(ctx: Context, person: PersonId) -> str:
    """Where one press ends the reminders of this person."""
    purpose = security.Purpose.STOP_REMINDERS
    token = security.sign_link(ctx.key, purpose, str(person), ctx.now(), STOP_LIFE)
    return f"{ctx.settings.base_url}/stop/{token}"


def stop_subject(ctx: Context, token: str) -> PersonId:
    """Whose reminders the link ends; raises NotFound."""
    try:
        purpose = security.Purpose.STOP_REMINDERS
        return PersonId(int(security.read_link(ctx.key, purpose, token, ctx.now()).subject))
    except (security.BadLink, ValueError) as error:
        raise NotFound("This link can no longer be used.") from error


def answer_url(ctx: Context, lesson: Lesson, person: PersonId) -> str:
    """Where this person says whether they give the lesson, as it stands now."""
    life = lesson.ends_at + ANSWER_OUTLIVES - ctx.now()
    subject = f"{lesson.id}:{lesson.sequence}:{person}"
    token = security.sign_link(ctx.key, security.Purpose.ANSWER, subject, ctx.now(), life)
    return f"{ctx.settings.base_url}/a/{token}"


def offer_url(ctx: Context, offer_id: int, ends_at: datetime) -> str:
    """Where the teacher who was asked says whether they stand in; `ends_at`: of the lesson."""
    life = ends_at + ANSWER_OUTLIVES - ctx.now()
    purpose = security.Purpose.OFFER
    token = security.sign_link(ctx.key, purpose, str(offer_id), ctx.now(), life)
    return f"{ctx.settings.base_url}/o/{token}"


def offer_subject(ctx: Context, token: str) -> int:
    """Which offer the link is of; raises NotFound."""
    try:
        link = security.read_link(ctx.key, security.Purpose.OFFER, token, ctx.now())
        return int(link.subject)
    except (security.BadLink, ValueError) as error:
        raise NotFound("This link can no longer be used.") from error


def answer_subject(ctx: Context, token: str) -> tuple[LessonId, int, PersonId]:
    """The lesson, its sequence then, and the person; raises NotFound."""
    try:
        link = security.read_link(ctx.key, security.Purpose.ANSWER, token, ctx.now())
        lesson, sequence, person = map(int, link.subject.split(":"))
    except (security.BadLink, ValueError) as error:
        raise NotFound("This link can no longer be used.") from error
    return LessonId(lesson), sequence, PersonId(person)
