"""Signed addresses that people are sent: the end of reminders, what is asked about a lesson."""

from datetime import datetime, timedelta

from scheduler import security
from scheduler.domain.lessons import Lesson, LessonId
from scheduler.domain.people import PersonId
from scheduler.domain.reminders import Side
from scheduler.domain.reports import CLOSES_AFTER
from scheduler.domain.swaps import Swap, SwapId
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
        return PersonId(int(security.read_link(ctx.keys, purpose, token, ctx.now()).subject))
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
        link = security.read_link(ctx.keys, security.Purpose.OFFER, token, ctx.now())
        return int(link.subject)
    except (security.BadLink, ValueError) as error:
        raise NotFound("This link can no longer be used.") from error


def answer_subject(ctx: Context, token: str) -> tuple[LessonId, int, PersonId]:
    """The lesson, its sequence then, and the person; raises NotFound."""
    try:
        link = security.read_link(ctx.keys, security.Purpose.ANSWER, token, ctx.now())
        lesson, sequence, person = map(int, link.subject.split(":"))
    except (security.BadLink, ValueError) as error:
        raise NotFound("This link can no longer be used.") from error
    return LessonId(lesson), sequence, PersonId(person)


def report_url(ctx: Context, lesson: Lesson, side: Side, person: PersonId) -> str:
    """Where this person says for their side how the lesson went."""
    life = lesson.ends_at + CLOSES_AFTER - ctx.now()
    return _side_url(ctx, security.Purpose.REPORT, "r", lesson, side, person, life)


def check_in_url(ctx: Context, lesson: Lesson, side: Side, person: PersonId) -> str:
    """Where this person says that their side is there."""
    life = lesson.ends_at + ANSWER_OUTLIVES - ctx.now()
    return _side_url(ctx, security.Purpose.CHECK_IN, "c", lesson, side, person, life)


def _side_url(
    ctx: Context,
    purpose: security.Purpose,
    room: str,
    lesson: Lesson,
    side: Side,
    person: PersonId,
    life: timedelta,
) -> str:
    subject = f"{lesson.id}:{side.value}:{person}"
    token = security.sign_link(ctx.key, purpose, subject, ctx.now(), life)
    return f"{ctx.settings.base_url}/{room}/{token}"


def side_subject(
    ctx: Context, purpose: security.Purpose, token: str
) -> tuple[LessonId, Side, PersonId]:
    """The lesson, the side and who speaks for it; raises NotFound."""
    try:
        link = security.read_link(ctx.keys, purpose, token, ctx.now())
        lesson, side, person = link.subject.split(":")
        return LessonId(int(lesson)), Side(side), PersonId(int(person))
    except (security.BadLink, ValueError) as error:
        raise NotFound("This link can no longer be used.") from error


def swap_url(ctx: Context, swap: Swap, person: PersonId) -> str:
    """Where this person agrees to a swap, or does not."""
    life = swap.deadline + ANSWER_OUTLIVES - ctx.now()
    subject = f"{swap.id}:{person}"
    token = security.sign_link(ctx.key, security.Purpose.SWAP, subject, ctx.now(), life)
    return f"{ctx.settings.base_url}/w/{token}"


def swap_subject(ctx: Context, token: str) -> tuple[SwapId, PersonId]:
    """The proposal and the person; raises NotFound."""
    try:
        link = security.read_link(ctx.keys, security.Purpose.SWAP, token, ctx.now())
        swap, person = map(int, link.subject.split(":"))
    except (security.BadLink, ValueError) as error:
        raise NotFound("This link can no longer be used.") from error
    return SwapId(swap), PersonId(person)
