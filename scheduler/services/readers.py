"""Whoever opens a mail, and how a mail is made for them."""

from dataclasses import dataclass

from scheduler.delivery import mail
from scheduler.delivery.mail import Letter
from scheduler.domain.people import PersonId
from scheduler.domain.reminders import Side
from scheduler.errors import Text
from scheduler.locale import Language, translate
from scheduler.services.words import Wall


@dataclass(frozen=True, slots=True)
class Reader:
    """Who opens the mail; `stop_url` and `choices_url` only where it can be stopped or changed."""

    person_id: PersonId
    name: str
    wall: Wall
    side: Side
    base_url: str
    page_url: str
    stop_url: str | None = None
    choices_url: str | None = None

    @property
    def language(self) -> Language:
        return self.wall.language


def render(template: str, subject: Text | str, reader: Reader, **values: object) -> Letter:
    """The mail of this template, in the reader's language; `values` are for the template."""
    given = {"reader": reader, "own": reader.side is Side.TEACHER, **values}
    return mail.render(template, reader.language, translate(subject, reader.language), given)
