"""Words of a coordinator to many: to whom, and what each reader finds in them.  Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from scheduler.domain.people import PersonId
from scheduler.errors import Invalid, text


class Audience(StrEnum):
    """Who is written to; each is a part of one programme's people."""

    TEACHERS = "teachers"
    AHEAD = "ahead"  # teachers with a lesson still to come in the newest term
    IDLE = "idle"  # teachers without any in it
    SCHOOLS = "schools"  # who speaks for a receiving school


@dataclass(frozen=True, slots=True)
class Listener:
    """`place`: the home school of a teacher, or the school that a contact speaks for."""

    person_id: PersonId
    name: str
    place: str
    district: str


# What may stand in the words, in either language, and what it becomes.
PLACES = {"name": "name", "tên": "name", "school": "place", "trường": "place"}
_PLACE = re.compile(r"\{([^{}\n]{0,40})\}")


def check(words: str) -> None:
    """Raises Invalid for a place that nobody fills."""
    odd = [each for each in _PLACE.findall(words) if each not in PLACES]
    if odd:
        fault = text("Nothing fills {place}. Use {first} and {second}.",
                     place=f"{{{odd[0]}}}", first="{tên}", second="{trường}")  # fmt: skip
        raise Invalid("Some fields need another look.", fields={"text": fault})


def filled(words: str, listener: Listener) -> str:
    """As this one reads them."""
    return _PLACE.sub(lambda found: str(getattr(listener, PLACES[found[1]])), words)


def of_district(listeners: Iterable[Listener], district: str) -> tuple[Listener, ...]:
    """Those of a district, once each; of all districts where none is named."""
    chosen = (each for each in listeners if district in ("", each.district))
    return tuple({each.person_id: each for each in chosen}.values())
