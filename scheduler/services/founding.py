"""The beginning of an installation: its first programme, and who coordinates it."""

from dataclasses import dataclass

from scheduler.config import Settings
from scheduler.domain.access import RUNNING, Grant, Role
from scheduler.domain.calendars import slug
from scheduler.errors import Conflict, text
from scheduler.services import accounts as addresses
from scheduler.services.context import Context
from scheduler.store import accounts, audits, takeover, terms
from scheduler.store.database import Database, Session

_LONGEST_CODE = 40


@dataclass(frozen=True, slots=True)
class Standing:
    """Names of programmes, and mail addresses of those who run them, the first ones first."""

    programmes: tuple[str, ...]
    coordinators: tuple[str, ...]


def look(settings: Settings) -> Standing:
    """What there is in the database of these settings, whose schema must be ours; nothing is made,
    no key either."""
    database = Database(settings.database)
    try:
        with database.reading() as db:
            return _standing(db)
    finally:
        database.close()


def _standing(db: Session) -> Standing:
    programmes = tuple(each.name for each in terms.all_programmes(db))
    people = [actor.email for role in RUNNING for actor in accounts.with_role(db, role)]
    return Standing(programmes, tuple(dict.fromkeys(people)))


def found(ctx: Context, programme: str, name: str, address: str) -> Standing:
    """Make the programme and its coordinator, each only where none is: lists come in afterwards.

    Raises Invalid for what is no mail address, Conflict for somebody who is switched off.
    """
    email = addresses.clean_email(address)
    with ctx.transaction() as db:
        there = terms.all_programmes(db)
        if there:
            programme_id = there[0].id
        else:
            code = slug(programme)[:_LONGEST_CODE].strip("-")
            zone = ctx.settings.timezone
            programme_id = takeover.add_programme(db, code, programme, zone, ctx.now())
            audits.record(db, ctx.now(), None, "found_programme", "programme", programme_id)
        if not any(accounts.with_role(db, role) for role in RUNNING):
            person_id = accounts.ensure_person(
                db, email=email, name=name or email, language=ctx.settings.locale, now=ctx.now()
            )
            accounts.add_grant(db, person_id, Grant(Role.COORDINATOR, programme_id))
            after = {"role": Role.COORDINATOR.value}
            audits.record(db, ctx.now(), None, "grant", "person", person_id, after=after)
            if accounts.actor_of(db, person_id) is None:
                raise Conflict(text("The account of {email} is switched off.", email=email))
        return _standing(db)
