"""What programs may send: no unknown fields, no guessed types, and bounded sizes."""

import re
from contextlib import suppress
from datetime import date, datetime
from typing import Annotated, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    WithJsonSchema,
)

from scheduler.domain import remarks
from scheduler.domain.plans import Fingerprint
from scheduler.errors import text
from scheduler.web.guard import LARGEST_ID

EARLIEST, LATEST = 2000, 2100  # years
AN_INSTANT = "2023-10-02T07:30+07:00"
MOST_ITEMS = 500
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ].+", re.ASCII)
_YEAR = "^(20[0-9]{2}|2100)-"  # from EARLIEST to LATEST, for readers of the schema
_CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"

Near = TypeVar("Near", date, datetime)


class Body(BaseModel):
    """The JSON object that a writing route takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def shown(cls) -> JsonValue:
        """The example that its schema shows."""
        extra = cls.model_config.get("json_schema_extra")
        examples = extra["examples"] if isinstance(extra, dict) else None
        return examples[0] if isinstance(examples, list) else None


def example(**fields: JsonValue) -> ConfigDict:
    """The settings of a body with one example of it, for readers of the schema."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


def _day(given: object) -> date:
    """Alone 2023-10-02: pydantic would also take seconds since 1970."""
    if isinstance(given, date):
        return given
    if isinstance(given, str) and _DAY.fullmatch(given):
        with suppress(ValueError):
            return date.fromisoformat(given)
    raise ValueError(text("Write the day like this: {example}.", example="2023-10-02"))


def _instant(given: object) -> object:
    """With a day before its time: pydantic would also take seconds since 1970."""
    if isinstance(given, str) and not _INSTANT.fullmatch(given):
        raise ValueError(
            text("Write an instant with its zone, like {example}.", example=AN_INSTANT)
        )
    return given


def _near(at: Near) -> Near:
    """Further off, another zone's wall may have no such year."""
    if EARLIEST <= at.year <= LATEST:
        return at
    raise ValueError(
        text("Choose years from {first} to {last}.", first=str(EARLIEST), last=str(LATEST))
    )


def _storable(given: str) -> str:
    words = remarks.tidied(given)
    if fault := remarks.unfit(words):
        raise ValueError(fault)
    return words


def _joined(given: str) -> str:
    return _storable(remarks.joined(given))


Id = Annotated[int, Field(strict=True, ge=1, le=LARGEST_ID)]
Count = Annotated[int, Field(strict=True, ge=0, le=LARGEST_ID)]
Flag = Annotated[bool, Field(strict=True)]
Day = Annotated[
    date,
    BeforeValidator(_day),
    AfterValidator(_near),
    WithJsonSchema(
        {"type": "string", "format": "date", "pattern": f"{_YEAR}[0-9]{{2}}-[0-9]{{2}}$"}
    ),
]
Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_instant),
    AfterValidator(_near),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": _YEAR}),
]
# Services say how long each of them may be; this bounds what is looked at.
Words = Annotated[str, Field(max_length=2000), AfterValidator(_storable)]
Lines = Annotated[str, Field(max_length=2000), AfterValidator(_joined)]
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_storable)]
Clock = Annotated[str, Field(pattern=_CLOCK, examples=["07:30"])]
Ids = Annotated[list[Id], Field(min_length=1, max_length=MOST_ITEMS)]
Seen = Annotated[Fingerprint, Field(min_length=1, max_length=64), AfterValidator(_storable)]
