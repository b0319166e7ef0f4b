"""Commands for people: their roles and their links."""

from datetime import timedelta
from typing import IO

import click

from scheduler import console
from scheduler.commands import opening
from scheduler.domain.access import Role
from scheduler.errors import text
from scheduler.services import (
    access_tokens,
    accounts,
    factors,
    feeds,
    invitations,
    own_data,
    people,
    system,
)
from scheduler.services.invitations import Wanted
from scheduler.store.directory import Entry


@click.group()
def user() -> None:
    """People and their roles: add, list, roles, invite, switch-off, switch-on."""


@user.command("add")
@click.argument("email")
@click.option(
    "--role", type=click.Choice([r.value for r in Role]), required=True, help="What they may do."
)
@click.option("--name", default="", help="Their name.")
@click.option(
    "--school", default="", metavar="CODE", help="For a school contact: the school's code."
)
def user_add(email: str, role: str, name: str, school: str) -> None:
    """Give a role to a person, who is made when unknown."""
    with opening.context() as ctx:
        system.migrate(ctx)
        actor = accounts.add_user(ctx, email, Role(role), name=name, school_code=school)
        click.echo(f"{actor.email}: {role}")


@user.command("reset-factor")
@click.argument("email")
def user_reset_factor(email: str) -> None:
    """Forget a person's second factor and sign them out; they set up a new one at sign-in."""
    with opening.ready_context() as ctx:
        factors.reset(ctx, email)
        click.echo(f"{email}: no second factor any more, and signed out everywhere")


@user.command("list")
@click.option(
    "--search", default="", help="Words of names, addresses or schools; marks are optional."
)
@click.option("--role", type=click.Choice([r.value for r in Role]), help="Of one role only.")
@console.json_option
def user_list(search: str, role: str | None, as_json: bool) -> None:
    """Everybody of the programme: roles, and when they were last here."""
    with opening.ready_context() as ctx:
        wanted = Role(role) if role else None
        found = people.directory_of(ctx, accounts.operator(ctx), search, wanted)
        told = {"people": list(map(_told, found))}
        console.show(as_json, told, lambda: "\n".join(map(_line, found)) or "-")


@user.command("roles")
@click.argument("email")
@console.json_option
def user_roles(email: str, as_json: bool) -> None:
    """The roles of one person in the programme."""
    with opening.ready_context() as ctx:
        found = people.known(ctx, accounts.operator(ctx), email)
        console.show(as_json, _told(found), lambda: _line(found))


@user.command("invite")
@click.argument("email")
@click.option("--name", required=True, help="Their name.")
@click.option(
    "--role", type=click.Choice([r.value for r in Role]), required=True, help="What they may do."
)
@click.option("--school", default="", metavar="CODE", help="Of a school contact: the code.")
@click.option(
    "--donor-school", default="", metavar="NAME", help="Of a teacher or a head: the school's name."
)
@click.option("--language", type=click.Choice(["vi", "en"]), default="vi", show_default=True)
@console.json_option
def user_invite(
    email: str, name: str, role: str, school: str, donor_school: str, language: str, as_json: bool
) -> None:
    """Send an invitation that is good for seven days."""
    with opening.ready_context() as ctx:
        actor = accounts.operator(ctx)
        place = invitations.place_named(ctx, actor, Role(role), school, donor_school)
        made = invitations.invite(ctx, actor, Wanted(email, name, language, place))
        console.show(as_json, {"invitation": made, "email": email, "role": role})


@user.command("switch-off")
@click.argument("email")
@click.option("--dry-run", is_flag=True, help="Only say what would end.")
@console.json_option
def user_switch_off(email: str, dry_run: bool, as_json: bool) -> None:
    """End the sessions and links of a person; their lessons ahead look for cover."""
    with opening.ready_context() as ctx:
        actor = accounts.operator(ctx)
        who = people.known(ctx, actor, email).id
        found = people.look_at_switch(ctx, actor, who)
        if not dry_run:
            found = people.switch_off(ctx, actor, who, found.fingerprint)
        told = {"email": email, "lessons": [lesson.id for lesson in found.lessons]}
        console.show(as_json, told | {"done": not dry_run})


@user.command("switch-on")
@click.argument("email")
@console.json_option
def user_switch_on(email: str, as_json: bool) -> None:
    """Let a person sign in again."""
    with opening.ready_context() as ctx:
        actor = accounts.operator(ctx)
        people.switch_on(ctx, actor, people.known(ctx, actor, email).id)
        console.show(as_json, {"email": email, "active": True})


def _told(entry: Entry) -> dict[str, object]:
    return {
        "email": entry.email,
        "name": entry.name,
        "active": entry.active,
        "roles": [{"role": held.grant.role.value, "school": held.school} for held in entry.roles],
        "left": list(entry.left),
        "seen_at": entry.seen_at,
    }


def _line(entry: Entry) -> str:
    roles = ", ".join(f"{x.grant.role.value} {x.school}".strip() for x in entry.roles)
    seen = f"{entry.seen_at:%Y-%m-%d}" if entry.seen_at else "never here"
    off = "" if entry.active else ", switched off"
    return f"{entry.email}: {entry.name}, {roles or 'no role'}, {seen}{off}"


@user.command("export")
@click.argument("email")
@click.option("-o", "--output", type=click.File("wb"), default="-", help="Where to write it.")
def user_export(email: str, output: IO[bytes]) -> None:
    """Write all that is kept of a person, as JSON without secrets."""
    with opening.ready_context() as ctx:
        output.write(own_data.copy_for(ctx, email))


@user.command("erase")
@click.argument("email")
@click.confirmation_option(prompt="This cannot be undone. Erase this person?")
def user_erase(email: str) -> None:
    """Take a person's data away as soon as a last mail has told them, within an hour.

    Lessons and counts stay.  Whoever has lessons ahead leaves first.
    """
    with opening.ready_context() as ctx:
        own_data.ask_erasure_for(ctx, email)
        opening.say(text("A last mail is planned. When it has gone out, the data are gone."))


@click.command("sign-in-link")
@click.argument("email")
def sign_in_link(email: str) -> None:
    """Print a sign-in link to hand over; it works once, within ten minutes."""
    with opening.ready_context() as ctx:
        click.echo(accounts.operator_link(ctx, email))


@click.command("access-token")
@click.argument("email")
@click.option(
    "--hours", type=click.IntRange(1, 24 * 90), default=12, show_default=True, help="How long."
)
def access_token(email: str, hours: int) -> None:
    """Print an access token for the API, with all that this person may do."""
    with opening.ready_context() as ctx:
        click.echo(access_tokens.issue(ctx, email, timedelta(hours=hours)))


@click.command("feed-link")
@click.argument("email")
def feed_link(email: str) -> None:
    """Print a new calendar link of a person."""
    with opening.ready_context() as ctx:
        click.echo(feeds.link_for_person(ctx, email))
