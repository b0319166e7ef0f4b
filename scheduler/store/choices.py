"""What readers chose about reminders; who has no row has the usual choices."""

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduler.domain.choices import Choices
from scheduler.domain.messages import Channel
from scheduler.domain.people import PersonId
from scheduler.store.tables import reminder_choices


def of(db: Session, ids: Collection[PersonId]) -> dict[PersonId, Choices]:
    """The choices of each of these people."""
    query = select(reminder_choices).where(reminder_choices.c.person_id.in_(list(ids)))
    return dict.fromkeys(ids, Choices()) | {
        PersonId(row.person_id): _choices(row) for row in db.execute(query)
    }


def save(db: Session, person_id: PersonId, choices: Choices) -> None:
    values = asdict(choices) | {"channels": [channel.value for channel in choices.channels]}
    dialect = sqlite if db.get_bind().dialect.name == "sqlite" else postgresql
    db.execute(
        dialect.insert(reminder_choices)
        .values(person_id=person_id, **values)
        .on_conflict_do_update(index_elements=[reminder_choices.c.person_id], set_=values)
    )


def _choices(row: Row[Any]) -> Choices:
    return Choices(
        digest=row.digest,
        day_before=row.day_before,
        hour_before=row.hour_before,
        soon=row.soon,
        after_confirming=row.after_confirming,
        invitations=row.invitations,
        quiet_from=row.quiet_from,
        quiet_until=row.quiet_until,
        channels=tuple(map(Channel, row.channels)),
    )
