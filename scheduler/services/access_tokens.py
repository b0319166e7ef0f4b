"""Access tokens: signed texts by which programs use the API as a person.

They end by their own date, when the secret key changes, and as soon as the account is turned off;
what their person may do is read anew at each use.
"""

from datetime import timedelta

from scheduler import security
from scheduler.domain.access import Actor
from scheduler.errors import NotFound, text
from scheduler.services.accounts import clean_email
from scheduler.services.context import Context
from scheduler.store import accounts, audits, people


def issue(ctx: Context, address: str, life: timedelta) -> str:
    """A new token for whoever has this mail address; raises NotFound."""
    email, now = clean_email(address), ctx.now()
    with ctx.transaction() as db:
        person = people.by_email(db, email)
        if person is None or not person.active:
            raise NotFound(text("Nobody here has the address {email}.", email=email))
        audits.record(db, now, None, "access_token", "person", person.id)
    purpose = security.Purpose.ACCESS
    return security.sign_link(ctx.key, purpose, str(person.id), now, life)


def actor(ctx: Context, token: str) -> Actor | None:
    """Whose token it is, with the rights of this moment; None for any that is not good."""
    try:
        link = security.read_link(ctx.keys, security.Purpose.ACCESS, token, ctx.now())
        person_id = int(link.subject)
    except (security.BadLink, ValueError):
        return None
    with ctx.reading() as db:
        return accounts.actor_of(db, person_id)
