"""A certificate of service: what its paper says, and what anybody may check.  Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NewType

from scheduler.domain.intervals import DaySpan
from scheduler.domain.people import TeacherId
from scheduler.domain.records import Amount

CertificateId = NewType("CertificateId", int)

CODE_LENGTH = 12
_GROUP = 4
_LONGEST_TYPED = 40


@dataclass(frozen=True, slots=True)
class Facts:
    """What the paper says, as it stood when it was issued; `months` by their first days."""

    teacher_id: TeacherId
    name: str
    school: str
    programme: str
    days: DaySpan
    held: Amount
    months: tuple[tuple[date, Amount], ...]


@dataclass(frozen=True, slots=True)
class Certificate:
    """`issued_on` is the day on the programme's wall."""

    id: CertificateId
    code: str
    facts: Facts
    issued_at: datetime
    issued_on: date
    withdrawn_at: datetime | None


def grouped(letters: str) -> str:
    """ABCDEFGHJKLM becomes ABCD-EFGH-JKLM, as it is printed and kept."""
    return "-".join(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))


def typed_code(typed: str) -> str | None:
    """The code that somebody typed from paper, however spaced and cased; None: it can be none."""
    if len(typed) > _LONGEST_TYPED or not typed.isascii():
        return None
    letters = "".join(letter for letter in typed.upper() if letter.isalnum())
    return grouped(letters) if len(letters) == CODE_LENGTH else None
