"""What the pages that invite people share: the form's fields, and invitations as lines."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from scheduler.domain.access import Role
from scheduler.domain.invitations import InvitationState, Place
from scheduler.domain.people import DonorSchoolId, SchoolId
from scheduler.domain.terms import ProgrammeId
from scheduler.errors import Text, text
from scheduler.locale import LANGUAGES
from scheduler.services.context import Context
from scheduler.services.invitations import Listed, Wanted
from scheduler.services.words import ROLES
from scheduler.web.forms import Fields

LANGUAGE_NAMES = (("vi", "Tiếng Việt"), ("en", "English"))
_STATES: dict[InvitationState, tuple[Text, str, str]] = {  # word, icon, tone
    InvitationState.OPEN: (text("Not answered yet"), "clock", "plan"),
    InvitationState.ACCEPTED: (text("Accepted"), "check", "ok"),
    InvitationState.REVOKED: (text("Taken back"), "off", ""),
    InvitationState.EXPIRED: (text("Over"), "clock", "warn"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """An invitation ready to print; `open`: the reader may take it back."""

    id: int
    name: str
    email: str
    role: Text
    school: str
    by: str
    sent: datetime
    until: datetime
    word: Text
    sign: str
    tone: str
    open: bool


def lines(ctx: Context, found: Iterable[Listed]) -> list[Line]:
    zone = ZoneInfo(ctx.settings.timezone)
    return [
        Line(
            each.invitation.id,
            each.invitation.name,
            each.invitation.email,
            ROLES[each.invitation.place.role],
            each.invitation.school,
            each.invitation.invited_by,
            each.invitation.created_at.astimezone(zone),
            each.invitation.expires_at.astimezone(zone),
            *_STATES[each.state],
            each.open,
        )
        for each in found
    ]


def read(fields: Fields, place: Place) -> Wanted:
    """Whom the form invites to that place."""
    wanted = Wanted(
        fields.typed("email").strip(),
        fields.text("name"),
        fields.one_of("language", LANGUAGES),
        place,
    )
    fields.check()
    return wanted


def read_place(fields: Fields, programme_id: ProgrammeId, roles: Sequence[Role]) -> Place:
    """The role and school that a form names: `place` is school-7, donor-3, or empty."""
    role = fields.one_of("role", [each.value for each in roles])
    kind, _, number = fields.typed("place").partition("-")
    row = int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else None
    place = Place(
        Role(role) if role else Role.SCHOOL,
        programme_id,
        SchoolId(row) if row and kind == "school" else None,
        DonorSchoolId(row) if row and kind == "donor" else None,
    )
    if role and not place.is_whole:
        fields.errors.setdefault("place", _WHERE[place.role])
    return place


_WHERE = {
    Role.TEACHER: text("Choose the donor school of this teacher."),
    Role.DONOR_HEAD: text("Choose the donor school."),
    Role.SCHOOL: text("Choose the receiving school."),
    Role.COORDINATOR: text("A coordinator is of the whole programme: choose no school."),
    Role.ADMIN: text("An administrator is of the whole programme: choose no school."),
}
